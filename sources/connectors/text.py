"""Character encodings: which one a CSV is in, and its rewriting as UTF-8.

DuckDB reads UTF-8 only (its own GB18030 reading loses rows with four-byte characters, which rare surnames have), so
files are transcoded line by line first: line feed, carriage return and quote are never part of a longer character in
UTF-8, GBK or GB18030.  On the way each record is put on one line, because a quote that is opened and never closed would
swallow all rows behind it without a word.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sources.connectors.problems import FileRefused

_SAMPLE = 256 << 10
_CHUNK = 4 << 20
_SEPARATORS = b"\x1e\x1f"  # control characters that landing uses between list elements; no text may hold them
_LONGEST_LINE = 64 << 20  # without a line feed in so many bytes it is not a table
_LONGEST_FIELD = 128 << 10  # characters
_FIELD_LINES = 20  # a quoted field may go over so many lines
_UNCLOSED = b"unclosed quote"
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
        bad = sum(not _decodes(line, encoding) for line in lines)
        if bad <= max(_TOLERATED * len(lines), 1 if len(lines) > 10 else 0):
            return encoding
    raise FileRefused(
        "unknown_encoding", "文件既不是 UTF-8 也不是 GBK/GB18030，无法识别字符编码。请导出为 UTF-8 或 GB18030。"
    )


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


_ONE_LINE = str.maketrans({"\r": " ", "\n": " ", "\0": None, "\x1e": None, "\x1f": None})


def one_line(text: str) -> str:
    """A cell of a carrier without lines as :func:`transcode` would leave it: no line breaks, no control characters."""
    return text.translate(_ONE_LINE)


def transcode(stream: BinaryIO, target: Path) -> tuple[str, list[int]]:
    """Write ``stream`` as UTF-8, one record a line; returns the encoding and the lines that do not decode.

    An undecodable line, or one with a zero byte, is written with replacement characters so that line numbers stay
    true; landing puts it into quarantine.  Memory is bounded by the chunk size, whatever the file's size.
    """
    sample = stream.read(_SAMPLE)
    if not sample.strip():
        raise FileRefused("empty_file", "文件为空，没有表头也没有数据。请重新导出。")
    encoding = detect_encoding(sample)
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    bad_lines: list[int] = []
    line = 0
    with target.open("wb") as out:
        for block in _records(stream, sample.removeprefix(codecs.BOM_UTF8)):
            try:
                if b"\0" in block:
                    raise ValueError
                text = block.decode(codec)
            except ValueError:  # of which UnicodeDecodeError is one
                text, bad = _decode_line_by_line(block, codec, line)
                bad_lines += bad
            out.write(text.encode().translate(None, _SEPARATORS))
            line += block.count(b"\n")
    if len(bad_lines) > max(_TOLERATED * line, 1):
        raise FileRefused(
            "unknown_encoding",
            f"按 {encoding} 解码有 {len(bad_lines)} 行失败，疑似编码混用。请整份以 UTF-8 或 GB18030 重新导出。",
        )
    return encoding, bad_lines


def _whole_lines(stream: BinaryIO, first: bytes) -> Iterator[bytes]:
    rest = first
    while chunk := stream.read(_CHUNK):
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
        rest = rest[cut:] + chunk
        if len(rest) > _LONGEST_LINE:
            raise FileRefused("unreadable_rows", "文件中有一行超过 64 MB，不是按行的表格。请重新导出为 CSV。")
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def _records(stream: BinaryIO, first: bytes) -> Iterator[bytes]:
    """Blocks of whole records, each on one line that ends with a line feed."""
    width = len(fields(first.split(b"\n", 1)[0].decode("latin-1")))
    held: list[bytes] = []  # lines whose quotes may still close in the next block
    for block in _whole_lines(stream, first):
        lines = block.replace(b"\r\n", b"\n").replace(b"\r", b" ").split(b"\n")[:-1]
        if b"" in lines:  # DuckDB passes over empty lines without counting them
            lines = [line for line in lines if line]
        if held or b'"' in block:
            lines, held = _close_quotes(held + lines, width, at_end=False)
        if lines:
            yield b"\n".join([*lines, b""])
    if held:
        lines, _ = _close_quotes(held, width, at_end=True)
        yield b"\n".join([*lines, b""])


def _close_quotes(lines: list[bytes], width: int, *, at_end: bool) -> tuple[list[bytes], list[bytes]]:
    """Join the lines of a quoted field that goes over several; returns whole records, and lines to hold back.

    A line whose quote does not close within a few lines, to a record as wide as the header, stands alone: it becomes
    a line too narrow to be read, and the lines behind it are records of their own.
    """
    done: list[bytes] = []
    at = 0
    while at < len(lines):
        if lines[at].count(b'"') % 2 == 0 or _is_record(lines[at], width):
            done.append(lines[at])
            at += 1
            continue
        closing = next((n for n in range(at + 1, min(at + _FIELD_LINES, len(lines))) if lines[n].count(b'"') % 2), None)
        if closing is None and not at_end and at + _FIELD_LINES > len(lines):
            return done, lines[at:]
        record = b" ".join(lines[at : (closing or at) + 1])
        if closing is not None and _is_record(record, width):
            done.append(record)
            at = closing + 1
        else:
            done.append(_UNCLOSED)
            at += 1
    return done, []


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


def _decode_line_by_line(block: bytes, codec: str, before: int) -> tuple[str, list[int]]:
    texts, bad = [], []
    for number, line in enumerate(block.split(b"\n")[:-1], before + 1):
        if b"\0" in line or not _decodes(line, codec):
            bad.append(number)
        texts.append(line.replace(b"\0", b"").decode(codec, "replace"))
    return "\n".join([*texts, ""]), bad
