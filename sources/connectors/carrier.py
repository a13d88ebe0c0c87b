"""One door for all carriers: ``open_carrier`` looks at a file, ``Carrier.cells`` reads it."""

from __future__ import annotations

import codecs
import csv
import errno
import gzip
import io
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sources.connectors import texts
from sources.connectors.cells import Cells
from sources.connectors.problems import FileRefused
from sources.connectors.text import detect_encoding, fields, one_line, read_cells

_HEADER_BYTES = 256 << 10
# RuntimeError: zipfile's way of saying encrypted, or packed by a method that it does not know
_ARCHIVE_ERRORS = (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, RuntimeError, struct.error)
# texts of hospitals shrink to a tenth or a fiftieth; what grows a thousandfold was made to fill a disk
_MOST_EXPANSION = 400
_EXPANSION_ALLOWED = 64 << 20


@dataclass(frozen=True)
class Carrier:
    """A recognised file: its header (trimmed, in file order), what it came in, and its cells, read anew each time."""

    header: list[str]
    kind: str
    encoding: str
    cells: Callable[[], Iterator[Cells]]


def open_carrier(path: Path) -> Carrier:
    """Recognise container and header without reading the whole file; raises FileRefused."""
    suffix = path.suffix.lower()
    with _archive_errors():
        if suffix in (".csv", ".txt"):
            return _csv_carrier("csv", lambda: path.open("rb"))
        if suffix == ".gz":
            return _csv_carrier("csv.gz", lambda: _gzip_stream(path))
        if suffix == ".zip":
            return _zip_carrier(path)
        if suffix == ".xlsx":
            return _xlsx_carrier(path)
        if suffix == ".parquet":
            return Carrier(_clean_header(texts.header(path)), "parquet", "utf-8", lambda: texts.read_cells(path))
    raise FileRefused(
        "unsupported_carrier", f"不支持的文件类型 {suffix or '（无扩展名）'}。请提交 csv、csv.gz、zip 或 xlsx。"
    )


@contextmanager
def _archive_errors() -> Iterator[None]:
    """Whatever a damaged archive makes its reader raise is a refusal; a failing disk is not."""
    try:
        yield
    except _ARCHIVE_ERRORS as error:
        raise _broken_archive() from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a seek to before the beginning
            raise
        raise _broken_archive() from error


def _broken_archive() -> FileRefused:
    return FileRefused("broken_archive", "压缩包损坏、不完整或加了密码。请重新上传未加密的完整文件。")


def _refuse_bomb(packed: int, unpacked: int) -> None:
    if unpacked > max(_EXPANSION_ALLOWED, _MOST_EXPANSION * packed):
        raise FileRefused(
            "broken_archive",
            f"压缩包解开后膨胀到 {_MOST_EXPANSION} 倍以上，不像数据文件，已停止读取。请核对文件后重新上传。",
        )


class _GzipStream(gzip.GzipFile):
    """A gzip file says only by being read how large it is."""

    packed = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        _refuse_bomb(self.packed, self.tell())
        return piece


def _gzip_stream(path: Path) -> _GzipStream:
    stream = _GzipStream(path)
    stream.packed = path.stat().st_size
    return stream


def _csv_carrier(kind: str, opener: Callable[[], Any]) -> Carrier:
    with opener() as stream:
        first = stream.read(_HEADER_BYTES)
    if not first.removeprefix(codecs.BOM_UTF8).strip():
        raise FileRefused("empty_file", "文件为空，没有表头也没有数据。请重新导出。")
    encoding = detect_encoding(first)
    line = first.partition(b"\n")[0].decode("utf-8" if encoding == "utf-8-sig" else encoding, "replace")
    header = _clean_header(fields(line.lstrip("\ufeff").rstrip("\r")))

    def cells() -> Iterator[Cells]:
        with _archive_errors(), opener() as stream:
            yield from read_cells(stream, encoding, len(header))

    return Carrier(header, kind, encoding, cells)


def _clean_header(names: Iterable[object]) -> list[str]:
    header = ["" if name is None else str(name).strip() for name in names]
    seen = [name.upper() for name in header if name]
    twice = sorted({name for name in seen if seen.count(name) > 1}) if len(set(seen)) < len(seen) else []
    if twice:
        raise FileRefused("duplicate_columns", f"表头有重复的列：{'、'.join(twice[:5])}。请删去重复列。")
    return header


def _zip_carrier(path: Path) -> Carrier:
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX")]
        for member in members:
            _refuse_bomb(member.compress_size, member.file_size)  # zipfile reads no further than the declared size
    csv_members = [m for m in members if m.filename.lower().endswith((".csv", ".txt"))]
    dbf_members = sorted((m for m in members if m.filename.lower().endswith(".dbf")), key=lambda m: m.filename)
    if len(csv_members) == 1 and not dbf_members:

        @contextmanager
        def opener() -> Any:
            with zipfile.ZipFile(path) as archive, archive.open(csv_members[0]) as stream:
                yield stream

        return _csv_carrier("csv.zip", opener)
    if len(dbf_members) in (1, 2) and not csv_members:
        return _dbf_carrier(path, [m.filename for m in dbf_members])
    raise FileRefused(
        "unsupported_carrier",
        f"压缩包内有 {len(csv_members)} 个 CSV、{len(dbf_members)} 个 DBF；应为一个 CSV，或按接口拆成的两个 DBF。",
    )


def _dbf_carrier(path: Path, members: list[str]) -> Carrier:
    """Two DBF parts, written side by side because a DBF holds at most 255 fields; the second repeats key columns."""

    @contextmanager
    def tables() -> Any:
        # dbfread wants a real file; the parts are small (one hospital, one month)
        from dbfread import DBF

        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
            opened = []
            for position, member in enumerate(members):
                part = Path(folder) / f"{position}.dbf"
                part.write_bytes(archive.read(member))
                try:
                    table = DBF(str(part), encoding="gb18030", raw=True, ignore_missing_memofile=True)
                except Exception as error:
                    raise FileRefused("broken_archive", "DBF 文件头无法读取，文件不完整。请重新导出。") from error
                _refuse_lying(part.read_bytes(), table.header)
                opened.append(table)
            yield opened

    with tables() as parts:
        names = [[str(n).strip() for n in part.field_names] for part in parts]
    repeated = {n.upper() for n in names[0]} & {n.upper() for n in names[1]} if len(names) == 2 else set()
    header = names[0] + [n for n in (names[1] if len(names) == 2 else []) if n.upper() not in repeated]

    def records() -> Iterator[list[str]]:
        """The bytes as they are, one to a character: reading the cells decodes them."""
        with tables() as parts:
            for number, rows in enumerate(zip_longest(*parts), 1):
                if any(row is None for row in rows):
                    raise FileRefused("parts_mismatch", "两个 DBF 的记录数不同，无法并接。请重新导出整月数据。")
                for name in repeated:
                    if len({_raw(row, name) for row in rows}) > 1:
                        raise FileRefused(
                            "parts_mismatch",
                            f"两个 DBF 第 {number} 条记录的 {name} 不一致，顺序已错。请重新导出整月数据。",
                        )
                kept = [
                    raw
                    for position, row in enumerate(rows)
                    for name, raw in row.items()
                    if not (position and name.upper() in repeated)
                ]
                yield [one_line(raw.decode("latin-1")).strip(" ") for raw in kept]

    return _rows_carrier(_clean_header(header), "dbf.zip", "gb18030", records)


def _rows_carrier(header: list[str], kind: str, encoding: str, rows: Callable[[], Iterable[list[str]]]) -> Carrier:
    """A file that has no lines is read as the CSV that it might have been; such files are small."""

    def cells() -> Iterator[Cells]:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows([["-"] * len(header), *rows()])
        # the bytes of a DBF stand in for characters until here
        content = out.getvalue().encode("latin-1" if kind == "dbf.zip" else "utf-8")
        yield from read_cells(io.BytesIO(content), encoding, len(header))

    return Carrier(header, kind, encoding, cells)


def _refuse_lying(content: bytes, header: Any) -> None:
    """dbfread reads on to the end of the file, or to what looks like it, whatever the header declares."""
    declared, width = header.numrecords, max(header.recordlen, 1)
    records = content[header.headerlen :]
    held = len(records.rstrip(b"\x1a\0")) / width
    marks = records[: declared * width : width]
    if len(records) < declared * width or held > declared or marks.strip(b" *"):
        raise FileRefused(
            "broken_archive",
            f"DBF 文件头声明 {declared} 条记录，与文件实际内容不符（约 {held:.0f} 条），文件已损坏。请重新导出。",
        )


def _raw(row: dict[str, bytes], name: str) -> bytes:
    return next(value for key, value in row.items() if key.upper() == name).strip(b" \0")


def _xlsx_carrier(path: Path) -> Carrier:
    from python_calamine import CalamineError, CalamineWorkbook, ZipError

    from sources import dossier

    with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            _refuse_bomb(member.compress_size, member.file_size)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        if dossier.is_dossier(workbook):
            header, rows = dossier.dossier_to_rows(path)
            return _rows_carrier(header, "dossier.xlsx", "utf-8", lambda: rows)
        table = workbook.get_sheet_by_index(0).to_python(skip_empty_area=True)
    except (CalamineError, ZipError, OSError) as error:
        raise FileRefused(
            "bad_workbook", "Excel 工作簿无法打开，文件损坏或不是 xlsx。请另存为 xlsx 后重新提交。"
        ) from error
    if not table:
        raise FileRefused("empty_file", "工作簿第一张表为空，没有表头也没有数据。")
    header = _clean_header(table[0])
    rows = [[one_line(_cell_text(value)) for value in row] for row in table[1:] if any(value != "" for value in row)]
    return _rows_carrier(header, "xlsx", "utf-8", lambda: rows)


def _cell_text(value: object) -> str:
    """A cell as the text a CSV would hold: whole numbers without a point, dates in ISO form."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return "" if value is None else str(value).strip()


def month_in_name(pattern: str | None, name: str) -> str | None:
    """``YYYY-MM`` from a file name by the contract's pattern, None where the name does not say."""
    match = re.search(pattern, name) if pattern else None
    return f"{match['year']}-{int(match['month']):02d}" if match else None
