"""The landing suite: from front pages as hospitals send them to typed, de-identified Parquet.

Belongs here: its contenders and what the product promises.  Does not belong here: whether landing is right
(``tests/unit/test_landing.py``).

``python -m benchmarks.landing STEP …`` runs one step in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import output_of
from benchmarks.suite import Command, Contender, Promise, Suite, Summary

LANDING, COUNT, PANDAS = "landing", "DuckDB counts the lines, as UTF-8", "pandas reads all columns in chunks"
_FILE = 2_800  # discharges of a hospital in a month
_KEY = b"benchmark" * 4


def prepare(folder: Path, size: int) -> list[Contender]:
    """The inbox of one month, and the same text once more as UTF-8 for a reader that knows nothing else."""
    home, utf8 = folder / "home", folder / "utf8"
    output_of(_step("write", home, utf8, size))

    def as_arrived() -> None:
        for name in ("landing", "quarantine", "receipts"):
            shutil.rmtree(home / name, ignore_errors=True)

    return [
        Contender(LANDING, size, _step("land", home), before=as_arrived, check=_step("landed", home)),
        Contender(COUNT, size, _step("count", utf8), check=_step("count", utf8)),
        Contender(PANDAS, size, _step("pandas", home)),
    ]


def promises(summary: Summary) -> list[Promise]:
    """What the product promises of landing, judged on the largest size."""
    size = summary.sizes[-1]
    peak = summary.peak(size, LANDING) / 1024
    growth = summary.growth(LANDING)
    counted, read = (summary.cpu(size, LANDING) / summary.cpu(size, other) for other in (COUNT, PANDAS))
    held = [
        Promise("landing takes at most 3 times the CPU of counting the lines", f"{counted:.1f} times", counted <= 3),
        Promise("landing takes at most a quarter of the CPU of pandas", f"{read:.2f}", read <= 0.25),
        Promise("a landing process takes at most 1 GiB", f"{peak:.1f} GiB", peak <= 1),
    ]
    if growth is not None:
        held.append(Promise("CPU time grows no faster than the records", f"n^{growth:.2f}", growth <= 1.05))
    return held


def _step(name: str, *arguments: object) -> Command:
    return [sys.executable, "-m", "benchmarks.landing", name, *map(str, arguments)]


# ------------------------------------------------------------------------------------------------ steps


def _write(home: str, utf8: str, size: str) -> None:
    """One hospital's month from the demo's writer, sent again under the codes of many hospitals."""
    from sources.synthetic import write_province

    write_province(
        Path(home) / "one",
        hospitals=1,
        first_month="2024-01",
        months=1,
        discharges=min(_FILE, int(size)),
        workers=1,
        dirt=False,
        broken_files=False,
    )
    source, *_resubmissions = sorted((Path(home) / "one" / "inbox" / "hqms").glob("*/*.csv"))
    organisation = source.parent.name
    header, *lines = source.read_text(encoding="gb18030").splitlines(keepends=True)
    Path(utf8).mkdir()
    for number, first in enumerate(range(0, int(size), len(lines)), start=1):
        code = f"{number:0{len(organisation)}d}"
        text = header + "".join(lines[: int(size) - first]).replace(organisation, code)
        target = Path(home) / "inbox" / "hqms" / code / source.name
        target.parent.mkdir(parents=True)
        target.write_text(text, encoding="gb18030", newline="")
        (Path(utf8) / f"{code}.csv").write_text(text, encoding="utf-8", newline="")
    print("null")


def _land(home: str) -> None:
    from sources import intake
    from sources.landing import land

    intake.record(Path(home), intake.scan(Path(home)))
    land(Path(home), "hqms_front_page", key=_KEY, workers=2, threads=2, memory_limit="4GB")


def _landed(home: str) -> None:
    from sources.landing import read_receipts

    _print_rows(sum(receipt["rows"]["read"] for receipt in read_receipts(Path(home))))


def _count(utf8: str) -> None:
    import duckdb

    files = sorted(Path(utf8).glob("*.csv"))
    with files[0].open(encoding="utf-8") as file:
        columns = ", ".join(f"'{name}': 'varchar'" for name in file.readline().strip().split(","))
    # named columns: guessing them would cost more than reading
    reader = f"read_csv('{utf8}/*.csv', columns = {{{columns}}}, header = true, auto_detect = false)"
    with duckdb.connect(config={"threads": 2}) as con:
        _print_rows(con.execute(f"select count(*) from {reader}").fetchall()[0][0])


def _pandas(home: str) -> None:
    import pandas as pd

    rows = 0
    for path in sorted((Path(home) / "inbox" / "hqms").glob("*/*.csv")):
        for chunk in pd.read_csv(path, encoding="gb18030", dtype=str, keep_default_na=False, chunksize=50_000):
            rows += len(chunk)
    _print_rows(rows)


def _print_rows(rows: int) -> None:
    print(json.dumps({"rows": rows}))


SUITE = Suite(
    name="landing",
    title="Landing",
    about="""\
Front pages in the 642 columns of the interface, GB18030, one file of 2,800 discharges a hospital. Landing decodes and
checks every file, types it, replaces identities by pseudonyms, lists diagnoses and procedures, quarantines bad rows
and writes Parquet and receipts. Beside it, what the same bytes cost somebody who only counts their lines (DuckDB, two
threads, from a UTF-8 copy made beforehand) or who reads every cell as text (pandas).""",
    sizes=(100_000, 1_000_000),
    baseline=LANDING,
    prepare=prepare,
    promises=promises,
)

if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {
        "write": _write,
        "land": _land,
        "landed": _landed,
        "count": _count,
        "pandas": _pandas,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=steps)
    parser.add_argument("arguments", nargs="*")
    chosen = parser.parse_args()
    steps[chosen.step](*chosen.arguments)
