"""Searches a folder for identity values, in whatever form a file may carry them.

Values are searched as bytes (UTF-8, GB18030, UTF-16 and as JSON escapes them) in every file, and again in the decoded
text of containers that compress or encode: Parquet, DuckDB, SQLite, zip, gzip, workbooks. The search compares 8 bytes
at a time as integers (numpy), looks the hits up in a table and then compares the whole value: exact, and its speed
hardly depends on the number of values.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import sqlite3
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ENCODINGS = ("utf-8", "gb18030", "utf-16-le")
CHUNK = 1 << 22
WINDOW = 8
FILTER_BITS = 24
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Leak:
    """An identity value met in a file. The value itself is the test's own invention."""

    path: str
    value: str


class Scanner:
    """Finds any of many values. ASCII values count only as whole words: `1234` is not in `a12345f`."""

    def __init__(self, values: Iterable[str]) -> None:
        # the end of a value tells more than its beginning: addresses of one town begin alike
        by_width: dict[int, dict[int, list[tuple[bytes, str]]]] = defaultdict(lambda: defaultdict(list))
        for value in {value.strip() for value in values}:
            for form in _forms(value):
                width = min(WINDOW, len(form))
                by_width[width][int.from_bytes(form[-width:], "big")].append((form, value))
        self.tables = {
            width: (_filter(table), np.array(sorted(table), np.uint64), dict(table))
            for width, table in by_width.items()
        }

    def find(self, data: bytes) -> set[str]:
        """The values that occur in the data."""
        found: set[str] = set()
        for start in range(0, len(data), CHUNK):
            # windows that end in this piece; they may begin in the one before
            found |= self._find(data, max(start - WINDOW, 0), start + CHUNK)
        return found

    def _find(self, data: bytes, start: int, end: int) -> set[str]:
        octets = np.frombuffer(data[start:end], np.uint8).astype(np.uint64)
        windows = octets
        found: set[str] = set()
        for width in range(1, min(WINDOW, len(octets)) + 1):
            if width > 1:
                windows = (windows[:-1] << np.uint64(8)) | octets[width - 1 :]
            if width not in self.tables:
                continue
            possible, keys, values = self.tables[width]
            positions = np.nonzero(possible[_slot(windows)])[0]
            hits = windows[positions]
            positions = positions[keys[np.minimum(np.searchsorted(keys, hits), len(keys) - 1)] == hits]
            for position in positions.tolist():
                for form, value in values[int(windows[position])]:
                    if value not in found and _is_there(data, start + position + width - len(form), form, value):
                        found.add(value)
        return found

    def scan(self, folder: Path, *, skip: Iterable[str] = ()) -> list[Leak]:
        """Every (file, value) under the folder; `skip` names first path parts that are left out."""
        left_out = set(skip)
        leaks = []
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_symlink() or not path.is_file() or name.parts[0] in left_out:
                continue
            for text in (name.as_posix().encode(), *contents(path)):
                leaks += [Leak(name.as_posix(), value) for value in sorted(self.find(text))]
        return leaks


def _forms(value: str) -> set[bytes]:
    """The bytes as which a value may be written. Fewer than 6 would also turn up in compressed data by chance."""
    if value.isascii():
        return {value.encode(), value.encode("utf-16-le")} if len(value) >= 4 else set()
    forms = {value.encode(encoding) for encoding in ENCODINGS} | {json.dumps(value)[1:-1].encode()}
    return {form for form in forms if len(form) >= 6}


def _slot(windows: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return (windows * MULTIPLIER) >> np.uint64(64 - FILTER_BITS)


def _filter(keys: Iterable[int]) -> np.ndarray:
    possible = np.zeros(1 << FILTER_BITS, bool)
    possible[_slot(np.array(list(keys), np.uint64))] = True
    return possible


def _is_there(data: bytes, position: int, form: bytes, value: str) -> bool:
    end = position + len(form)
    if position < 0 or data[position:end] != form:
        return False
    if not value.isascii():
        return True
    return not (data[max(position - 1, 0) : position].isalnum() or data[end : end + 1].isalnum())


def contents(path: Path) -> Iterator[bytes]:
    """The file as it lies there and, for a container, everything in it as text."""
    raw = path.read_bytes()
    yield raw
    with contextlib.suppress(zipfile.BadZipFile):  # a torn archive has nothing more to show than its bytes
        yield from _unpacked(path, raw)


def _unpacked(path: Path, raw: bytes) -> Iterator[bytes]:
    if raw.startswith(b"PAR1"):
        yield from _parquet(path)
    elif raw[8:12] == b"DUCK":
        yield from _duckdb(path)
    elif raw.startswith(b"SQLite format 3"):
        yield from _sqlite(path)
    elif raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            yield from (archive.read(member) for member in archive.namelist())
    elif raw.startswith(b"\x1f\x8b"):
        yield gzip.decompress(raw)


def _parquet(path: Path) -> Iterator[bytes]:
    import duckdb

    with duckdb.connect() as connection:
        yield from _relation(connection, f"read_parquet('{path}')")


def _duckdb(path: Path) -> Iterator[bytes]:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
        for schema, table in tables:
            yield from _relation(connection, f'"{schema}"."{table}"')


def _relation(connection, relation: str) -> Iterator[bytes]:
    """Every column's distinct values as text: also lists, dates and numbers show what they carry."""
    columns = connection.execute(f"describe select * from {relation}").fetchall()
    for name, kind, *_ in columns:
        if kind in ("BOOLEAN", "FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
            continue
        text = connection.execute(
            f'select string_agg(v, chr(10)) from (select distinct "{name}"::varchar as v from {relation})'
        ).fetchone()[0]
        yield (text or "").encode()


def _sqlite(path: Path) -> Iterator[bytes]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            rows = connection.execute(f'select * from "{table}"')
            yield "\n".join(str(value) for row in rows for value in row if value is not None).encode()
