"""CSV: which encoding it is in, and its cells, block by block.

Line feed, carriage return and quote are never part of a longer character in UTF-8, GBK or GB18030, so lines and cells
are found in the bytes as they came (DuckDB's own GB18030 reading loses rows with four-byte characters, which rare
surnames have).  Each record is put on one line first, because a quote that is opened and never closed would swallow
all rows behind it without a word.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO

from sources.connectors.cells import COMMA, Cells, decodes, of_lines
from sources.connectors.problems import FileRefused

_CHUNK = 2 << 20  # small enough that what is known of its cells stays in the processor's cache
_COMMA_TEXT = COMMA.decode("latin-1")
_NO_TEXT = b"\r\x1f" + COMMA  # no text holds them
_LONGEST_LINE = 64 << 20  # without a line feed in so many bytes it is not a table
_LONGEST_FIELD = 128 << 10  # characters
_FIELD_LINES = 20  # a quoted field may go over so many lines
_UNREADABLE = b"unreadable"  # a record of one cell, too narrow for any table
_TOLERATED = 0.01  # share of undecodable lines above which the encoding itself is in doubt


def detect_encoding(sample: bytes) -> str:
    """``utf-8-sig``, ``utf-8``, ``gb18030`` from the first bytes; raises FileRefused(unknown_encoding).

    Strict UTF-8 is tried first: Chinese text in GBK is practically never valid UTF-8, while the reverse happens.
    """
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    wide = sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if wide or sample.count(b"\0") > _TOLERATED * len(sample):
        raise FileRefused(
            "unknown_encoding", "文件是 UTF-16 或含二进制内容，无法识别。请导出为 UTF-8 或 GB18030 的 CSV。"
        )
    lines = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    if not lines:
        return "utf-8"
    for encoding in ("utf-8", "gb18030"):
        bad = sum(not decodes(line, encoding) for line in lines)
        if bad <= max(_TOLERATED * len(lines), 1 if len(lines) > 10 else 0):
            return encoding
    raise FileRefused(
        "unknown_encoding", "文件既不是 UTF-8 也不是 GBK/GB18030，无法识别字符编码。请导出为 UTF-8 或 GB18030。"
    )


_ONE_LINE = str.maketrans({"\n": " ", "\0": None} | dict.fromkeys(_NO_TEXT.decode()))


def one_line(text: str) -> str:
    """A cell of a carrier without lines as :func:`read_cells` would leave it: no line breaks, no control characters."""
    return text.translate(_ONE_LINE)


def read_cells(stream: BinaryIO, encoding: str, width: int) -> Iterator[Cells]:
    """The cells of a CSV behind its header, block by block; raises FileRefused.

    Lines that do not decode or are not as wide as the header are named in ``unread``.  Memory is bounded by the
    block size, whatever the file's size.
    """
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    lines = undecodable = 0
    for block in _records(stream, width):
        cells, more = of_lines(block, codec, width, lines)
        lines += more
        undecodable += sum(reason == "bad_encoding" for _, reason in cells.unread)
        yield cells
    if undecodable > max(_TOLERATED * lines, 1):
        raise FileRefused(
            "unknown_encoding",
            f"按 {encoding} 解码有 {undecodable} 行失败，疑似编码混用。请整份以 UTF-8 或 GB18030 重新导出。",
        )


def _records(stream: BinaryIO, width: int) -> Iterator[bytes]:
    """Blocks of whole records, each on one line that ends with a line feed, without quotes.

    A comma inside a cell is `COMMA`.
    """
    held = b""  # lines whose quotes may still close in the next block
    for received in _whole_lines(stream):
        block = received.replace(b"\r\n", b"\n")
        if any(byte in block for byte in _NO_TEXT):
            block = block.translate(None, _NO_TEXT)
        records, held = _close_quotes(held + block, width, at_end=False)
        yield records
    if held:
        yield _close_quotes(held, width, at_end=True)[0]


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    rest = stream.read(len(codecs.BOM_UTF8)).removeprefix(codecs.BOM_UTF8)
    while chunk := stream.read(_CHUNK):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
            rest = b""
        rest += chunk[cut:]
        if len(rest) > _LONGEST_LINE:
            raise FileRefused("unreadable_rows", "文件中有一行超过 64 MB，不是按行的表格。请重新导出为 CSV。")
    if rest:
        yield rest + b"\n"


def _unquote(line: bytes) -> bytes:
    try:
        cells = next(csv.reader([line.decode("latin-1")], strict=True))
    except csv.Error:
        return _UNREADABLE
    return ",".join([cell.replace(",", _COMMA_TEXT) if "," in cell else cell for cell in cells]).encode("latin-1")


def _close_quotes(block: bytes, width: int, *, at_end: bool) -> tuple[bytes, bytes]:
    """Join the lines of a quoted field that goes over several; returns whole records, and lines to hold back.

    A line whose quote does not close within a few lines, to a record as wide as the header, stands alone: it becomes
    a line too narrow to be read, and the lines behind it are records of their own.  Most lines have no quote and are
    not looked at one by one.
    """
    done: list[bytes] = []
    at = 0
    while (quote := block.find(b'"', at)) >= 0:
        start = block.rfind(b"\n", at, quote) + 1 or at
        done.append(block[at:start])
        record, at = _line(block, start)
        if record.count(b'"') % 2 and not _is_record(record, width):
            closed, behind, lines = _closing(block, record, at)
            if closed is None and lines < _FIELD_LINES and not at_end:
                return b"".join(done), block[start:]
            if closed is not None and _is_record(closed, width):
                record, at = closed, behind
            else:
                record = _UNREADABLE
        done += (_unquote(record), b"\n")
    return b"".join([*done, block[at:]]), b""


def _line(block: bytes, start: int) -> tuple[bytes, int]:
    """The line that begins at a place, and where the next one begins."""
    feed = block.index(b"\n", start)
    return block[start:feed], feed + 1


def _closing(block: bytes, line: bytes, at: int) -> tuple[bytes | None, int, int]:
    """A line and those behind it up to the next odd number of quotes, as one; where it ends; how many were looked at.

    None where no such line is near.
    """
    lines = [line]
    while len(lines) < _FIELD_LINES and at < len(block):
        line, at = _line(block, at)
        lines.append(line)
        if line.count(b'"') % 2:
            return b" ".join(lines), at, len(lines)
    return None, at, len(lines)


def _is_record(line: bytes, width: int) -> bool:
    """Whether a line holds a whole record: one more field after it must not fall into an open quote."""
    return len(fields(line.decode("latin-1") + ",")) == width + 1


def fields(record: str) -> list[str]:
    """The fields of one record; none where a field is too long to be one.

    Python's reader has such a limit too, but any library in the process may have moved it.
    """
    try:
        found = next(csv.reader([record]), [])
    except csv.Error:
        return []
    return found if len(record) <= _LONGEST_FIELD or max(map(len, found)) <= _LONGEST_FIELD else []
