"""Character encodings: which one a CSV is in, and its rewriting as UTF-8.

DuckDB reads UTF-8 only (its own GB18030 reading loses rows with four-byte characters, which rare surnames have), so
other files are transcoded line by line first: 0x0A is never part of a longer character in UTF-8, GBK or GB18030.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sources.connectors.problems import FileRefused

_SAMPLE = 256 << 10
_CHUNK = 4 << 20
_SEPARATORS = b"\x1e\x1f"  # control characters that landing uses between list elements; no text may hold them
_TOLERATED = 0.01  # share of undecodable lines above which the encoding itself is in doubt


def detect_encoding(sample: bytes) -> str:
    """``utf-8-sig``, ``utf-8``, ``gb18030`` from the first megabytes; raises FileRefused(unknown_encoding).

    Strict UTF-8 is tried first: Chinese text in GBK is practically never valid UTF-8, while the reverse happens.
    """
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in sample:
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


def transcode(stream: BinaryIO, target: Path) -> tuple[str, list[int]]:
    """Write ``stream`` as UTF-8 to ``target``; returns the encoding and the numbers of lines that do not decode.

    An undecodable line is written with replacement characters so that line numbers stay true; landing puts it into
    quarantine.  Memory is bounded by the chunk size, whatever the file's size.
    """
    sample = stream.read(_SAMPLE)
    if not sample.strip():
        raise FileRefused("empty_file", "文件为空，没有表头也没有数据。请重新导出。")
    encoding = detect_encoding(sample)
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    bad_lines: list[int] = []
    line = 0
    with target.open("wb") as out:
        for block in _whole_lines(stream, sample.removeprefix(codecs.BOM_UTF8)):
            try:
                text = block.decode(codec)
            except UnicodeDecodeError:
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
    while True:
        chunk = stream.read(_CHUNK)
        if not chunk:
            break
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
        rest = rest[cut:] + chunk
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


def _decode_line_by_line(block: bytes, codec: str, before: int) -> tuple[str, list[int]]:
    texts, bad = [], []
    for number, line in enumerate(block.split(b"\n")[:-1], before + 1):
        try:
            texts.append(line.decode(codec))
        except UnicodeDecodeError:
            bad.append(number)
            texts.append(line.decode(codec, "replace"))
    return "\n".join([*texts, ""]), bad
