"""The gate suite: every rule counted over a whole province, against one computation of the indicators.

Belongs here: its contenders and what the product promises.  Does not belong here: whether the counts are right
(``tests/unit/test_synthetic_landing.py``, ``tests/unit/test_expectations_gate.py``).

``python -m benchmarks.gate STEP …`` runs one step in a process of its own.
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

from benchmarks.measure import REPOSITORY
from benchmarks.suite import Command, Contender, Promise, Suite, Summary
from benchmarks.warehouse import NOTHING, build, environment

START_UP, RULES, VERDICT = "dbt with nothing to do", "all rules counted", "verdict over the marts"
INDICATORS = "all indicators"
_QUALITY = ("path:models/intermediate/quality", "path:models/marts/quality", "fct_dq_result")
_HOSPITALS = 100  # of a large province, whatever the number of discharges
_FEWEST = 72  # discharges of a hospital in its thirty-six months: a trial run has fewer hospitals
_DRAWN = 100_000  # discharges that are drawn and landed; more are copies of them
_COPIED = ("hqms_front_page", "drg_result", "single_disease_report")
# How a copy differs, by its number: the stay of somebody else in the same hospital, month and file, some seconds later
# and some fen dearer. Neither day nor minute changes, so what a rule finds in a page, it finds in the copies too.
_SOMEBODY_ELSE = "'{number:04d}' || substr({column}, 5)"
_LATER = "{column} + to_seconds({number} % 60)"
_DIFFERENT = {
    "source_row": "{column} + {number} * 1000000",
    **dict.fromkeys(("patient_id", "person_id", "report_id"), _SOMEBODY_ELSE),
    **dict.fromkeys(("admission_time", "discharge_time"), _LATER),
    "total_fee_fen": "if({column} > 0 and {column} % 10000 <> 0, {column} + {number} % 90, {column})",
}


def prepare(folder: Path, size: int) -> list[Contender]:
    """A province of this size with everything built; each contender computes its part of it anew."""
    home, target = folder / "home", folder / "dbt"
    template, candidate, marts = folder / "template.duckdb", folder / "candidate.duckdb", folder / "marts"
    known = environment(candidate)

    def run(command: Command) -> None:
        subprocess.run(
            list(map(str, command)), env={**os.environ, **known}, cwd=REPOSITORY, check=True, stdout=sys.stderr
        )

    run(_step("write", home, size))
    run(_step("candidate", home, candidate))
    run(build(target, ("*",)))
    run(_step("export", candidate, target, marts))
    candidate.rename(template)

    def contender(name: str, records: int, command: Command, mart: str) -> Contender:
        return Contender(
            name,
            records,
            command,
            before=lambda: shutil.copy(template, candidate),
            check=_step("digest", candidate, mart) if mart else None,
            environment=known,
        )

    return [
        contender(START_UP, 0, build(target, NOTHING), ""),
        contender(RULES, size, build(target, _QUALITY), "fct_dq_result"),
        contender(INDICATORS, size, build(target, ("+fct_indicator",), exclude=_QUALITY), "fct_indicator"),
        Contender(VERDICT, 0, _step("judge", marts)),
    ]


def promises(summary: Summary) -> list[Promise]:
    """What the product promises of the gate, judged on the largest size."""
    size = summary.sizes[-1]
    start_up = summary.cpu(size, START_UP)
    judged = summary.cpu(size, RULES) - start_up + summary.cpu(size, VERDICT)
    computed = summary.cpu(size, INDICATORS) - start_up
    peak = max(summary.peak(size, RULES), summary.peak(size, VERDICT)) / 1024
    return [
        Promise(
            f"{size:,} discharges are judged in at most twice the time of the indicators",
            f"{judged:.1f} s against {computed:.1f} s of CPU",
            judged <= 2 * computed,
        ),
        Promise("the gate takes at most 8 GiB", f"{peak:.1f} GiB", peak <= 8),
    ]


def _step(name: str, *arguments: object) -> Command:
    return [sys.executable, "-m", "benchmarks.gate", name, *map(str, arguments)]


# ------------------------------------------------------------------------------------------------ steps


def _write(home: str, size: str) -> None:
    """A province with its dirt, landed, and copies of what landed until there are so many discharges."""
    import duckdb

    from sources import intake, landing
    from sources.synthetic import write_province

    folder = Path(home)
    hospitals = min(_HOSPITALS, int(size) // _FEWEST)
    write_province(folder, hospitals=hospitals, months=36, discharges=min(_DRAWN, int(size)), broken_files=False)
    intake.record(folder, intake.scan(folder))
    for dataset in landing.DATASETS:
        landing.land(folder, dataset, key=bytes(range(32)), workers=2)
    with duckdb.connect(config={"threads": 2}) as con:
        for dataset in _COPIED:
            target = folder / "copies" / dataset
            target.mkdir(parents=True)
            source = f"read_parquet('{folder}/landing/{dataset}/*/*.parquet', hive_partitioning = false)"
            con.execute(f"create table landed as from {source}")
            columns = [row[0] for row in con.execute("describe landed").fetchall()]
            for number in range(max(1, int(size) // _DRAWN)):
                changed = [
                    f"{change.format(column=column, number=number)} as {column}"
                    for column, change in _DIFFERENT.items()
                    if column in columns
                ]
                con.execute(
                    f"copy (select * replace ({', '.join(changed)}) from landed) "
                    f"to '{target}/{number:04d}.parquet' (format parquet, compression zstd)"
                )
            con.execute("drop table landed")


def _candidate(home: str, database: str) -> None:
    """As landing hands it over, with the copies in the place of what landed."""
    import duckdb

    from sources.candidate import prepare as prepare_candidate
    from sources.expressions import landed_types

    prepare_candidate(Path(home), Path(database))
    with duckdb.connect(database) as con:
        for dataset in _COPIED:
            con.execute(
                f"create or replace view landing.{dataset} as select {', '.join(landed_types(dataset))} "
                f"from read_parquet('{home}/copies/{dataset}/*.parquet', hive_partitioning = false)"
            )


def _export(database: str, target: str, marts: str) -> None:
    from publishing.export import export_marts, mart_specs

    export_marts(Path(database), Path(marts), mart_specs(Path(target) / "manifest.json"))


def _judge(marts: str) -> None:
    from expectations.runner import judge

    judge(Path(marts))


def _digest(database: str, mart: str) -> None:
    import duckdb

    with duckdb.connect(database, read_only=True) as con:
        count, digest = con.execute(f"select count(*), bit_xor(hash({mart})) from {mart}").fetchall()[0]
    print(json.dumps({mart: f"{count} rows, {digest}"}))


SUITE = Suite(
    name="gate",
    title="Quality gate",
    about="""\
Every rule over every discharge: an invented province of a hundred hospitals with its dirt, whose pages are copied as
the stays of other patients, with other times and fees, until there are enough. Measured are the nightly's own command
for the models of quality, over the views of landed Parquet and what the indicators have left, and the verdict of Great
Expectations over the exported marts; the indicators are the nightly's own command for `fct_indicator` and all that it
is made of, quality left out.""",
    sizes=(300_000, 1_000_000, 10_000_000),
    baseline=INDICATORS,
    prepare=prepare,
    promises=promises,
    start_up={RULES: START_UP, INDICATORS: START_UP},
)

if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {
        "write": _write,
        "candidate": _candidate,
        "export": _export,
        "judge": _judge,
        "digest": _digest,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=steps)
    parser.add_argument("arguments", nargs="*")
    chosen = parser.parse_args()
    steps[chosen.step](*chosen.arguments)
