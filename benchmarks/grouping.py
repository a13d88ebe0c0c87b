"""The grouping suite: DRG grouping of a whole province by a scheme as wide as the national ones.

Belongs here: its contenders and what the product promises.  Does not belong here: whether groups are right, beyond
the contenders agreeing (``tests/dbt/test_grouping.py``).

``python -m benchmarks.grouping STEP …`` runs one step in a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import REPOSITORY
from benchmarks.suite import Command, Contender, Promise, Suite, Summary
from benchmarks.warehouse import NOTHING, beside_python, build, environment

if TYPE_CHECKING:
    import duckdb

    from sources.month_files import Piece

RESULT = {
    "source_id": "varchar",
    "source_row": "bigint",
    "mdc": "varchar",
    "adrg": "varchar",
    "alternative": "bigint",
    "drg_code": "varchar",
    "complication_level": "varchar",
    "complication_code": "varchar",
    "excluded_codes": "varchar[]",
    "ungrouped_reason": "varchar",
}
START_UP, GROUPING = "dbt with nothing to do", "grouping in SQL"
TRACE, REFERENCE, IMPORT = "all traces written", "record by record in Python", "import of the scheme"
MONTHS = "files of the months put together"
_DATASET = "hqms_front_page"
_FIRST = "000000000000"  # the hospital that the reference groups
_SAMPLE = 100_000  # its records


def prepare(folder: Path, size: int) -> list[Contender]:
    """Scheme, front pages and the candidate that every run starts from."""
    package, home = folder / "package", folder / "home"
    template, candidate, target = folder / "template.duckdb", folder / "candidate.duckdb", folder / "dbt"
    _run(_step("write", package, home, size))
    _run(_import(package, home))
    _run(_step("candidate", home, template))
    known = environment(candidate)
    sample = min(size, _SAMPLE)

    def fresh() -> None:
        shutil.copy(template, candidate)

    fresh()
    _run(build(target, NOTHING), known)  # parses the project, as the nightly keeps it parsed
    return [
        Contender(START_UP, 0, build(target, NOTHING), before=fresh, environment=known),
        Contender(
            GROUPING,
            size,
            build(target, ("+int_drg_trace",)),
            before=fresh,
            check=_step("digest", candidate, "first", "all"),
            environment=known,
        ),
        Contender(
            MONTHS, size, _step("months", home), before=lambda: shutil.rmtree(home / "cache", ignore_errors=True)
        ),
        Contender(TRACE, size, _step("trace", candidate)),
        Contender(
            REFERENCE,
            sample,
            _step("reference", package, home, folder / "reference.duckdb"),
            check=_step("digest", folder / "reference.duckdb", "first"),
            environment={"PYTHONPATH": str(REPOSITORY / "tests")},
        ),
        Contender(
            IMPORT,
            0,
            _import(package, folder / "another"),
            before=lambda: shutil.rmtree(folder / "another", ignore_errors=True),
        ),
    ]


def promises(summary: Summary) -> list[Promise]:
    """What the product promises of grouping, judged on the largest size."""
    size = summary.sizes[-1]
    start_up = summary.wall(size, START_UP)
    seconds = summary.wall(size, GROUPING) - start_up
    limit = 30 * max(1, size / 10_000_000)
    peak = summary.peak(size, GROUPING) / 1024
    imported = summary.wall(size, IMPORT)
    growth = summary.growth(GROUPING)
    held = [
        Promise(
            f"{size:,} records are grouped within {limit:.0f} s",
            f"{seconds:.1f} s, after {start_up:.1f} s in which dbt starts",
            seconds <= limit,
        ),
        Promise("grouping takes at most 6 GiB", f"{peak:.1f} GiB", peak <= 6),
        Promise("a scheme of national width is imported within 60 s", f"{imported:.1f} s", imported <= 60),
    ]
    if growth is not None:
        held.append(Promise("CPU time grows no faster than the records", f"n^{growth:.2f}", growth <= 1.05))
    return held


def _step(name: str, *arguments: object) -> Command:
    return [sys.executable, "-m", "benchmarks.grouping", name, *map(str, arguments)]


def _import(package: Path, home: Path) -> Command:
    return [beside_python("zhuanke"), "scheme", "import", package, "--home", home]


def _run(command: Command, environment: dict[str, str] | None = None) -> None:
    subprocess.run(
        list(map(str, command)), env={**os.environ, **(environment or {})}, cwd=REPOSITORY, check=True, stdout=2
    )


# ------------------------------------------------------------------------------------------------ steps


def _write(package: str, home: str, size: str) -> None:
    from benchmarks import cases, wide_scheme

    wide_scheme.write(Path(package))
    cases.write(_landed(home), int(size))


def _months(home: str) -> dict[tuple[str, str], list[Piece]]:
    """What landed, month by month, and put together as a night does it."""
    from sources.month_files import Piece, assemble

    pieces: defaultdict[tuple[str, str], list[Piece]] = defaultdict(list)
    for path in sorted(_landed(home).glob("*/*.parquet")):
        piece = Piece(str(path.relative_to(home)), "", "")
        pieces[_DATASET, path.parent.name.removeprefix("month=")].append(piece)
    assemble(Path(home), pieces, threads=2, memory_limit="4GB")
    return pieces


def _candidate(home: str, database: str) -> None:
    """As landing hands it over, without its receipts: the views of an empty home, and one over the front pages."""
    import duckdb

    from sources import month_files
    from sources.candidate import prepare

    prepare(Path(home), Path(database))
    months = _months(home).items()
    files = [file for place, pieces in months for file in month_files.to_read(Path(home), *place, pieces)]
    query = month_files.query(_DATASET, files)
    with duckdb.connect(database) as con:
        con.execute(f"create or replace view landing.{_DATASET} as {query}")


def _trace(database: str) -> None:
    """The view computed and kept, by the settings of the nightly."""
    with _open(database) as con:
        con.execute("create or replace table bench_trace as select * from int_drg_trace")


def _reference(package: str, home: str, database: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from support.grouper import Case, Scheme, group

    tables = {}
    for path in Path(package).glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    scheme = Scheme.from_tables(tables)
    columns = ["source_id", "source_row", "diagnoses", "operations", "sex", "age_years", "age_days"]
    rows: dict[str, list[Any]] = {name: [] for name in RESULT}
    for path in sorted(_landed(home).glob(f"*/{_FIRST}.parquet")):
        for page in pq.read_table(path, columns=[*columns, "admission_weight_g"]).to_pylist():
            case = Case(*(page[name] for name in columns[2:]), weight_g=page["admission_weight_g"])
            result = group(scheme, case)
            for name, values in rows.items():
                values.append(page[name] if name in page else getattr(result, name))
    Path(database).unlink(missing_ok=True)
    with _open(database) as con:
        con.register("grouped", pa.table(rows))
        con.execute(f"create table int_drg_trace as select {', '.join(RESULT)} from grouped")


def _digest(database: str, *scopes: str) -> None:
    """Digests of the result, whatever the order of its rows: of the first hospital's records, or of all."""
    row = ", ".join(f"cast({name} as {kind})" for name, kind in RESULT.items())
    conditions = {"first": f"source_id = '{_FIRST}'", "all": "true"}
    digests = {}
    with _open(database) as con:
        for scope in scopes:
            query = f"select bit_xor(hash(row({row}))) from int_drg_trace where {conditions[scope]}"
            digests[scope] = str(con.execute(query).fetchall()[0][0])
    print(json.dumps(digests))


def _open(database: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(database, config={"threads": 2, "memory_limit": "4GB", "preserve_insertion_order": False})


def _landed(home: str) -> Path:
    return Path(home) / "landing" / _DATASET


SUITE = Suite(
    name="grouping",
    title="DRG grouping",
    about="""\
A scheme of 33,000 diagnoses, 13,000 procedures, 376 ADRGs, 628 DRGs and 30,000 exclusion rows groups front pages with
five diagnoses and one and a half procedures on average; both scheme and pages are invented, the popularity of codes
falls with their rank. Measured is the nightly's own command for the grouping models over the files of the months, which
a night puts together once from what each hospital landed; that is measured apart. The traces are a view, made when
somebody asks: “all traces written” is what it would cost to keep the sentence of every record. The reference is the
readable grouper of the tests, one record at a time in plain Python; it groups the first 100,000 records, and its
results are the same.""",
    sizes=(1_000_000, 3_000_000, 10_000_000),
    baseline=GROUPING,
    prepare=prepare,
    promises=promises,
    start_up={GROUPING: START_UP},
)

if __name__ == "__main__":
    steps: dict[str, Callable[..., object]] = {
        "write": _write,
        "candidate": _candidate,
        "months": _months,
        "trace": _trace,
        "reference": _reference,
        "digest": _digest,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=steps)
    parser.add_argument("arguments", nargs="*")
    chosen = parser.parse_args()
    steps[chosen.step](*chosen.arguments)
