"""``python -m benchmarks``: measure the suites, keep the raw runs, write ``docs/performance.md``.

Belongs here: the options and the order of things.  Does not belong here: any figure.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import gate, grouping, indicators, landing, night, pull, report, scoring
from benchmarks.measure import interleaved, machine
from benchmarks.suite import Run, Suite, Summary

_SUITES = (pull.SUITE, landing.SUITE, grouping.SUITE, indicators.SUITE, gate.SUITE, scoring.SUITE, night.SUITE)
SUITES = {suite.name: suite for suite in _SUITES}
RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1: something that must hold does not."""
    options = _options().parse_args(arguments)
    options.results.mkdir(parents=True, exist_ok=True)
    for name in options.only or SUITES:
        _measure(SUITES[name], options.sizes or SUITES[name].sizes, options.rounds, _raw(options.results, name))
    summaries = [
        Summary(suite, _read(_raw(options.results, name)))
        for name, suite in SUITES.items()
        if _raw(options.results, name).exists()
    ]
    report.write(options.page, machine(), summaries)
    broken = [p for summary in summaries for p in summary.suite.promises(summary) if not p.holds]
    for promise in broken:
        print(f"does not hold: {promise.text}: {promise.measured}", file=sys.stderr)
    return 1 if broken else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=_names, help=f"suites, by comma: {', '.join(SUITES)}")
    parser.add_argument("--sizes", type=_numbers, help="numbers of records, by comma; each suite has its own otherwise")
    parser.add_argument("--rounds", type=int, default=3, help="runs of every contender at every size")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the raw runs")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in SUITES]:
        raise argparse.ArgumentTypeError(f"no suite {', '.join(unknown)}")
    return names


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _measure(suite: Suite, sizes: Sequence[int], rounds: int, raw: Path) -> None:
    raw.unlink(missing_ok=True)
    for size in sizes:
        print(f"{suite.name}: preparing {size:,} records", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="zhuanke-bench-") as folder:
            for run in interleaved(suite.name, size, suite.prepare(Path(folder), size), rounds):
                with raw.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(dataclasses.asdict(run)) + "\n")
                print(
                    f"  {run.contender}: {run.cpu_s:.1f} s CPU, {run.wall_s:.1f} s, {run.peak_mib:,.0f} MiB",
                    file=sys.stderr,
                )


def _raw(results: Path, suite: str) -> Path:
    return results / f"{suite}.jsonl"


def _read(path: Path) -> list[Run]:
    return [Run(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main())
