"""Parquet of texts: a table whose cells are already what a cleaned CSV would hold, written by a database pull.

Belongs here: the mark by which such a file is known, reading its header, writing it.  Does not belong here: how a
database's values become texts (:mod:`sources.databases`).

In such a file a missing value is NULL and no text holds a line break or a control character, so landing takes the
cells as they are.  Parquet from elsewhere has no such promise and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sources.connectors.cells import Cells, of_arrow
from sources.connectors.problems import FileRefused

if TYPE_CHECKING:
    import pyarrow as pa

_MARK = "zhuanke_texts"
_ROWS = 4_096
GROUP_ROWS = 48 * 2_048  # whole vectors of DuckDB, which hands over no others


def header(path: Path) -> list[str]:
    """The column names; raises FileRefused for a damaged file, and for Parquet that no pull wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileRefused("broken_archive", "Parquet 文件损坏或不完整。请删除后重新拉取。") from error
    if _MARK.encode() not in (schema.metadata or {}):
        raise FileRefused(
            "unsupported_carrier", "此 Parquet 文件不是由 zhuanke 从数据库拉取的。请提交 csv、csv.gz、zip 或 xlsx。"
        )
    return list(schema.names)


def read_cells(path: Path) -> Iterator[Cells]:
    """The cells of the file, block by block; its first row counts as line 2."""
    import pyarrow.parquet as pq

    lines = 1
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS):
            yield of_arrow(batch, lines)
            lines += batch.num_rows


def write(batches: Iterable[pa.Table | pa.RecordBatch], schema: pa.Schema, target: Path) -> None:
    """Write rows whose cells are clean texts, in their order, readable by their owner alone.

    Without dictionaries and statistics, which cost more than everything else and serve nobody who reads all rows once.
    """
    import pyarrow.parquet as pq

    marked = schema.with_metadata({_MARK: "1"})
    target.touch(mode=0o600)
    with pq.ParquetWriter(target, marked, compression="zstd", use_dictionary=False, write_statistics=False) as writer:
        for batch in batches:
            writer.write(batch.cast(marked), row_group_size=GROUP_ROWS)
