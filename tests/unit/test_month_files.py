"""Month files: a cache of what is in force, which nobody can tell from the landed files by its rows."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from sources import candidate, intake, landing
from sources.month_files import assemble
from tests.support.front_page import clean_front_page, front_page_csv, put

ONE, TWO = "12990102MB0000001L", "12990102MB0000002J"
FOLDER = "cache/months/hqms_front_page"


def page(organisation: str, serial: int, month: int = 1, diagnosis: str = "I21.001") -> dict[str, str]:
    return clean_front_page(
        organisation=organisation,
        record=f"R{serial:05d}",
        admitted=datetime(2022, month, 5, 8),
        discharged=datetime(2022, month, 10, 10),
        department="0304",
        diagnosis=diagnosis,
        serial=serial,
    )


def arrive(home: Path, name: str, rows: list[dict[str, str]]) -> None:
    put(home / "inbox" / "hqms" / "h1" / name, front_page_csv(rows))
    intake.record(home, intake.scan(home))
    landing.land(home, "hqms_front_page", key=bytes(range(32)))


def put_together(home: Path) -> int:
    return assemble(home, candidate.month_pieces(home), threads=1, memory_limit="500MB")


def seen(home: Path) -> tuple[list[tuple[Any, ...]], set[str]]:
    """All rows as a reader of the candidate sees them, and the folders below the home that they come from."""
    database = home / "candidate.duckdb"
    database.unlink(missing_ok=True)
    candidate.prepare(home, database)
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.execute("select * from landing.hqms_front_page order by source_id, source_row").fetchall()
        view = con.execute("select sql from duckdb_views() where view_name = 'hqms_front_page'").fetchall()[0][0]
    return rows, set(re.findall(rf"{home}/(\w+)/", view))


def test_a_month_is_read_from_one_file_with_the_same_rows(tmp_path: Path) -> None:
    arrive(tmp_path, "a_2022M01.csv", [page(ONE, 1), page(ONE, 2, diagnosis="A01.000")])
    arrive(tmp_path, "b_2022M01.csv", [page(TWO, 3)])
    arrive(tmp_path, "b_2022M02.csv", [page(TWO, 4, month=2)])
    as_landed = seen(tmp_path)
    assert as_landed[1] == {"landing"}
    assert put_together(tmp_path) == 1  # a month of one file needs no other
    assert seen(tmp_path) == (as_landed[0], {"landing", "cache"})
    assert put_together(tmp_path) == 0
    for file in (tmp_path / FOLDER).iterdir():  # whoever deletes a cache loses nothing
        file.unlink()
    assert seen(tmp_path) == as_landed


def test_rows_of_one_diagnosis_stand_together(tmp_path: Path) -> None:
    arrive(tmp_path, "a_2022M01.csv", [page(ONE, 1), page(ONE, 2, diagnosis="A01.000")])
    arrive(tmp_path, "b_2022M01.csv", [page(TWO, 3), page(TWO, 4, diagnosis="A01.000")])
    put_together(tmp_path)
    (file,) = (tmp_path / FOLDER).iterdir()
    query = f"select diagnoses[1], organisation_id from '{file}'"
    assert duckdb.sql(query).fetchall() == [("A01.000", ONE), ("A01.000", TWO), ("I21.001", ONE), ("I21.001", TWO)]


def test_what_replaces_a_part_of_a_month_makes_it_another_file(tmp_path: Path) -> None:
    """A file of both hospitals, and later one of the first alone."""
    arrive(tmp_path, "a_2022M01.csv", [page(ONE, 1), page(TWO, 2)])
    arrive(tmp_path, "b_2022M01.csv", [page(ONE, 3)])
    put_together(tmp_path)
    before = set((tmp_path / FOLDER).iterdir())
    assert len(seen(tmp_path)[0]) == 2
    arrive(tmp_path, "c_2022M01.csv", [page(ONE, 4), page(ONE, 5)])
    as_landed = seen(tmp_path)
    assert (len(as_landed[0]), as_landed[1]) == (3, {"landing"})
    assert put_together(tmp_path) == 1
    assert seen(tmp_path) == (as_landed[0], {"cache"})
    assert before < set((tmp_path / FOLDER).iterdir())


def test_what_nobody_has_wanted_for_days_is_removed(tmp_path: Path) -> None:
    arrive(tmp_path, "a_2022M01.csv", [page(ONE, 1)])
    arrive(tmp_path, "b_2022M01.csv", [page(TWO, 2)])
    put_together(tmp_path)
    (old,) = (tmp_path / FOLDER).iterdir()
    arrive(tmp_path, "c_2022M01.csv", [page(ONE, 3)])
    put_together(tmp_path)
    assert old.exists()  # a question may still be reading it
    os.utime(old, (0, 0))
    put_together(tmp_path)
    (new,) = (tmp_path / FOLDER).iterdir()
    assert new != old
