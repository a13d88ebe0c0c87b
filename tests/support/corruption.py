"""A clean hospital-month in every layout and carrier, and the ways in which a test breaks one thing in it.

Belongs here: the clean files, and functions from clean bytes to broken bytes. Does not belong here: what is expected of
each (`tests/integration/test_corruptions.py`).
"""

from __future__ import annotations

import csv
import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.support.front_page import HEADER, clean_front_page, table_csv

NAME = "hqmsts_2022M01.csv"
COLUMNS = (*HEADER, "C47")  # the official columns and the extension that the rule on ventilators reads
Table = list[list[str]]  # the header, then the rows

PLAIN, SURGICAL, DEAD, NEWBORN, TUMOUR, INJURED, TRANSFERRED, VENTILATED, MOTHER, CHILD = range(10)


def organisation(number: int) -> str:
    """A hospital of its own for each file, so that no file replaces another's month."""
    return f"12990102MB{number:07d}L"


def pages(hospital: str) -> list[dict[str, str]]:
    """Twelve discharges that no rule objects to, one for each thing that a rule looks at."""

    def page(
        serial: int, diagnosis: str, operations: Sequence[str] = (), mode: str = "1", **codes: str
    ) -> dict[str, str]:
        return clean_front_page(
            organisation=hospital,
            record=f"R{serial:05d}",
            admitted=datetime(2022, 1, 5, 8),
            discharged=datetime(2022, 1, 10 + serial, 10),
            department="0304",
            diagnosis=diagnosis,
            serial=serial,
            operations=operations,
            mode=mode,
            address="云岫省岫宁市东岫区某路1号",
            cost_fen=512_345,
            # the same people in every file would be in many hospitals at once
            **{"A20": "-", "D09": "123.45", **codes},
        )

    newborn = {"A13": "2022-01-05", "A14": "0", "A16": "0", "A18x01": "3200", "A17": "3200", "A21C": "-"}
    coma = {"C28": "0", "C29": "2", "C30": "30", "C31": "0", "C32": "0", "C33": "0", "C12C": "V04.100"}
    return [
        page(0, "I21.001"),
        page(1, "K35.900", ("47.0100",)),
        page(2, "I63.900", mode="5"),
        page(3, "P07.300", **newborn, A33C="2"),
        page(4, "C34.900", C09C="M81400/3", C11="B-0001"),
        page(5, "S06.500", **coma),
        page(6, "J18.900", mode="2", B35="某中心医院"),
        page(7, "J96.000", ("96.7201",), C47="120"),
        page(8, "N80.000", A12C="2"),
        page(9, "J18.000", A13="2012-01-05", A14="10", A21C="1", A33C="3", A38C="31"),
        page(10, "E11.900", C06x01C="I10.x00", C08x01C="1"),
        page(11, "I10.x00", D26="10.00", C26C="2", C27C="2", D23="2038.38"),
    ]


def table(hospital: str) -> Table:
    return [list(COLUMNS), *([row.get(code, "-") for code in COLUMNS] for row in pages(hospital))]


def write(rows: Table, encoding: str = "utf-8") -> bytes:
    return table_csv(rows[0], rows[1:], encoding)


@dataclass(frozen=True)
class Broken:
    """A file as a test puts it into the inbox."""

    content: bytes
    name: str = NAME
    system: str = "hqms"


# --- changes of the table


Change = Callable[[Table], Table]


def cell(row: int, column: str, text: str) -> Change:
    def change(rows: Table) -> Table:
        rows[1 + row][rows[0].index(column)] = text
        return rows

    return change


def cells(row: int, **texts: str) -> Change:
    def change(rows: Table) -> Table:
        for column, text in texts.items():
            rows = cell(row, column, text)(rows)
        return rows

    return change


def whole_column(column: str, text: Callable[[str], str]) -> Change:
    def change(rows: Table) -> Table:
        place = rows[0].index(column)
        for row in rows[1:]:
            row[place] = text(row[place])
        return rows

    return change


def swapped(row: int, one: str, other: str) -> Change:
    def change(rows: Table) -> Table:
        a, b = rows[0].index(one), rows[0].index(other)
        values = rows[1 + row]
        values[a], values[b] = values[b], values[a]
        return rows

    return change


def shifted(row: int, column: str, by: int = 1) -> Change:
    """All values from a column on move to the right (or left), as after a text that held a comma; the width stays."""

    def change(rows: Table) -> Table:
        place, values = rows[0].index(column), rows[1 + row]
        if by > 0:
            rows[1 + row] = [*values[:place], *["x"] * by, *values[place:-by]]
        else:
            rows[1 + row] = [*values[:place], *values[place - by :], *["-"] * -by]
        return rows

    return change


def header(old: str, new: str) -> Change:
    def change(rows: Table) -> Table:
        rows[0][rows[0].index(old)] = new
        return rows

    return change


def without(*columns: str) -> Change:
    def change(rows: Table) -> Table:
        kept = [n for n, name in enumerate(rows[0]) if name not in columns]
        return [[row[n] for n in kept] for row in rows]

    return change


def labels_swapped(one: str, other: str) -> Change:
    def change(rows: Table) -> Table:
        a, b = rows[0].index(one), rows[0].index(other)
        rows[0][a], rows[0][b] = other, one
        return rows

    return change


def repeated(row: int, **texts: str) -> Change:
    """The row once more at the end, with other texts in some columns."""

    def change(rows: Table) -> Table:
        rows.append(list(rows[1 + row]))
        return cells(len(rows) - 2, **texts)(rows)

    return change


# --- changes of the bytes


def line(number: int, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Change one line of a file; the header is line 1."""

    def apply(content: bytes) -> bytes:
        lines = content.split(b"\r\n")
        lines[number - 1] = change(lines[number - 1])
        return b"\r\n".join(lines)

    return apply


def field(number: int, column: str, text: bytes) -> Callable[[bytes], bytes]:
    """Write raw bytes into one field of a line, with no regard to quotes."""
    place = COLUMNS.index(column)

    def change(raw: bytes) -> bytes:
        values = raw.split(b",")
        values[place] = text
        return b",".join(values)

    return line(number, change)


# --- carriers


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2022, 2, 1, 0, 0, 0)), content, method)
    return out.getvalue()


def encrypted(archive: bytes) -> bytes:
    """The flag bit that says a password is needed, set in both of the archive's headers."""
    content = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def of_method(archive: bytes, method: int) -> bytes:
    """The archive claims a method of compression that nobody knows."""
    content = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = content.index(signature) + offset
        content[place : place + 2] = struct.pack("<H", method)
    return bytes(content)


def flipped(content: bytes, place: int) -> bytes:
    broken = bytearray(content)
    broken[place] ^= 0xFF
    return bytes(broken)


def gz(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def workbook(rows: Sequence[Sequence[object]], change: Callable[..., None] | None = None, sheets: int = 1) -> bytes:
    """An XLSX of text cells; `change(workbook, sheet)` is called before it is closed."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = [book.add_worksheet() for _ in range(sheets)][-1]
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, place, value)
                else:
                    sheet.write(number, place, value)
        if change is not None:
            change(book, sheet)
    return out.getvalue()


def dbf_parts(hospital: str) -> list[bytes]:
    """The two tables of the older interface with the same discharges."""
    from sources.synthetic.layouts import dbf_tables, p_layout

    rows = pages(hospital)
    codes = {code for row in rows for code in row} | {"B21C"}
    layout_cells = {code: [row.get(code, "-") for row in rows] for code in codes}
    for code in ("B12", "B15"):
        layout_cells[code] = [text[:19] for text in layout_cells[code]]
    return dbf_tables(p_layout(), layout_cells)


def dbf_zip(parts: Sequence[bytes], names: Sequence[str] = ("BASY_1.DBF", "BASY_2.DBF")) -> bytes:
    return zipped(dict(zip(names, parts, strict=True)))


def poke(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def dbf_field(part: bytes, record: int, name: str, text: bytes) -> bytes:
    """Write into one field of one record (counted from 0)."""
    offset, place, count = 1, 32, 0
    while part[place] != 0x0D:
        width = part[place + 16]
        if part[place : place + 11].rstrip(b"\0").decode() == name:
            start = _head(part) + record * _record(part) + offset
            return poke(part, start, text[:width].ljust(width))
        offset, place, count = offset + width, place + 32, count + 1
    raise KeyError(name)


def dbf_flag(part: bytes, record: int, flag: bytes) -> bytes:
    return poke(part, _head(part) + record * _record(part), flag)


def _head(part: bytes) -> int:
    return struct.unpack_from("<H", part, 8)[0]


def _record(part: bytes) -> int:
    return struct.unpack_from("<H", part, 10)[0]


def pinyin(hospital: str) -> Table:
    """The layout of traditional Chinese medicine hospitals, by its own writer."""
    from sources.synthetic.layouts import csv_header, csv_lines, pinyin_layout

    rows = pages(hospital)
    codes = {code for row in rows for code in row} | {"B21C"}
    found = {code: [row.get(code, "-") for row in rows] for code in codes}
    lines = [csv_header(pinyin_layout()), *csv_lines(pinyin_layout(), found)]
    return list(csv.reader(lines))
