"""Which cells changed between two folders of marts, and the first of them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from publishing.diff import ROW, correction_effect, first_difference, write_changes

KEY = ("hospital_id", "window_id")
BEFORE = "('A', '2023', 1.0, 'x'), ('A', '2024', 2.0, null), ('B', '2023', 3.0, 'z')"


def mart(path: Path, rows: str, columns: str = "hospital_id, window_id, value, note") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"copy (select * from (values {rows}) t ({columns}) order by all) to '{path}' (format parquet)")
    return path


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return mart(tmp_path / "before.parquet", BEFORE)


def changes(before: Path, after: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        write_changes(connection, "changed", {"fct": (before, KEY)}, {"fct": (after, KEY)})
        return connection.execute("select key, column_name, before, after from changed order by all").fetchall()


def test_equal_rows_in_other_bytes_are_no_difference(before: Path, tmp_path: Path) -> None:
    after = mart(tmp_path / "after.parquet", BEFORE)
    duckdb.sql(f"copy (from '{before}') to '{after}' (format parquet, compression uncompressed)")
    assert before.read_bytes() != after.read_bytes()
    assert first_difference("fct", before, after, KEY) is None
    assert changes(before, after) == []


def test_the_first_cell_in_the_order_of_the_key(before: Path, tmp_path: Path) -> None:
    rows = BEFORE.replace("3.0", "4.0").replace("2.0, null", "2.0, 'new'")
    found = first_difference("fct", before, mart(tmp_path / "after.parquet", rows), KEY)
    assert found is not None
    assert (dict(found.key), found.column) == ({"hospital_id": "A", "window_id": "2024"}, "note")
    assert (found.before, found.after) == (None, "new")


def test_every_changed_cell_once_and_rows_whole(before: Path, tmp_path: Path) -> None:
    rows = "('A', '2023', 1.5, 'y'), ('A', '2024', 2.0, null), ('C', '2023', 3.0, 'z')"
    assert changes(before, mart(tmp_path / "after.parquet", rows)) == [
        ('{"hospital_id":"A","window_id":"2023"}', "note", "x", "y"),
        ('{"hospital_id":"A","window_id":"2023"}', "value", "1.0", "1.5"),
        ('{"hospital_id":"B","window_id":"2023"}', ROW, "有", None),
        ('{"hospital_id":"C","window_id":"2023"}', ROW, None, "有"),
    ]


def test_a_part_must_be_in_the_whole_but_not_the_whole_in_the_part(before: Path, tmp_path: Path) -> None:
    whole = mart(tmp_path / "whole.parquet", BEFORE + ", ('C', '2023', 9.0, null)")
    assert first_difference("fct", before, whole, KEY, part=True) is None
    found = first_difference("fct", before, whole, KEY)
    assert found is not None and (found.column, found.before, found.after) == (ROW, "无", "有")
    missing = first_difference("fct", whole, before, KEY, part=True)
    assert missing is not None and missing.after == "无"


def test_a_mart_or_column_that_is_not_there(before: Path, tmp_path: Path) -> None:
    gone = first_difference("fct", before, tmp_path / "none.parquet", KEY)
    assert gone is not None and gone.after == "没有此表"
    other = mart(tmp_path / "after.parquet", "('A', '2023', 1.0)", "hospital_id, window_id, value")
    column = first_difference("fct", before, other, KEY)
    assert column is not None and (column.column, column.after) == ("note", "没有此列")


def test_what_a_correction_did_to_values_and_ranks(tmp_path: Path) -> None:
    cell = "hospital_id, specialty_code, attribution, window_id, indicator_id, numerator, denominator, value"
    score = "programme_id, tier, window_id, specialty_code, hospital_id, level, group_id, part, score, rank"
    place = "'p', 't', '2023', '0304'"
    for side, (numerator, value) in {"before": ("1", "0.1"), "after": ("3", "0.3")}.items():
        data = tmp_path / side / "data"
        mart(
            data / "fct_indicator.parquet",
            f"('A', '0304', 'mdc', '2023', 'x', {numerator}, 10, {value}),"
            " ('B', '0304', 'mdc', '2023', 'x', 2, 10, 0.2)",
            cell,
        )
        ranks = (2, 1) if side == "before" else (1, 2)
        mart(
            data / "fct_score.parquet",
            f"({place}, 'A', 'total', null, null, 50.0, {ranks[0]}),"
            f"({place}, 'B', 'total', null, null, 60.0, {ranks[1]}),"
            f"({place}, 'A', 'group', 'g', 'data', {value}, null)",
            score,
        )
    effect = correction_effect(tmp_path / "before", tmp_path / "after")
    [changed] = effect["indicators"]
    assert (changed["hospital_id"], changed["numerator_before"], changed["numerator_after"]) == ("A", 1, 3)
    assert [(r["hospital_id"], r["rank_before"], r["rank_after"]) for r in effect["ranks"]] == [
        ("A", 2, 1),
        ("B", 1, 2),
    ]
