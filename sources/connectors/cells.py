"""The cells of a table of texts: where each begins and ends in one buffer, and columns of them as Arrow arrays.

Belongs here: finding cells, and making texts of those that somebody asks for.  Does not belong here: containers and
encodings (:mod:`sources.connectors.carrier`, :mod:`sources.connectors.text`), and what a column means.

An interface has hundreds of columns, most of them empty in most records.  Making every cell a value before anything
looks at it costs ten times as much as all that follows, so a record is only measured: one pass finds the separators,
and the cells that are asked for become 16-byte Arrow views into the buffer, short texts inside the view.  Separator,
line feed and quote are never part of a longer character in UTF-8, GBK or GB18030, so only cells that are asked for
and hold more than ASCII are decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.int64]

_LONGEST_RECORD = 16 << 20
_LONG_CELL = 1 << 12  # so long a cell is not looked through word by word
_FEED, _BLANK, _DASH, _SEPARATOR = b"\n -,"
COMMA = b"\x1e"  # in place of a comma inside a cell
_WIDE_BLANK = "\u3000"
_BLANKS = " " + _WIDE_BLANK
ABSENT = -2  # in place of a cell that the file does not have
# what stands around a block: a view is read from four bytes before its cell, sixteen at once
_BEFORE, _AFTER = b"\0\0\0\n", b"\0" * 12
_INLINE = 12  # bytes of a text that a view holds itself
_VIEW_MASK = np.array([[0xFF] * (4 + n) + [0] * (_INLINE - n) for n in range(_INLINE + 1)], np.uint8).view("<u8")
_HIGH_TEXT, _HIGH_WORD = np.uint64(0x80808080 << 32), np.uint64(0x8080808080808080)  # of a text that a view holds
_HIGH_BITS = np.array([[0x80] * n + [0] * (8 - n) for n in range(9)], np.uint8).view("<u8").ravel()


@dataclass(frozen=True)
class Cells:
    """Records of one file, in its order.

    ``ends`` are places in ``buffer``: cell ``c`` of record ``r`` stands between number ``first[r] + c * step`` and the
    next one, ``gap`` bytes behind the former.  ``line`` is the record's line in the file.  ``unread`` are lines that
    are no record: (line, reason).
    """

    buffer: bytes
    encoding: str
    ends: Numbers
    gap: int
    first: Numbers
    step: int
    line: Numbers
    unread: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def none(cls) -> Cells:
        """No record at all."""
        nothing = np.empty(0, np.int64)
        return cls(_BEFORE + _AFTER, "utf-8", nothing, 0, nothing, 0, nothing)

    @cached_property
    def _bytes(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.buffer, np.uint8)

    def empty(self, at: Numbers) -> NDArray[np.bool_]:
        """Which cells hold nothing, or the interface's dash for nothing; an absent cell is empty."""
        empty: NDArray[np.bool_] = self._is_empty(*self.places(at)) | (at == ABSENT)
        return empty

    def filled(self, at: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Which cells hold something: their positions in ``at``, and their start and length."""
        start, length = self.places(at)
        position = np.flatnonzero(~self._is_empty(start, length) & (at != ABSENT))
        return position, start.take(position), length.take(position)

    def places(self, at: Numbers) -> tuple[Numbers, Numbers]:
        """Start and length of cells without the blanks around them."""
        start, stop = self.ends.take(at) + self.gap, self.ends.take(at + 1)
        padded = (self._bytes.take(start) == _BLANK) | (self._bytes.take(stop - 1) == _BLANK)
        odd = np.nonzero(padded & (start < stop) & (stop - start <= _LONG_CELL))
        if len(odd[0]):
            start[odd], stop[odd] = self._stripped(start[odd], stop[odd])
        return start, stop - start

    def _stripped(self, start: Numbers, stop: Numbers) -> tuple[Numbers, Numbers]:
        while (blank := (start < stop) & (self._bytes.take(start) == _BLANK)).any():
            start = start + blank
        while (blank := (start < stop) & (self._bytes.take(stop - 1) == _BLANK)).any():
            stop = stop - blank
        return start, stop

    def _is_empty(self, start: Numbers, length: Numbers) -> NDArray[np.bool_]:
        empty: NDArray[np.bool_] = (length == 0) | ((length == 1) & (self._bytes.take(start) == _DASH))
        return empty


def of_lines(block: bytes, encoding: str, width: int, lines_before: int) -> tuple[Cells, int]:
    """Cells of whole lines, and how many lines they are; line 1, the header, gives none.

    Empty lines do not count, as no reader of CSV counts them.
    """
    buffer = b"".join((_BEFORE, block, _AFTER))
    text = np.frombuffer(buffer, np.uint8, len(_BEFORE) + len(block))
    is_feed = text == _FEED
    feeds = np.flatnonzero(is_feed)
    ends = np.flatnonzero(is_feed | (text == _SEPARATOR))
    last = ends.searchsorted(feeds)
    size = np.diff(feeds) - 1
    number = lines_before + np.cumsum(size > 0)
    reason = np.full(len(size), "ragged_row", "<U12")
    reason[_undecodable(block, encoding)] = "bad_encoding"
    row = (size > 0) & (number > 1)
    record = row & (np.diff(last) == width) & (size <= _LONGEST_RECORD) & (reason != "bad_encoding")
    lost = np.flatnonzero(row & ~record)
    unread = list(zip(number[lost].tolist(), reason[lost].tolist(), strict=True))
    buffer = buffer.replace(COMMA, b",")
    cells = Cells(buffer, encoding, ends, 1, last[:-1][record], 1, number[record], unread)
    return cells, int(np.count_nonzero(size))


def of_arrow(batch: pa.RecordBatch, lines_before: int) -> Cells:
    """Cells of a table whose columns are Arrow strings; NULL is an empty cell."""
    import pyarrow.compute as pc

    rows = batch.num_rows
    buffers, ends, end = [_BEFORE], [], len(_BEFORE)
    for column in batch.columns:
        filled = pc.fill_null(column, "")
        _, offsets, data = filled.buffers()
        ends.append(np.frombuffer(offsets, np.int32)[filled.offset :][: rows + 1].astype(np.int64) + end)
        if data is not None:
            buffers.append(data.to_pybytes())
            end += data.size
    line = np.arange(rows) + lines_before + 1
    return Cells(b"".join([*buffers, _AFTER]), "utf-8", np.concatenate(ends), 0, np.arange(rows), rows + 1, line)


def _undecodable(block: bytes, encoding: str) -> list[int]:
    """Lines, from 0, that hold bytes which are no character of the encoding, or a zero byte."""
    if b"\0" not in block:
        if block.isascii():
            return []
        if encoding == "utf-8":
            kept = block
        else:
            # characters beyond ASCII are all that can be wrong: their bytes, and what follows a high byte
            high = np.frombuffer(block, np.uint8) >= 0x80
            behind = high.copy()
            behind[1:] |= high[:-1]
            kept = np.frombuffer(block, np.uint8)[behind].tobytes()
        if decodes(kept, encoding):
            return []
    lines = block.split(b"\n")[:-1]
    return [n for n, line in enumerate(lines) if b"\0" in line or not decodes(line, encoding)]


def decodes(text: bytes, encoding: str) -> bool:
    """Whether bytes are text in an encoding."""
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class Slots:
    """A repeated group of columns, which becomes parallel lists of its filled slots.

    ``code`` is the column of each slot that says whether it is filled; ``texts`` and ``presence`` give for each list
    the columns of its slots, -1 where the file has none.  A list of ``presence`` says of each slot whether there is a
    text.  With ``principal`` the first slot stays, as NULL, where it is empty and another is filled.
    """

    code: Sequence[int]
    texts: Mapping[str, Sequence[int]]
    presence: Mapping[str, Sequence[int]]
    principal: bool


def record_batch(
    cells: Cells, columns: Mapping[str, int], groups: Sequence[Slots], constants: Mapping[str, int]
) -> pa.RecordBatch:
    """``constants``, ``source_row``, columns as texts (NULL where empty or ``-``), lists of the filled slots."""
    import pyarrow as pa

    count = len(cells.first)
    # not pa.array: given anything of numpy's, it imports pandas
    arrays = {name: _integers(np.full(count, value, np.int32)) for name, value in constants.items()}
    arrays["source_row"] = _integers(cells.line.astype(np.int32))
    picks = {name: cells.first + cells.step * column for name, column in columns.items()}
    bounds: dict[str, pa.Array] = {}
    for group in groups:
        offsets, of_slot = _filled(cells, group)
        bounds |= dict.fromkeys([*group.texts, *group.presence], offsets)
        picks |= {name: of_slot(slots) for name, slots in group.texts.items()}
        for name, slots in group.presence.items():
            at = of_slot(slots)
            bits = pa.py_buffer(np.packbits(~cells.empty(at), bitorder="little"))
            arrays[name] = pa.Array.from_buffers(pa.bool_(), len(at), [None, bits])
    arrays |= dict(zip(picks, _texts(cells, list(picks.values())), strict=True))
    arrays |= {name: pa.ListArray.from_arrays(offsets, arrays[name]) for name, offsets in bounds.items()}
    return pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))


def text_table(header: Sequence[str], blocks: Iterable[Cells]) -> pa.Table:
    """A small file as a whole: every column of the header as cleaned texts."""
    import pyarrow as pa

    columns = {name: place for place, name in enumerate(header) if name}
    batches = [record_batch(cells, columns, [], {}) for cells in (Cells.none(), *blocks)]
    return pa.Table.from_batches(batches).select(list(columns))


def _filled(cells: Cells, group: Slots) -> tuple[pa.Array, Callable[[Sequence[int]], Numbers]]:
    """Bounds of a group's lists, record by record, and from columns of the slots to cells of the filled slots."""
    empty = cells.empty(cells.first[:, None] + cells.step * np.array(group.code, np.int64))
    kept = ~empty
    if group.principal:
        kept[:, 0] |= kept.any(axis=1)
    record, slot = np.nonzero(kept)
    offsets = np.zeros(len(kept) + 1, np.int32)
    np.cumsum(np.count_nonzero(kept, axis=1), out=offsets[1:])
    first, blank = cells.first.take(record), empty[record, slot]

    def of_slot(columns: Sequence[int]) -> Numbers:
        column = np.array(columns, np.int64).take(slot)
        return np.where((column < 0) | blank, ABSENT, first + cells.step * column)

    return _integers(offsets), of_slot


def fixed_texts(texts: Sequence[str | None], length: int) -> pa.Array:
    """ASCII texts that are all of one length, or NULL."""
    import pyarrow as pa

    known = np.fromiter((text is not None for text in texts), bool, len(texts))
    bounds = np.zeros(len(texts) + 1, np.int32)
    np.cumsum(known * length, out=bounds[1:])
    data = "".join([text for text in texts if text is not None]).encode("ascii")
    valid = np.packbits(known, bitorder="little")
    return pa.Array.from_buffers(pa.string(), len(texts), [pa.py_buffer(part) for part in (valid, bounds, data)])


def _integers(numbers: NDArray[np.int32]) -> pa.Array:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int32(), len(numbers), [None, pa.py_buffer(numbers)])


def _texts(cells: Cells, picks: Sequence[Numbers]) -> Iterator[pa.Array]:
    """An array of texts for each selection of cells."""
    import pyarrow as pa

    at = np.concatenate(picks)
    filled, start, length = cells.filled(at)
    found = _views(cells.buffer, start, length)
    wide = _beyond_ascii(cells.buffer, start, length, found)
    lines, begin, size = _in_utf8(cells, start[wide], length[wide])
    found[wide] = _views(lines, begin, size, number=1)
    null = np.ones(len(at), bool)
    null[filled[found[:, 0].astype(np.uint32) > 0]] = False  # the length is the lower half
    views = np.zeros((len(at), 2), np.uint64)
    views[filled] = found
    data = [pa.py_buffer(cells.buffer), pa.py_buffer(lines)]
    end = 0
    for pick in picks:
        part = slice(end, end := end + len(pick))
        valid = pa.py_buffer(np.packbits(~null[part], bitorder="little"))
        yield pa.Array.from_buffers(pa.string_view(), len(pick), [valid, pa.py_buffer(views[part]), *data])


def _in_utf8(cells: Cells, start: Numbers, length: Numbers) -> tuple[bytes, Numbers, Numbers]:
    """Cells beyond ASCII as UTF-8: a buffer that holds them, and where."""
    spans = zip(start.tolist(), (start + length).tolist(), strict=True)
    text = b"\n".join([cells.buffer[begin:end] for begin, end in spans]).decode(cells.encoding)
    if _WIDE_BLANK in text:
        stripped = (line.strip(_BLANKS) for line in text.split("\n"))
        text = "\n".join("" if line == "-" else line for line in stripped)
    lines = b"".join((_BEFORE, text.encode(), b"\n", _AFTER))
    feeds = np.flatnonzero(np.frombuffer(lines, np.uint8, len(lines) - len(_AFTER)) == _FEED)[: len(start) + 1]
    return lines, feeds[:-1] + 1, np.diff(feeds) - 1


def _beyond_ascii(buffer: bytes, start: Numbers, length: Numbers, views: NDArray[np.uint64]) -> Numbers:
    """Which cells hold a byte that is not ASCII, by their views and then eight bytes at a time.

    The longest are not asked.
    """
    if buffer.isascii():
        return np.empty(0, np.int64)
    words = np.ndarray(len(buffer) - 7, "<u8", buffer, strides=(1,))
    wide = length > _LONG_CELL
    short = length <= _INLINE
    wide |= short & (((views[:, 0] & _HIGH_TEXT) | (views[:, 1] & _HIGH_WORD)) != 0)
    at, done = np.flatnonzero(~(short | wide)), 0
    while len(at):
        left = length[at] - done
        wide[at] = (words[start[at] + done] & _HIGH_BITS.take(np.minimum(left, 8))) != 0
        at = at[(left > 8) & ~wide[at]]
        done += 8
    return np.flatnonzero(wide)


def _views(buffer: bytes, start: Numbers, length: Numbers, *, number: int = 0) -> NDArray[np.uint64]:
    """Arrow's views: the length, then twelve bytes: the text, or four of it, its buffer and place."""
    sixteen = np.ndarray(len(buffer) - 15, "V16", buffer, strides=(1,))
    views = sixteen[start - 4].view("<u8").reshape(-1, 2)
    views &= _VIEW_MASK.take(np.minimum(length, _INLINE), axis=0)
    parts = views.view("<u4")
    parts[:, 0] = length
    outside = np.flatnonzero(length > _INLINE)
    parts[outside, 2] = number
    parts[outside, 3] = start[outside]
    return views
