"""What holds whatever the numbers are: identities, exactness, indifference to order and threads, switches."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from conftest import Build, Built
from province import Tables, organisation, province

MARTS = [
    *("dim_hospital", "dim_indicator", "dim_specialty", "dim_window", "fct_dq_result", "fct_indicator"),
    *("fct_measure", "ref_drg_benchmark", "ref_drg_risk"),
]
# the numerator of these is published with 8 decimals, so the last decimal of the value may move when it doubles
INDICES = {"cmi", "cost_consumption_index", "time_consumption_index"}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return province(20240502)


@pytest.fixture(scope="module")
def built(build: Build, tables: Tables) -> Built:
    return build(tables)


def mart_bytes(built: Built) -> dict[str, bytes]:
    """Every mart as Parquet ordered by all of its columns: what is published, byte for byte."""
    found = {}
    with duckdb.connect(str(built.database), read_only=True) as connection:
        for mart in MARTS:
            target = built.database.with_name(f"{mart}.parquet")
            connection.execute(f"copy (from {mart} order by all) to '{target}' (format parquet)")
            found[mart] = target.read_bytes()
    return found


def test_the_reference_measures_itself_as_exactly_one(built: Built) -> None:
    rows = built.rows(
        "select distinct window_id, indicator_id, value from fct_indicator where hospital_id = 'REGION'"
        " and specialty_code = 'ALL'"
        " and indicator_id in ('cmi', 'cost_consumption_index', 'time_consumption_index')"
    )
    windows = {"2022", "2023", "2024", "2020-2022", "2021-2023", "2022-2024"}
    assert {row[0] for row in rows} == windows and len(rows) == 3 * len(windows)
    assert {row[2] for row in rows} == {Decimal("1.00000000")}


def test_every_value_is_its_numerator_over_its_denominator(built: Built) -> None:
    checked = 0
    for numerator, denominator, value, _ in built.indicators().values():
        if denominator:
            exact = Fraction(numerator) / Fraction(denominator)
            assert abs(Fraction(value) - exact) <= Fraction(1, 2 * 10**8)
            checked += 1
    assert checked > 500


def test_every_level_has_all_fifteen_indicators(built: Built) -> None:
    (fewest, most), *_ = built.rows(
        "select min(n), max(n) from (select count(*) n from fct_indicator"
        " group by hospital_id, specialty_code, attribution, window_id)"
    )
    assert (fewest, most) == (15, 15)


def test_all_specialties_together_are_the_same_in_both_attributions(built: Built) -> None:
    cells = built.indicators()
    for (hospital, specialty, attribution, window, indicator), cell in cells.items():
        if specialty == "ALL" and attribution == "mdc":
            assert cells[hospital, "ALL", "department", window, indicator] == cell


def test_hospitals_and_specialties_add_up(built: Built) -> None:
    """Counts over hospitals make the region's, counts over specialties make the hospital's."""
    assert not built.rows(
        "select * from (select attribution, window_id, measure_id, specialty_code,"
        "  sum(value) filter (where hospital_id <> 'REGION') as parts,"
        "  sum(value) filter (where hospital_id = 'REGION') as whole"
        " from fct_measure where measure_id like '%_count' group by all) where parts <> whole"
    )
    assert not built.rows(
        "select * from (select attribution, window_id, measure_id, hospital_id,"
        "  sum(value) filter (where specialty_code <> 'ALL') as parts,"
        "  sum(value) filter (where specialty_code = 'ALL') as whole"
        " from fct_measure where measure_id like '%_count' group by all) where parts <> whole"
    )


def test_every_risk_class_and_case_is_accounted_for(built: Built) -> None:
    """Cases and deaths of the classes are the grouped cases and deaths of the window."""
    for window, cases, deaths in built.rows(
        "select window_id, sum(case_count), sum(death_count) from ref_drg_risk group by 1"
    ):
        region = dict(
            built.rows(
                "select measure_id, value from fct_measure where hospital_id = 'REGION' and specialty_code = 'ALL'"
                f" and attribution = 'mdc' and window_id = '{window}'"
            )
        )
        assert (region["grouped_count"], region["grouped_death_count"]) == (cases, deaths)


def test_everyone_reported_twice_changes_no_share(build: Build, built: Built, tables: Tables) -> None:
    """Every case once more, as that of another patient: shares stay, counts double."""

    def twofold(rows: list[dict]) -> list[dict]:
        others = [{**row, "patient_id": f"{int(row['patient_id'], 16) + 10**6:032x}"} for row in rows]
        return [{**row, "source_row": number} for number, row in enumerate([*rows, *others], 2)]

    doubled = {name: twofold(tables[name]) for name in ("hqms_front_page", "drg_result")}
    once, twice = built.indicators(), build({**tables, **doubled}).indicators()
    assert once.keys() == twice.keys()
    for key, (numerator, denominator, value, cases) in once.items():
        again = twice[key]
        assert again[3] == 2 * cases, key
        if key[4] in INDICES and value is not None:
            assert abs(again[2] - value) <= Decimal("0.00000001"), key
        elif denominator is not None:
            assert (again[0], again[2]) == (2 * numerator, value), key
        elif key[4] == "drg_group_count":
            assert again[0] == numerator, key
        else:
            assert again[0] == 2 * numerator, key


def test_neither_order_nor_threads_change_a_byte(build: Build, built: Built, tables: Tables) -> None:
    shuffled = {name: list(rows) for name, rows in tables.items()}
    for rows in shuffled.values():
        random.Random(3).shuffle(rows)
    assert mart_bytes(build(shuffled, threads=1)) == mart_bytes(built)


def test_a_hospital_without_register_is_shown_as_such(built: Built) -> None:
    assert built.rows("select name_zh, is_registered from dim_hospital where hospital_id = 'REGION'") == [
        ("云岫省", False)
    ]
    assert dict(built.rows("select hospital_id, is_registered from dim_hospital where not is_region")) == {
        organisation(n): n < 3 for n in range(4)
    }


WEIGHTED = {"cmi", "cost_consumption_index", "time_consumption_index", "rw2_share", "mortality"}
SURGICAL = {"surgery_count", "level4_surgery_share", "minimally_invasive_share"}
SWITCHED = {
    # switch: (value, indicators of which some cell must move while all others stay)
    "trim_max_los_days": ("61", WEIGHTED | {"drg_group_count"}),
    "trim_min_cost_fen": ("499", WEIGHTED | {"drg_group_count"}),
    "trim_z53_max_los_days": ("1", WEIGHTED | {"drg_group_count"}),
    "surgery_count_basis": ("procedure", SURGICAL),
    "surgery_scope": ("main", SURGICAL),
    "mortality_sd": ("population", {"mortality"}),
    "zero_death_groups": ("zero", {"mortality"}),
    "reference_population": ("tertiary", WEIGHTED),
    "drg_min_cases": ("5", {"drg_group_count"}),
}


def test_the_same_seeds_give_the_same_indicators(built: Built, tmp_path: Path) -> None:
    assert built.after(tmp_path).indicators() == built.indicators()


@pytest.mark.parametrize("switch", SWITCHED)
def test_a_switch_moves_what_it_should_and_nothing_else(built: Built, tmp_path: Path, switch: str) -> None:
    value, expected = SWITCHED[switch]
    before, after = built.indicators(), built.with_switch(tmp_path, switch, value).indicators()
    assert before.keys() == after.keys()
    moved = {key[4] for key, cell in before.items() if after[key] != cell}
    assert {"mortality" if name.startswith("mortality") else name for name in moved} == expected


def test_a_switch_outside_its_values_stops_the_run(built: Built, tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error, match="surgery_scope 的取值 all 不在允许范围"):
        built.with_switch(tmp_path, "surgery_scope", "all")


def test_a_new_ratio_is_one_row_of_the_registry(built: Built, tables: Tables, tmp_path: Path) -> None:
    again = built.after(
        tmp_path,
        "insert into indicators by name select 'death_share' as indicator_id, 'ratio' as method, 'death_count' as"
        " numerator_measure, 'discharge_count' as denominator_measure, 'discharge_count' as case_measure",
    ).indicators()
    pages = tables["hqms_front_page"]
    deaths = sum(page["discharge_mode"] == "5" for page in pages)
    numerator, denominator, value, _ = again["REGION", "ALL", "mdc", "2022-2024", "death_share"]
    assert (numerator, denominator) == (deaths, len(pages))
    assert abs(Fraction(value) - Fraction(deaths, len(pages))) <= Fraction(1, 2 * 10**8)
