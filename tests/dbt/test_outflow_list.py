"""The printed list of specialties with much travel between districts (B-16) comes out of the outflow (B-15)."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import DATABASE, REPOSITORY, copy_project, run_dbt
from landed import write_candidate
from province import page

CENTRAL = "110101"
RESIDENTS = 20


def reference(folder: str, name: str) -> list[dict[str, str]]:
    with (REPOSITORY / folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def printed() -> dict[str, list[str]]:
    """Specialty -> districts, both in the printed order."""
    names: dict[str, list[str]] = {}
    for row in reference("dbt/seeds/programmes", "direction_list"):
        if row["list_id"] == "B-16":
            names.setdefault(row["specialty_code"], []).append(row["division"])
    return names


def discharges() -> list[dict[str, Any]]:
    """Twenty residents per district and specialty. Six go elsewhere, which is 30 % and not more; where the list prints
    the district all of them do, one fewer for every place further back."""
    rows: list[dict[str, Any]] = []
    lists = printed()
    for specialty, districts in lists.items():
        for district in sorted({name for of_specialty in lists.values() for name in of_specialty}):
            leaving = RESIDENTS - districts.index(district) if district in districts else 6
            for number in range(RESIDENTS):
                rows.append(
                    page(
                        len(rows),
                        organisation_id=CENTRAL if number < leaving else district,
                        discharge_department=specialty,
                        residence_division=district,
                        discharge_time=datetime(2022, 6, 1, 10),
                    )
                )
    return rows


@pytest.fixture(scope="module")
def outflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outflow")
    pages = discharges()
    hospitals = sorted({row["organisation_id"] for row in pages})
    database = folder / DATABASE
    write_candidate(
        database,
        {
            "hqms_front_page": pages,
            "hospital": [{"organisation_id": place, "name_zh": place, "division": place} for place in hospitals],
        },
    )
    arguments = ("build", "--select", "+fct_outflow", "--exclude-resource-type", "unit_test", "test")
    done = run_dbt(copy_project(folder), database, *arguments, province="110000")
    assert done.returncode == 0, done.stdout[-6000:]
    return database


def test_the_published_table_is_what_lies_above_the_threshold(outflow: Path) -> None:
    """B-15, B-16: 19 specialties and their districts, in the printed form."""
    with duckdb.connect(str(outflow), read_only=True) as connection:
        rows = connection.execute(
            "select specialty_code, string_agg(residence_name_zh, '、' order by outflow_rate desc) from fct_outflow"
            " where division_rank = 'county' and window_id = '2022' and specialty_code <> 'ALL' and is_above_threshold"
            " group by specialty_code"
        ).fetchall()
    names = {row["division"]: row["name_zh"] for row in reference("sources/reference", "divisions")}
    lists = printed()
    assert len(lists) == 19
    assert dict(rows) == {code: "、".join(names[name] for name in named) for code, named in lists.items()}
    assert dict(rows)["21"] == "通州区、昌平区、延庆区、顺义区"


def test_thirty_percent_is_not_more_than_thirty_percent(outflow: Path) -> None:
    with duckdb.connect(str(outflow), read_only=True) as connection:
        at_limit = connection.execute(
            "select outflow_count, resident_count, is_above_threshold from fct_outflow"
            " where division_rank = 'county' and specialty_code = '0301' and residence_division = '110117'"
            " and window_id = '2022'"
        ).fetchall()
    assert at_limit == [(6, 20, False)]
