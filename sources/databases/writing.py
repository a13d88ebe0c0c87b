"""The rows of a month as a file, in the order of their key, in bounded memory.

Belongs here: how rows are put into order.  Does not belong here: where rows come from
(:mod:`sources.databases.stream`), and what becomes of the file (:mod:`sources.databases.pull`).

The order makes the file a function of the rows, whatever order a database returns them in.  A month that fits in
memory is ordered there, several times as fast as elsewhere (docs/performance.md); a larger one goes through DuckDB,
which spills.  Which way a month goes depends on its rows alone, so equal months are equal files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sources.connectors import texts
from sources.databases.columns import Column

if TYPE_CHECKING:
    import pyarrow as pa

_HELD_BYTES = 192 << 20  # twice this while ordering, and once more of the month that is being read meanwhile
_SORT_MEMORY = "768MB"


class MonthRows:
    """What was read of a month: all of it, or its first part and the rows that are still to come."""

    def __init__(self, columns: Sequence[Column], key: Sequence[Column], batches: Iterator[pa.RecordBatch]) -> None:
        """Read until everything is there or memory would be too much."""
        self._names = [column.source for column in columns]
        first = [column.source for column in key]
        # rows with one key are put into order by all their columns
        self._order = [*first, *(name for name in self._names if name not in first)]
        self._held: list[pa.RecordBatch] = []
        self._coming = batches
        self.is_whole = False
        size = 0
        for batch in batches:
            self._held.append(batch)
            size += batch.nbytes
            if size > _HELD_BYTES:
                return
        self.is_whole = True

    def write(self, target: Path, work: Path, threads: int) -> int:
        """Write the file and say how many rows are in it."""
        return self._in_memory(target) if self.is_whole else self._through_duckdb(target, work, threads)

    def _in_memory(self, target: Path) -> int:
        import pyarrow as pa
        import pyarrow.compute as pc

        schema = pa.schema([(name, pa.string()) for name in self._names])
        table = pa.Table.from_batches(self._held, schema).combine_chunks()
        self._held.clear()
        order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in self._order])
        texts.write([table.take(order)], schema, target)
        return len(order)

    def _through_duckdb(self, target: Path, work: Path, threads: int) -> int:
        import duckdb
        import pyarrow as pa

        schema = pa.schema([(name, pa.string()) for name in self._names])
        counted = 0
        failures: list[BaseException] = []

        def rows() -> Iterator[pa.RecordBatch]:
            nonlocal counted
            try:
                for batch in chain(self._held, self._coming):
                    counted += len(batch)
                    yield batch
            except BaseException as error:
                failures.append(error)  # DuckDB would only quote its text
                raise

        with TemporaryDirectory(dir=work, prefix="pull-") as spill:
            con = duckdb.connect(config={"threads": threads, "memory_limit": _SORT_MEMORY, "temp_directory": spill})
            try:
                con.execute("set enable_progress_bar = false")
                con.register("pulled", pa.RecordBatchReader.from_batches(schema, rows()))
                order = ", ".join(f'"{name}"' for name in self._order)
                texts.write(
                    con.sql(f"select * from pulled order by {order}").to_arrow_reader(texts.GROUP_ROWS), schema, target
                )
            except duckdb.Error:
                if failures:
                    raise failures[0] from None
                raise
            finally:
                con.close()
        return counted
