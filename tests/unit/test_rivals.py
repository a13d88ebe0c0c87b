"""The rivals of the benchmark of the indicators count what the product counts; a few cases, counted by hand."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.measure import REPOSITORY
from benchmarks.rivals import duck, frames, tables

SPRING, SUMMER = dt.datetime(2022, 5, 1, 9), dt.datetime(2023, 6, 1, 9)
# case, hospital, department, discharge, route, mode, days, fen, principal diagnosis, residence, DRG
CASES: list[tuple[Any, ...]] = [
    (1, "H1", "0301", SPRING, "2", "1", 10, 10_000, "K35", ("address", "990101"), "A1"),
    (2, "H1", "0399", SUMMER, "1", "5", 2, 3_000, "K35", ("postcode", "510000"), "A1"),
    (3, "H1", "9999999", SPRING, "3", "1", 61, 10_000, "K35", ("household", "510000"), "A2"),
    (4, "H2", "0301", SPRING, None, "1", 5, 30_000, None, (None, None), "A1"),
    (5, "H2", "0301", SPRING, "2", "1", None, 30_000, "K35", ("address", None), "0000"),
    (6, "H2", "0301", SPRING, "2", "1", 1, 600, "Z53.1", ("address", "510101"), "A1"),
]
OPERATIONS = [(1, SPRING, "11.1"), (1, SPRING, "11.1"), (2, SUMMER, "11.1"), (4, SPRING, "99.9")]
DIAGNOSES = [(1, SPRING, "K35", "1"), (1, SPRING, "I26.9", "4"), (2, SUMMER, "I26", "4"), (4, SPRING, "I26", "1")]
FRACTION = 10**8
EXPECTED: dict[tuple[str, str, str], dict[str, int]] = {
    ("H1", "0301", "2022"): {
        **dict.fromkeys(("discharge_count", "stay_known_count", "known_residence_count", "analysed_count"), 1),
        **dict.fromkeys(("surgical_discharge_count", "surgery_count", "level4_surgery_count"), 1),
        **dict.fromkeys(("elective_surgery_count", "complication_count", "grouped_count", "drg_group_count"), 1),
        **{"stay_days_sum": 10, "grouped_stay_days": 10, "grouped_cost_fen": 10_000, "low_risk_count": 1},
        **{"weight_sum": FRACTION, "cost_ratio_sum": FRACTION // 2, "time_ratio_sum": 133_333_333},
    },
    # an emergency: neither elective nor complicated; the next edition calls the operation minimally invasive
    ("H1", "03", "2023"): {
        **dict.fromkeys(("discharge_count", "death_count", "stay_known_count", "known_residence_count"), 1),
        **dict.fromkeys(("out_of_province_count", "surgical_discharge_count", "surgery_count", "analysed_count"), 1),
        **dict.fromkeys(("minimally_invasive_count", "grouped_count", "grouped_death_count", "drg_group_count"), 1),
        **{"stay_days_sum": 2, "grouped_stay_days": 2, "grouped_cost_fen": 3_000},
        **{"weight_sum": FRACTION, "cost_ratio_sum": FRACTION, "time_ratio_sum": FRACTION},
    },
    ("H1", "UNMAPPED", "2022"): {
        **{"discharge_count": 1, "stay_known_count": 1, "stay_days_sum": 61, "transfer_in_count": 1},
    },
    ("H2", "0301", "2022"): {
        **{"discharge_count": 3, "stay_known_count": 2, "stay_days_sum": 6, "known_residence_count": 1},
        **{"out_of_province_count": 1, "analysed_count": 1, "grouped_count": 1, "drg_group_count": 1},
        **{"grouped_stay_days": 5, "grouped_cost_fen": 30_000, "low_risk_count": 1},
        **{"weight_sum": FRACTION, "cost_ratio_sum": 3 * FRACTION // 2, "time_ratio_sum": 66_666_667},
    },
}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The long tables with these cases."""
    folder = tmp_path_factory.mktemp("long")
    day = "cast(discharge_time as date) as discharge_date"
    content: dict[str, tuple[str, list[tuple[Any, ...]], str]] = {
        "header": (
            "case_id bigint, organisation_id varchar, discharge_department varchar, discharge_time timestamp, "
            "admission_route varchar, discharge_mode varchar, length_of_stay_days integer, total_fee_fen bigint, "
            "principal_diagnosis varchar, residence_basis varchar, residence_division varchar",
            [(*case[:9], *case[9]) for case in CASES],
            f"select *, {day}, 'P' || case_id as patient_id, 1 as admission_count",
        ),
        "drg_result": (
            "case_id bigint, organisation_id varchar, discharge_time timestamp, drg_code varchar",
            [(case[0], case[1], case[3], case[10]) for case in CASES],
            "select * exclude (case_id), 'P' || case_id as patient_id, 1 as admission_count, '' as scheme_edition",
        ),
        "operation": (
            "case_id bigint, discharge_time timestamp, operation_code varchar",
            OPERATIONS,
            f"select case_id, {day}, operation_code",
        ),
        "diagnosis": (
            "case_id bigint, discharge_time timestamp, diagnosis_code varchar, admission_condition varchar",
            DIAGNOSES,
            f"select * exclude (discharge_time), {day}",
        ),
        "surgery_catalogue": (
            "operation_code varchar, is_level4 boolean, is_minimally_invasive boolean, "
            "valid_from date, valid_until date",
            [
                ("11.1", True, False, dt.date(2020, 1, 1), dt.date(2023, 1, 1)),
                ("11.1", False, True, dt.date(2023, 1, 1), dt.date(9999, 12, 31)),
            ],
            "select *",
        ),
        "complication": (
            "code_prefix varchar, valid_from date, valid_until date",
            [("I26", dt.date(2000, 1, 1), dt.date(9999, 12, 31))],
            "select *",
        ),
        "specialty": ("specialty_code varchar", [("03",), ("0301",)], "select *"),
    }
    with duckdb.connect() as con:
        for name, (columns, rows, query) in content.items():
            con.execute(f"create table {name} ({columns})")
            con.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)
            con.execute(f"copy ({query} from {name}) to '{folder}/{name}.parquet'")
    return folder


def in_postgres(long: Path, output: Path) -> None:
    """In processes of their own: the step waits for all its descendants."""
    for step, *arguments in (
        ("load", long, output.parent / "postgres"),
        ("postgres", output.parent / "postgres", output),
    ):
        subprocess.run([sys.executable, "-m", "benchmarks.indicators", step, *arguments], cwd=REPOSITORY, check=True)


@pytest.mark.parametrize("rival", [duck.run, frames.run_polars, frames.run_pandas, in_postgres])
def test_a_rival_counts_as_the_product_does(rival: Callable[[Path, Path], None], long: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    rival(long, answer)
    reader = f"read_csv('{answer}', all_varchar = true)" if rival is in_postgres else f"read_parquet('{answer}')"
    with duckdb.connect() as con:
        rows = con.execute(f"select {', '.join((*tables.KEYS, *tables.MEASURES))} from {reader}").fetchall()
    counted = {
        row[:3]: {name: int(value) for name, value in zip(tables.MEASURES, row[3:], strict=True) if int(value)}
        for row in rows
    }
    assert counted == EXPECTED
