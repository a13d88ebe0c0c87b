"""Reads an inbox back and lists every value that identifies a person.

Belongs here: a reader of the front page carriers that knows nothing of landing, so that a privacy test
can search for what it finds. Does not belong here: any judgement of the data.
"""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from sources.synthetic import layouts
from sources.synthetic.cells import MISSING, operation_columns

IDENTITY_ITEMS = {
    "record_number": ["A48"],
    "name": ["A11", "A32"],
    "identity_number": ["A20"],
    "telephone": ["A27", "A30", "A35"],
    "address": ["A24", "A26", "A29", "A34"],
    "health_card": ["A47"],
    "pathology_number": ["C11"],
    "staff_name": [
        *("B22", "B23", "B24", "B25", "B26", "B29", "B31", "B32"),
        *(
            operation_columns(slot)[part]
            for slot in range(41)
            for part in ("surgeon", "first_assistant", "second_assistant", "anaesthetist")
        ),
    ],
}


def _kinds() -> dict[str, str]:
    """Column name in any dialect -> kind of identity value."""
    by_item = {item: kind for kind, items in IDENTITY_ITEMS.items() for item in items}
    every = [
        layouts.abcd_layout(extended=True, shuffle_seed=None),
        layouts.pinyin_layout(),
        layouts.p_layout(),
    ]
    return {
        column.name: by_item[column.item] for layout in every for column in layout.columns if column.item in by_item
    }


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _dbf_rows(data: bytes) -> Iterator[dict[str, str]]:
    from dbfread import DBF

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.dbf"
        file.write_bytes(data)
        for record in DBF(str(file), encoding="gbk"):
            yield {name: "" if value is None else str(value) for name, value in record.items()}


def front_page_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a front page file as column -> text; the second DBF of a pair comes as rows of its own."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".dbf"):
                    yield from _dbf_rows(archive.read(name))
                else:
                    yield from csv.DictReader(io.StringIO(_decode(archive.read(name)), newline=""))
        return
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    yield from csv.DictReader(io.StringIO(_decode(data), newline=""))


def identity_values(target: Path) -> dict[str, set[str]]:
    """Names, numbers, telephones, addresses and record numbers in the front pages below `target/inbox`."""
    kinds = _kinds()
    values: dict[str, set[str]] = {kind: set() for kind in IDENTITY_ITEMS}
    for path in sorted((target / "inbox" / "hqms").rglob("*")):
        if not path.is_file():
            continue
        try:
            for row in front_page_rows(path):
                for column, text in row.items():
                    if column in kinds and isinstance(text, str) and text.strip() not in ("", MISSING):
                        values[kinds[column]].add(text.strip())
        except zipfile.BadZipFile:
            continue  # nothing can be read from a broken archive
    return values
