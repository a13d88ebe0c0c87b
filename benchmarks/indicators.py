"""The indicators suite: all indicators of a province, against what somebody would write by hand for some of them.

Belongs here: its contenders and what the product promises.  Does not belong here: the rivals' own code
(:mod:`benchmarks.rivals`), and whether the numbers are right beyond all agreeing (``tests/dbt``, ``tests/backtests``).

``python -m benchmarks.indicators STEP …`` runs one step in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import province
from benchmarks.measure import REPOSITORY
from benchmarks.rivals import duck, frames, postgres, tables
from benchmarks.suite import Command, Contender, Promise, Suite, Summary
from benchmarks.warehouse import NOTHING, QUALITY, build, environment

START_UP, OURS, BY_HAND = "dbt with nothing to do", "all indicators", "one DuckDB query by hand"
FLOOR, POLARS, POSTGRES, PANDAS = "scan and one aggregate", "Polars", "PostgreSQL", "pandas"
_MOST_OF_PANDAS = 1_000_000  # it holds every column of every table at once
_FROM = 3_000_000  # discharges from which the product is cheaper than any rival, its start-up included


def prepare(folder: Path, size: int) -> list[Contender]:
    """A province of this size as landing hands it over, and the long tables of the rivals."""
    home, target, long = folder / "home", folder / "dbt", folder / "long"
    template, candidate, answer = folder / "template.duckdb", folder / "candidate.duckdb", folder / "answer"
    known = environment(candidate)

    def run(command: Command) -> None:
        subprocess.run(
            list(map(str, command)), env={**os.environ, **known}, cwd=REPOSITORY, check=True, stdout=sys.stderr
        )

    run(province.step("write", home, size))
    run(province.step("candidate", home, candidate))
    run(build(target, ("+int_quality_note",)))  # what the indicators say of the gate, which is not measured here
    run(_step("tables", home, candidate, long))
    run(_step("load", long, folder / "postgres"))
    candidate.rename(template)

    def dbt(name: str, records: int, command: Command, check: Command | None = None) -> Contender:
        return Contender(
            name, records, command, before=lambda: shutil.copy(template, candidate), check=check, environment=known
        )

    def rival(name: str, step: str, start: Path) -> Contender:
        return Contender(
            name,
            size,
            _step(step, start, answer),
            before=lambda: answer.unlink(missing_ok=True),
            check=_step("digest", answer),
        )

    contenders = [
        dbt(START_UP, 0, build(target, NOTHING)),
        dbt(OURS, size, build(target, ("+fct_indicator",), exclude=QUALITY), _step("published", candidate)),
        rival(BY_HAND, "by_hand", long),
        Contender(FLOOR, size, _step("floor", home)),
        rival(POLARS, "polars", long),
        rival(POSTGRES, "postgres", folder / "postgres"),
    ]
    return [*contenders, rival(PANDAS, "pandas", long)] if size <= _MOST_OF_PANDAS else contenders


def promises(summary: Summary) -> list[Promise]:
    """What the product promises of the indicators, judged on the largest size."""
    size = summary.sizes[-1]
    whole = summary.cpu(size, OURS)
    ours = whole - summary.cpu(size, START_UP)
    held = []
    for name, limit in ((BY_HAND, 1.0), (FLOOR, 2.5)):
        ratio = ours / summary.cpu(size, name)
        held.append(
            Promise(
                f"all indicators of {size:,} discharges cost at most {limit} times “{name}”, dbt's start-up apart",
                f"{ratio:.2f}",
                ratio <= limit,
            )
        )
    for large in (each for each in summary.sizes if each >= _FROM):
        for name in (POLARS, POSTGRES):
            theirs = summary.cpu(large, name)
            held.append(
                Promise(
                    f"all indicators of {large:,} discharges cost less than with {name}, start-up included",
                    f"{summary.cpu(large, OURS):.1f} s against {theirs:.1f} s of CPU",
                    summary.cpu(large, OURS) < theirs,
                )
            )
    return held


def _step(name: str, *arguments: object) -> Command:
    return [sys.executable, "-m", "benchmarks.indicators", name, *map(str, arguments)]


# ------------------------------------------------------------------------------------------------ steps

_WHOLE = ", ".join(
    f"cast(cast({name} as decimal(38, 8)) * {100_000_000 if name in tables.FRACTIONS else 1} as bigint) as {name}"
    for name in tables.MEASURES
)
_PUBLISHED = f"""
    select hospital_id, specialty_code, window_id, {_WHOLE}
    from int_measure_row
    where attribution = 'department' and hospital_id <> 'REGION' and specialty_code <> 'ALL' and length(window_id) = 4
"""


def _published(database: Path) -> None:
    _print_digest(_PUBLISHED, database)


def _digest(answer: Path) -> None:
    with answer.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    _print_digest(f"from read_parquet('{answer}')" if is_parquet else f"from read_csv('{answer}', all_varchar = true)")


def _print_digest(query: str, database: Path | str = ":memory:") -> None:
    """Of the measures of every hospital, specialty and year, whatever the order of rows and the types of columns."""
    import duckdb

    row = ", ".join(
        [f"cast({name} as varchar)" for name in tables.KEYS] + [f"cast({name} as bigint)" for name in tables.MEASURES]
    )
    with duckdb.connect(str(database), read_only=database != ":memory:") as con:
        count, digest = con.execute(f"select count(*), bit_xor(hash(row({row}))) from ({query})").fetchall()[0]
    print(json.dumps({"measures": f"{count} rows, {digest}"}))


_STEPS: dict[str, Callable[..., None]] = {
    "tables": tables.write,
    "load": postgres.load,
    "by_hand": duck.run,
    "floor": duck.floor,
    "polars": frames.run_polars,
    "pandas": frames.run_pandas,
    "postgres": postgres.run,
    "published": _published,
    "digest": _digest,
}

SUITE = Suite(
    name="indicators",
    title="Indicators",
    about="""\
An invented province of a hundred hospitals with its dirt, landed; its pages are copied as the stays of other patients,
with other times and fees, until there are enough. Measured is the nightly's own command for `fct_indicator` and all
that it is made of, quality left out, over views of landed Parquet. The rivals start from long tables of header,
diagnoses, operations and DRG results, written beforehand as Parquet with text codes, or loaded beforehand into
PostgreSQL, whose server starts and stops within the measured time. They hand over twenty-five measures of every
hospital, specialty by department, and calendar year: discharges, deaths, stays, residence, surgery by the catalogue
valid on the day of discharge, complications, grouped cases, weights, cost and time consumption, low-risk deaths. All
have to hand over what the product publishes, to its eighth decimal.

The product computes far more in the measured time: all other measures, among them single diseases, beds, patient flows
and the operation spectrum; both attributions, the levels above and the three-year windows; every indicator with
benchmark, status and reason. “Scan and one aggregate” reads what the product reads of front pages and of DRG results
and adds each up once, by the keys of its cells: whatever computes them costs more. pandas runs up to a million
discharges, for it holds every table in memory. chDB is not among them: installed,
it takes more than half a gigabyte.""",
    sizes=(300_000, 1_000_000, 10_000_000),
    baseline=BY_HAND,
    prepare=prepare,
    promises=promises,
    start_up={OURS: START_UP},
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=_STEPS)
    parser.add_argument("arguments", nargs="*", type=Path)
    chosen = parser.parse_args()
    _STEPS[chosen.step](*chosen.arguments)
