"""Cells against Python's own CSV reader: whatever bytes stand between the commas, the same texts come out."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from sources.connectors import text
from sources.connectors.cells import Cells, Slots, of_arrow, record_batch, text_table
from sources.connectors.text import read_cells

PIECES = [
    "",
    "-",
    " ",
    "x",
    "I10.x00",
    "12.50",
    "2024-01-02 10:00:00",
    "成都市武侯区",
    "𠮷",
    "　张三　",
    "甲,乙",
    '"',
    "a b",
]
WIDTH = 7


def tables(seed: int) -> list[list[str]]:
    """Rows of cells of all lengths around those at which a view changes its form."""
    draw = random.Random(seed)
    return [
        ["".join(draw.choices(PIECES, k=draw.randrange(4))) for _ in range(WIDTH - 1)] + ["x" * draw.randrange(30)]
        for _ in range(200)
    ]


def as_csv(rows: Sequence[Sequence[str]], encoding: str, **options: Any) -> io.BytesIO:
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows([[f"h{n}" for n in range(len(rows[0]))], *rows])
    return io.BytesIO(out.getvalue().encode(encoding))


def clean(cell: str) -> str | None:
    kept = cell.strip(" 　")
    return None if kept in ("", "-") else kept


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("chunk", [700, 1 << 20])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_cells_are_those_of_a_csv_reader(
    monkeypatch: pytest.MonkeyPatch, encoding: str, chunk: int, quoting: Any
) -> None:
    monkeypatch.setattr(text, "_CHUNK", chunk)
    rows = tables(chunk)
    header = [f"h{n}" for n in range(WIDTH)]
    found = text_table(header, read_cells(as_csv(rows, encoding, quoting=quoting), encoding, WIDTH)).to_pylist()
    assert [list(row.values()) for row in found] == [[clean(cell) for cell in row] for row in rows]


def test_texts_of_arrow_are_cells_too() -> None:
    rows = tables(1)
    columns = {f"h{n}": [row[n] or None for row in rows] for n in range(WIDTH)}
    batch = pa.RecordBatch.from_pydict({name: pa.array(values, pa.string()) for name, values in columns.items()})
    found = text_table(list(columns), [of_arrow(batch.slice(50), 51)]).to_pylist()
    assert [list(row.values()) for row in found] == [[clean(cell) for cell in row] for row in rows[50:]]


def test_slots_become_parallel_lists() -> None:
    rows = [
        ["a", "1", "-", "2", "b", ""],
        ["-", "9", "b", "", "c", "3"],
        ["-", "-", "-", "-", "-", "-"],
    ]
    slots = Slots(
        code=[0, 2, 4], texts={"code": [0, 2, 4], "part": [1, 3, -2]}, presence={"told": [1, 3, 5]}, principal=True
    )
    (cells,) = read_cells(as_csv(rows, "utf-8"), "utf-8", 6)
    found = record_batch(cells, {}, [slots], {"file": 7}).to_pylist()
    assert found == [
        {"file": 7, "source_row": 2, "code": ["a", "b"], "part": ["1", None], "told": [True, False]},
        {
            "file": 7,
            "source_row": 3,
            "code": [None, "b", "c"],
            "part": [None, None, None],
            "told": [False, False, True],
        },
        {"file": 7, "source_row": 4, "code": [], "part": [], "told": []},
    ]


def test_no_record_has_the_columns_of_any() -> None:
    (cells,) = read_cells(as_csv([["a", "b"]], "utf-8"), "utf-8", 2)
    some, none = (record_batch(found, {"c": 1}, [], {"n": 1}) for found in (cells, Cells.none()))
    assert none.schema == some.schema
    assert (none.num_rows, some.num_rows) == (0, 1)
