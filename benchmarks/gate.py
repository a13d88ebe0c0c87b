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

from benchmarks import province
from benchmarks.measure import REPOSITORY
from benchmarks.suite import Command, Contender, Promise, Suite, Summary
from benchmarks.warehouse import NOTHING, QUALITY, build, environment

START_UP, RULES, VERDICT = "dbt with nothing to do", "all rules counted", "verdict over the marts"
INDICATORS = "all indicators"


def prepare(folder: Path, size: int) -> list[Contender]:
    """A province of this size with everything built; each contender computes its part of it anew."""
    home, target = folder / "home", folder / "dbt"
    template, candidate, marts = folder / "template.duckdb", folder / "candidate.duckdb", folder / "marts"
    known = environment(candidate)

    def run(command: Command) -> None:
        subprocess.run(
            list(map(str, command)), env={**os.environ, **known}, cwd=REPOSITORY, check=True, stdout=sys.stderr
        )

    run(province.step("write", home, size))
    run(province.step("candidate", home, candidate))
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
        contender(RULES, size, build(target, QUALITY), "fct_dq_result"),
        contender(INDICATORS, size, build(target, ("+fct_indicator",), exclude=QUALITY), "fct_indicator"),
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
        "export": _export,
        "judge": _judge,
        "digest": _digest,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=steps)
    parser.add_argument("arguments", nargs="*")
    chosen = parser.parse_args()
    steps[chosen.step](*chosen.arguments)
