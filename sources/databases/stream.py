"""The rows of a query as Arrow batches of clean texts, in bounded memory, whatever the database.

Belongs here: the two routes out of a database, and what a database value is as text.  Does not belong here: which
rows, and where they go (:mod:`sources.databases.pull`).

PostgreSQL and what speaks its protocol hand over their own text form through COPY, which Arrow reads; that is several
times as fast as rows of Python objects (docs/performance.md).  Every other database goes through a cursor on the
server.  Both routes end in the same texts: ISO dates without a zone, numbers without exponents, nothing for an empty
cell.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from sources.connectors.text import one_line
from sources.databases.columns import Column

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn

_ROWS = 10_000
_BLOCKS_AHEAD = 4
# MySQL's zero dates are what it keeps where there is no date
_MISSING = frozenset({"", "-", "0000-00-00", "0000-00-00 00:00:00"})


class _Wanted(Protocol):
    """What a stream must know of its source."""

    @property
    def columns(self) -> Sequence[Column]: ...
    @property
    def zone(self) -> ZoneInfo: ...
    @property
    def gbk_in_latin1(self) -> bool: ...


def batches(
    connection: sa.Connection, relation: sa.FromClause, condition: sa.ColumnElement[bool], wanted: _Wanted
) -> Iterator[pa.RecordBatch]:
    """The selected rows in any order; every column is text and has the contract's name."""
    route = _copied if connection.dialect.name == "postgresql" else _fetched
    return route(connection, relation, condition, wanted)


# ------------------------------------------------------------------------------------------------ PostgreSQL

# types whose own text form landing would misread
_CASTS = {"timestamptz": "timestamp", "bool": "integer", "bpchar": "text"}


def _copied(
    connection: sa.Connection, relation: sa.FromClause, condition: sa.ColumnElement[bool], wanted: _Wanted
) -> Iterator[pa.RecordBatch]:
    from sqlalchemy.dialects import postgresql

    query = sa.select(*map(_postgres_text, wanted.columns)).select_from(relation).where(condition)
    # a named style of parameters: the others double every percent sign
    plain = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    text = query.compile(dialect=plain, compile_kwargs={"literal_binds": True})
    driver = connection.connection.driver_connection
    assert driver is not None
    with (
        driver.cursor() as cursor,
        cursor.copy(f"copy ({text}) to stdout (format csv)"),
        ThreadPoolExecutor(1, "parse") as parser,
    ):
        parsing: deque[Future[list[pa.RecordBatch]]] = deque()
        for block in _blocks(driver):
            # the next rows are received while these are parsed
            parsing.append(parser.submit(_parsed, block, wanted))
            if len(parsing) == _BLOCKS_AHEAD:
                yield from parsing.popleft().result()
        for last in parsing:
            yield from last.result()


def _blocks(connection: psycopg.Connection) -> Iterator[bytes]:
    """What COPY sends, some thousand rows at once.

    psycopg's own iterator enters and leaves its waiting for every row, which costs as much as receiving it.
    """
    more = True
    while more:
        rows, more = connection.wait(_received(connection.pgconn))
        if rows:
            yield b"".join(rows)


def _received(gate: PGconn) -> PQGen[tuple[list[memoryview], bool]]:
    """The next rows, and whether there may be more; waits as :meth:`psycopg.Connection.wait` wants it."""
    from psycopg import errors, generators, pq

    rows: list[memoryview] = []
    while len(rows) < _ROWS:
        length, row = gate.get_copy_data(1)
        if length > 0:
            rows.append(row)
        elif length == 0:
            while not (yield generators.WAIT_R):
                pass
            gate.consume_input()
        else:
            for result in (yield from generators.fetch_many(gate)):
                if result.status != pq.ExecStatus.COMMAND_OK:
                    raise errors.error_from_result(result)
            return rows, False
    return rows, True


def _parsed(block: bytes, wanted: _Wanted) -> list[pa.RecordBatch]:
    """Rows of the CSV that COPY sends as columns of clean text."""
    import pyarrow as pa
    from pyarrow import csv

    names = [column.source for column in wanted.columns]
    table = csv.read_csv(
        pa.BufferReader(block),
        # one block is one piece of work: nothing looks for the end of a row, and no thread for something to do
        read_options=csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=sorted(_MISSING),
            strings_can_be_null=True,
        ),
    )
    return [_clean(batch, wanted.gbk_in_latin1) for batch in table.to_batches()]


def _postgres_text(column: Column) -> sa.ColumnElement[Any]:
    plain: sa.ColumnElement[Any] = quoted(column.name)
    cast = _CASTS.get(column.kind)
    return sa.cast(plain, {"timestamp": sa.TIMESTAMP, "integer": sa.Integer, "text": sa.Text}[cast]) if cast else plain


# ------------------------------------------------------------------------------------------------ every other


def _fetched(
    connection: sa.Connection, relation: sa.FromClause, condition: sa.ColumnElement[bool], wanted: _Wanted
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    names = [column.source for column in wanted.columns]
    query = sa.select(*(quoted(column.name) for column in wanted.columns)).select_from(relation).where(condition)
    result = connection.execution_options(stream_results=True, max_row_buffer=_ROWS).execute(query)
    schema = pa.schema([(name, pa.string()) for name in names])
    for rows in result.partitions(_ROWS):
        values = zip(wanted.columns, zip(*rows, strict=True), strict=True)
        texts = [_texts(_bits(cells) if column.kind == "BIT" else cells, wanted.zone) for column, cells in values]
        batch = pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in texts], schema=schema)
        yield _clean(batch, wanted.gbk_in_latin1)


def _bits(values: Sequence[Any]) -> list[int | None]:
    """MySQL's BIT, which is how it keeps truth values, arrives as bytes."""
    return [int.from_bytes(value, "big") if isinstance(value, bytes) else value for value in values]


def _texts(values: Sequence[Any], zone: ZoneInfo) -> list[str | None]:
    kinds = {type(value) for value in values}
    if kinds <= {str, type(None)}:  # most columns are text or nothing
        return [None if value is None or value in _MISSING else value for value in values]
    return [_text(value, zone) for value in values]


def _text(value: Any, zone: ZoneInfo) -> str | None:
    """A value as the file of the same source would hold it; None where that has nothing."""
    match value:
        case None:
            text = ""
        case str():
            text = value
        case bool():
            text = str(int(value))
        case datetime():
            if value.tzinfo is not None:
                value = value.astimezone(zone).replace(tzinfo=None)
            text = value.isoformat(sep=" ")
            text = text.rstrip("0") if value.microsecond else text
        case date():
            text = value.isoformat()
        case Decimal() | float():
            exact = Decimal(repr(value)) if isinstance(value, float) else value
            text = format(exact, "f") if exact.is_finite() else str(exact)
            if isinstance(value, float):
                text = text.removesuffix(".0")
        case bytes() | bytearray() | memoryview():
            text = _decoded(bytes(value))
        case _:
            text = str(value)
    return None if text in _MISSING else text


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("gb18030", "replace")


# ------------------------------------------------------------------------------------------------ both


def quoted(name: str) -> sa.ColumnClause[Any]:
    """A column by exactly this name, in whatever case the database keeps it."""
    return sa.column(sa.sql.quoted_name(name, quote=True))


def _clean(batch: pa.RecordBatch, gbk_in_latin1: bool) -> pa.RecordBatch:
    """No line breaks, no control characters, no blanks of padding; usually nothing is to be done."""
    import pyarrow as pa

    def cleaned(column: pa.Array) -> pa.Array:
        if not gbk_in_latin1 and not _needs_care(column):
            return column
        texts = (None if text is None else _careful(text, gbk_in_latin1) for text in column.to_pylist())
        return pa.array(texts, pa.string())

    return pa.RecordBatch.from_arrays([cleaned(column) for column in batch.columns], schema=batch.schema)


def _needs_care(column: pa.Array) -> bool:
    """Whether any text of a column holds a control character or ends with a blank, found without a look at each."""
    import numpy as np

    _, offsets, data = column.buffers()
    if data is None or not len(column):
        return False
    places = np.frombuffer(offsets, np.int32, len(column) + 1, column.offset * 4)
    content = np.frombuffer(data, np.uint8)[places[0] : places[-1]]
    if not content.size:
        return False
    if content.min() < ord(" "):
        return True
    ends = places[1:][places[1:] > places[:-1]] - places[0] - 1
    return bool((content[ends] == ord(" ")).any())


def _careful(text: str, gbk_in_latin1: bool) -> str | None:
    if gbk_in_latin1 and not text.isascii():
        text = _regained(text)
    text = one_line(text).rstrip(" ")
    return None if text in _MISSING else text


def _regained(text: str) -> str:
    """GBK bytes that a database took for Latin 1; a text that was right is not of that form and stays."""
    try:
        # what MySQL calls latin1 is Windows-1252, with five bytes that have no character there kept as they are
        raw = b"".join(c.encode("latin-1") if ord(c) < 0x100 else c.encode("cp1252") for c in text)
        return raw.decode("gb18030")
    except UnicodeError:
        return text
