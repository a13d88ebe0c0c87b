"""An invented province of any size, landed: what the suites of the gate and of the indicators compute.

Belongs here: writing it, and a candidate that shows it.  Does not belong here: what is computed from it (the suites).

``python -m benchmarks.province STEP …`` runs one step in a process of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.suite import Command

COPIED = ("hqms_front_page", "drg_result", "single_disease_report")
_HOSPITALS = 100  # of a large province, whatever the number of discharges
_FEWEST = 72  # discharges of a hospital in its thirty-six months: a trial run has fewer hospitals
_DRAWN = 100_000  # discharges that are drawn and landed; more are copies of them
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


def step(name: str, *arguments: object) -> Command:
    """The command of a step: ``write HOME SIZE``, ``candidate HOME DATABASE``."""
    return [sys.executable, "-m", "benchmarks.province", name, *map(str, arguments)]


def copies(home: Path | str, dataset: str) -> str:
    """The files of a copied dataset, as DuckDB names them."""
    return f"read_parquet('{home}/copies/{dataset}/*.parquet', hive_partitioning = false)"


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
        for dataset in COPIED:
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
        for dataset in COPIED:
            con.execute(
                f"create or replace view landing.{dataset} as select {', '.join(landed_types(dataset))} "
                f"from {copies(home, dataset)}"
            )


if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {"write": _write, "candidate": _candidate}
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=steps)
    parser.add_argument("arguments", nargs="*")
    chosen = parser.parse_args()
    steps[chosen.step](*chosen.arguments)
