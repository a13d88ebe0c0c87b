"""What holds whatever the numbers are: identities, exactness, indifference to order and threads, switches."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from conftest import Build, Built
from province import Tables, organisation, province

MARTS = [
    *("dim_hospital", "dim_indicator", "dim_specialty", "dim_window", "fct_dq_result", "fct_indicator"),
    *("fct_measure", "fct_outflow", "fct_patient_flow", "ref_drg_benchmark", "ref_drg_risk"),
]
# what a measure is made of, read when somebody asks
ASKED = ["int_case_measure", "int_group_measure", "int_measure_part"]
# divided by group or told apart by group: their groups add up, and the groups' cases are counted
BY_GROUP = {"cost_ratio_sum", "time_ratio_sum", "drg_group_count"}
# the numerator of these is published with 8 decimals, so the last decimal of the value may move when it doubles
INDICES = {"cmi", "cost_consumption_index", "time_consumption_index"}
# what is different stays different, what beds did is not told by patients
UNMOVED = {
    *("drg_group_count", "procedure_spectrum", "endoscopy_intervention_present"),
    *("mean_open_beds", "bed_occupancy"),
}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return province(20240502)


@pytest.fixture(scope="module")
def built(build: Build, tables: Tables) -> Built:
    return build(tables, only=[*MARTS, *ASKED])


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


def test_every_level_has_every_indicator(built: Built) -> None:
    (fewest, most, registered), *_ = built.rows(
        "select min(n), max(n), (select count(*) from dim_indicator) from (select count(*) n from fct_indicator"
        " group by hospital_id, specialty_code, attribution, window_id)"
    )
    assert (fewest, most) == (registered, registered) and registered >= 36


def test_a_part_is_never_more_than_the_whole(built: Built) -> None:
    """Every share lies in 0-1 and has a numerator within its denominator; each has a value somewhere."""
    shares = built.rows(
        "select indicator_id, count(value), min(value) >= 0 and max(value) <= 1 and bool_and(numerator <= denominator)"
        " from fct_indicator join dim_indicator using (indicator_id) where is_share group by 1"
    )
    assert len(shares) > 20
    assert [name for name, valued, holds in shares if not (valued and holds)] == []


def test_every_indicator_varies(built: Built) -> None:
    """A law over numbers that are all alike proves nothing."""
    assert not built.rows("select indicator_id from fct_indicator group by 1 having count(distinct value) < 2")


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
        classes = ("low_risk", "mid_low_risk", "mid_high_risk", "high_risk")
        assert sum(region[f"{name}_count"] for name in classes) == cases
        assert sum(region[f"{name}_death_count"] for name in classes) == deaths


def test_everyone_reported_twice_changes_no_share(build: Build, built: Built, tables: Tables) -> None:
    """Every case once more, as that of another patient: shares stay, counts double."""

    def twofold(rows: list[dict]) -> list[dict]:
        others = [{**row, "patient_id": f"{int(row['patient_id'], 16) + 10**6:032x}"} for row in rows]
        return [{**row, "source_row": number} for number, row in enumerate([*rows, *others], 2)]

    doubled = {name: twofold(tables[name]) for name in ("hqms_front_page", "drg_result", "single_disease_report")}
    once, twice = built.indicators(), build({**tables, **doubled}, only=MARTS).indicators()
    assert once.keys() == twice.keys()
    for key, (numerator, denominator, value, cases) in once.items():
        again = twice[key]
        assert again[3] == 2 * cases, key
        if key[4] in INDICES and value is not None:
            assert abs(again[2] - value) <= Decimal("0.00000001"), key
        elif key[4] == "concentration_hhi":
            assert (again[0], again[1], again[2]) == (4 * numerator, 4 * denominator, value), key
        elif key[4] == "bed_turnover":
            assert (again[0], again[1]) == (2 * numerator, denominator), key
        elif key[4] in UNMOVED:
            assert again[:3] == (numerator, denominator, value), key
        elif denominator is not None:
            assert (again[0], again[2]) == (2 * numerator, value), key
        else:
            assert again[0] == 2 * numerator, key


# more discharges, whatever becomes of them, are more activity
ACTIVITY = {"bed_turnover", "procedure_spectrum", "endoscopy_intervention_present"}


@pytest.mark.parametrize("number", range(3))
def test_a_bad_outcome_never_improves_an_indicator(built: Built, tmp_path: Path, number: int) -> None:
    """One stay more on which everything went wrong: a long one, a death after elective surgery with a complication, an
    infected incision and a rescue that failed, not reported to the platform, of a patient whose home nobody knows."""
    known = "select column_name from (describe landing.hqms_front_page)"
    said = {
        "source_id": "'bad'",
        "source_row": "1",
        "organisation_id": f"'{organisation(number)}'",
        "patient_id": "repeat('f', 32)",
        "admission_count": "1",
        "admission_time": "timestamp '2022-06-01 10:00:00'",
        "discharge_time": "timestamp '2022-07-31 10:00:00'",
        "discharge_department": "'0304'",
        "length_of_stay_days": "60",
        "total_fee_fen": "9000000",
        "age_years": "60",
        "diagnoses": "['J18.900', 'T81.000']",
        "diagnosis_conditions": "['1', '4']",
        "diagnosis_outcomes": "['4', '4']",
        "operations": "['36.0601']",
        "operation_incisions": "['3']",
        "admission_route": "'2'",
        "discharge_mode": "'5'",
        "rescue_count": "1",
        "rescue_success_count": "0",
        "residence_basis": "'none'",
        "nationality": "'CHN'",
    }
    assert said.keys() <= {name for (name,) in built.rows(known)}
    row = ", ".join(f"{value} as {name}" for name, value in said.items())
    worse = built.after(tmp_path, f"insert into landing.hqms_front_page by name select {row}")
    better = {"higher": 1, "lower": -1}
    directions = dict(built.rows("select indicator_id, direction from dim_indicator where direction <> 'neutral'"))
    before, after, moved = built.indicators(), worse.indicators(), set()
    for (hospital, specialty, attribution, window, indicator), cell in before.items():
        if (hospital, specialty) != (organisation(number), "0304") or indicator not in directions.keys() - ACTIVITY:
            continue
        was, now = cell[2], after[hospital, specialty, attribution, window, indicator][2]
        if was is not None and now is not None:
            assert (now - was) * better[directions[indicator]] <= 0, (attribution, window, indicator, was, now)
            moved |= {indicator} if now != was else set()
    assert moved >= {
        *("mortality_rate", "mean_length_of_stay", "surgical_complication_rate", "incision_infection_rate"),
        *("cure_rate", "rescue_success_rate", "single_disease_report_rate", "minimally_invasive_share"),
    }


def test_neither_order_nor_threads_change_a_byte(build: Build, built: Built, tables: Tables) -> None:
    shuffled = {name: list(rows) for name, rows in tables.items()}
    for rows in shuffled.values():
        random.Random(3).shuffle(rows)
    assert mart_bytes(build(shuffled, threads=1, only=MARTS)) == mart_bytes(built)


def test_a_hospital_without_register_is_shown_as_such(built: Built) -> None:
    assert built.rows("select name_zh, is_registered from dim_hospital where hospital_id = 'REGION'") == [
        ("云岫省", False)
    ]
    assert dict(built.rows("select hospital_id, is_registered from dim_hospital where not is_region")) == {
        organisation(n): n < 3 for n in range(4)
    }


CRITICAL = {"critical_case_share", "transfer_in_critical_count"}
WEIGHTED = {"cmi", "cost_consumption_index", "time_consumption_index", "rw2_share", "mortality", *CRITICAL}
SURGICAL = {"surgery_count", "level4_surgery_share", "minimally_invasive_share"}
OPERATED = {
    *("surgery_share", "day_surgery_share", "surgical_complication_rate", "procedure_spectrum"),
    *("endoscopy_intervention_present", "robot_assisted_share"),
}
SWITCHED = {
    # switch: (value, indicators of which some cell must move while all others stay)
    "trim_max_los_days": ("61", WEIGHTED | {"drg_group_count"}),
    "trim_min_cost_fen": ("499", WEIGHTED | {"drg_group_count"}),
    "trim_z53_max_los_days": ("1", WEIGHTED | {"drg_group_count"}),
    "surgery_count_basis": ("procedure", SURGICAL),
    "surgery_scope": ("main", SURGICAL | OPERATED),
    # critical are the classes above the mean, wherever the cuts around it lie
    "mortality_sd": ("population", {"mortality"}),
    "zero_death_groups": ("zero", {"mortality"}),
    "reference_population": ("tertiary", WEIGHTED),
    "drg_min_cases": ("5", {"drg_group_count"}),
    "day_surgery_max_hours": ("49", {"day_surgery_share"}),
    "critical_case_definition": ("ventilator96", {"critical_case_share"}),
    "outflow_threshold": ("0.9", set()),
    "single_disease_reported": ("accepted", {"single_disease_report_rate", "single_disease_process_share"}),
}
CLASSED = {f"mortality_{risk}_risk" for risk in ("low", "mid_low", "low_and_mid_low", "mid_high", "high")}


def test_the_same_seeds_give_the_same_indicators(built: Built, tmp_path: Path) -> None:
    assert built.after(tmp_path).indicators() == built.indicators()


@pytest.mark.parametrize("switch", SWITCHED)
def test_a_switch_moves_what_it_should_and_nothing_else(built: Built, tmp_path: Path, switch: str) -> None:
    value, expected = SWITCHED[switch]
    before, after = built.indicators(), built.with_switch(tmp_path, switch, value).indicators()
    assert before.keys() == after.keys()
    moved = {key[4] for key, cell in before.items() if after[key] != cell}
    assert {"mortality" if name in CLASSED else name for name in moved} == expected


def test_every_switch_of_an_indicator_is_proven_to_move_it(built: Built) -> None:
    """What the registry says an indicator depends on is what was seen to move it, and nothing is left out."""
    for indicator, switches in built.rows("select indicator_id, switches from dim_indicator"):
        if indicator not in CLASSED:
            moving = {switch for switch, (_, moved) in SWITCHED.items() if indicator in moved}
            assert set((switches or "").split(";")) - {""} == moving, indicator


def test_a_version_holds_in_its_years_alone_and_is_named(built: Built, tmp_path: Path) -> None:
    """Only the main operation counts in 2022: 2023 and 2024 stay, and every window with 2022 says so."""
    again = built.after(
        tmp_path,
        "insert into definition_versions by name select '示例版' as version, 'surgery_scope' as switch_id,"
        " 'main' as value, 2022 as first_data_year, 2022 as last_data_year",
    )
    before, after = built.indicators(), again.indicators()
    moved = {key[3] for key in before if after[key] != before[key]}
    assert moved == {"2022", "2020-2022", "2021-2023", "2022-2024"}
    named = again.rows(
        "select distinct window_id, editions from fct_indicator where indicator_id = 'level4_surgery_share'"
    )
    for window, editions in named:
        assert ("示例版（2022—2022 年 surgery_scope=main）" in editions) == (window in moved), (window, editions)
    catalogues = {window: editions.partition("；")[0] for window, editions in named}
    assert catalogues["2022"] == "手术目录 2022" and catalogues["2024"] == "手术目录 2023"
    assert catalogues["2022-2024"] == "手术目录 2022、2023"


def test_a_version_outside_the_values_of_its_switch_stops_the_run(built: Built, tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error, match="示例版 的开关 surgery_scope 取值 all 不在允许范围"):
        built.after(
            tmp_path,
            "insert into definition_versions by name select '示例版' as version, 'surgery_scope' as switch_id,"
            " 'all' as value, 2022 as first_data_year, 2022 as last_data_year",
        )


def test_patients_flow_from_their_homes_to_hospitals(built: Built, tables: Tables) -> None:
    """Every discharge once per specialty and once in ALL; shares of a home and of a hospital's city make one."""
    pages = tables["hqms_front_page"]
    total = "select sum(discharge_count) from fct_patient_flow where specialty_code"
    assert built.rows(f"{total} = 'ALL'") == built.rows(f"{total} <> 'ALL'") == [(len(pages),)]

    def counted(division: str) -> dict[str, int]:
        return dict(
            built.rows(
                f"select {division}, sum(discharge_count) from fct_patient_flow where specialty_code = 'ALL' group by 1"
            )
        )

    homes = [page["residence_division"] or "UNKNOWN" for page in pages]
    assert counted("residence_division") == Counter(homes)
    # hospital 3 is not in the register
    cities = {organisation(n): f"990{n + 1}00" for n in range(3)}
    assert counted("hospital_division") == Counter(cities.get(page["organisation_id"], "UNKNOWN") for page in pages)


def test_outflow_is_what_residents_do_elsewhere(built: Built, tables: Tables, tmp_path: Path) -> None:
    """I-02: of a city's residents in known hospitals, those in another city's; a share above 0.3 is flagged."""
    cities = {organisation(n): f"990{n + 1}00" for n in range(3)}
    found = {
        row[0]: row[1:]
        for row in built.rows(
            "select residence_division, resident_count, outflow_count, outflow_rate, is_above_threshold"
            " from fct_outflow where window_id = '2022-2024' and specialty_code = 'ALL'"
        )
    }
    for city in ("990100", "990200"):
        mine = [
            cities[page["organisation_id"]]
            for page in tables["hqms_front_page"]
            if page["residence_division"] == city and page["organisation_id"] in cities
        ]
        elsewhere = sum(treated != city for treated in mine)
        residents, outflow, rate, above = found.pop(city)
        assert (residents, outflow, above) == (len(mine), elsewhere, True)
        assert abs(Fraction(rate) - Fraction(elsewhere, len(mine))) <= Fraction(1, 2 * 10**8)
    assert found == {}
    lenient = built.with_switch(tmp_path, "outflow_threshold", "1")
    assert lenient.rows("select distinct is_above_threshold from fct_outflow") == [(False,)]


def test_beds_are_told_by_department_and_by_the_hospital_as_a_whole(built: Built) -> None:
    """Hospital 0 reports 10 + 20 + 30 beds; hospital 1 says 70 beds of its own, its departments make 60."""
    beds = {
        row[:3]: row[3]
        for row in built.rows(
            "select hospital_id, specialty_code, attribution, numerator from fct_indicator"
            " where indicator_id = 'mean_open_beds' and window_id = '2022' and status = 'valued'"
        )
    }
    days = Decimal(12 * 30)
    for attribution in ("department", "mdc"):
        assert beds[organisation(0), "ALL", attribution] == 60 * days
        assert beds[organisation(1), "ALL", attribution] == 70 * days
        assert beds["REGION", "ALL", attribution] == 130 * days
    assert beds[organisation(1), "0304", "department"] == 20 * days
    # 0499 is not listed: its beds count for surgery as a whole, like its discharges
    assert beds[organisation(1), "04", "department"] == 30 * days
    assert {key[0] for key in beds} == {organisation(0), organisation(1), "REGION"}
    assert {key[1] for key in beds if key[2] == "mdc"} == {"ALL"}


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


def test_every_measure_is_the_sum_of_what_it_is_made_of(built: Built) -> None:
    """Cases at every published level; DRG groups and other parts where cases do not add up."""
    level = "attribution, hospital_id, specialty_code, window_id"
    each = (
        "select 'department' as attribution, organisation_id, specialty_code, * exclude (organisation_id,"
        " specialty_code) from int_case_measure union all by name select 'mdc' as attribution, organisation_id,"
        " mdc_specialty_code as specialty_code, * exclude (organisation_id, specialty_code) from int_case_measure"
    )
    columns = {name: {row[0] for row in built.rows(f"describe {name}")} for name in ASKED}
    measures = [row[0] for row in built.rows("select distinct measure_id from int_measure order by 1")]
    assert len(measures) > 75
    for measure in measures:
        amount = f"coalesce(sum(cast({measure} as decimal(28, 12))), 0)"
        if measure in columns["int_case_measure"] - BY_GROUP:
            parts = (
                f"select attribution, coalesce(organisation_id, 'REGION') as hospital_id,"
                f" coalesce(specialty_code, 'ALL') as specialty_code, window_id, {amount} as value from ({each})"
                " group by attribution, window_id, grouping sets"
                " ((organisation_id, specialty_code), (organisation_id), (specialty_code), ())"
            )
        elif measure in BY_GROUP:
            parts = f"select {level}, {amount} as value from int_group_measure group by all"
        else:
            mine = f"from int_measure_part where measure_id = '{measure}'"
            parts = f"select {level}, sum(amount) as value {mine} group by all"
        different = built.rows(
            f"select {level}, whole.value, parts.value from (from int_measure where measure_id = '{measure}') as whole"
            f" full join ({parts}) as parts using ({level})"
            " where coalesce(cast(parts.value as decimal(28, 8)), 0) is distinct from whole.value"
        )
        assert not different, (measure, different[:3])


def test_the_cases_of_a_group_are_the_group(built: Built) -> None:
    assert not built.rows(
        "with listed as (select organisation_id as hospital_id, specialty_code, window_id, drg_code, scheme_edition,"
        "  sum(grouped_count) as cases, sum(grouped_cost_fen) as cost, sum(grouped_stay_days) as stay"
        "  from int_case_measure where grouped_count > 0 group by all)"
        " select * from listed full join (from int_group where attribution = 'department'"
        "  and hospital_id <> 'REGION' and specialty_code <> 'ALL') as whole"
        " using (hospital_id, specialty_code, window_id, drg_code, scheme_edition)"
        " where (cases, cost, stay) is distinct from (grouped_count, grouped_cost_fen, grouped_stay_days)"
    )
