"""Lists as printed; eligibility, quotas, stages and moves on a ledger that can be counted by hand."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, Build, Built
from province import page

SEEDS = REPOSITORY / "dbt" / "seeds" / "programmes"
A, B, C, N, X = "HOSPITAL_A", "HOSPITAL_B", "HOSPITAL_C", "HOSPITAL_N", "HOSPITAL_X"


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def listed(list_id: str) -> list[dict[str, str]]:
    return [row for row in seed("direction_list") if row["list_id"] == list_id]


# --- as printed


@pytest.mark.parametrize(
    ("list_id", "positions"),
    [
        *(("N-20", 6), ("N-23", 9), ("N-24", 14), ("N-25", 10), ("N-26", 7), ("N-27", 3), ("N-28", 14), ("I-03", 8)),
        *(("G-13", 4), ("G-14", 11), ("B-07", 10), ("B-08", 2), ("B-10", 18), ("B-11", 12), ("B-12", 18)),
        *(("B-16", 19), ("Z-10", 9), ("N-30", 6), ("G-17", 7)),
    ],
)
def test_direction_lists_have_the_printed_rows(list_id: str, positions: int) -> None:
    rows = listed(list_id)
    assert {int(row["position"]) for row in rows} == set(range(1, positions + 1))
    assert [int(row["item"]) for row in rows] == list(range(1, len(rows) + 1))


def test_the_shortage_list_names_provinces_as_printed() -> None:
    rows = listed("N-24")
    provinces = {
        position: [row["division"] for row in rows if row["position"] == position] for position in {*"123456789"}
    }
    assert {position: len(set(named)) for position, named in provinces.items()} == {
        **{"1": 9, "2": 5, "3": 9, "4": 10, "5": 5},
        **{"6": 7, "7": 15, "8": 7, "9": 12},
    }
    orthopaedics = [row["division"] for row in rows if row["position"] == "10"]
    # 青海 stands twice in the original
    assert (len(orthopaedics), len(set(orthopaedics))) == (11, 10)
    assert Counter(orthopaedics)["630000"] == 2
    # pathology, laboratory and imaging share one printed row
    assert {row["specialty_code"] for row in rows if row["position"] == "13"} == {"31", "30", "32"}


def test_suburban_districts_per_specialty_as_printed() -> None:
    counted = Counter(row["name_zh"] for row in listed("B-16"))
    assert list(counted.values()) == [10, 10, 10, 8, 8, 8, 9, 8, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 1]
    assert len({row["division"] for row in listed("B-16")}) == 10


def test_core_and_consolidated_specialties_overlap_in_five() -> None:
    core, consolidated = ({row["specialty_code"] for row in listed(name)} for name in ("B-10", "B-12"))
    # 心脏大血管外科、烧伤科、胸外科、血液科、重症医学
    assert core & consolidated == {"0406", "0407", "0405", "0305", "28"}


def test_the_printed_totals_are_consistent() -> None:
    rules = {row["rule_id"]: row for row in seed("quota_rules")}
    for yearly, total in (("N-02", "N-03"), ("N-05", "N-06")):
        assert int(rules[yearly]["low_numerator"]) * 5 == int(rules[total]["low_numerator"])


def test_rules_and_quotas_speak_of_lists_that_there_are() -> None:
    lists = {(row["programme_id"], row["tier"]) for row in seed("selection_lists")}
    assert lists == {(row["programme_id"], row["tier"]) for row in seed("programmes")}
    assert lists == {(row["programme_id"], row["tier"]) for row in seed("selection_quotas")}
    named = {name for row in seed("eligibility_rules") for name in row["lists"].split(";")} - {"*"}
    assert named == {"/".join(key) for key in lists}


# --- counted by hand, as of 2024-12-31


def hospital(identity: str, level: str, division: str, capital: bool, subjects: list[str], **flags: Any) -> dict:
    return {
        "organisation_id": identity,
        "name_zh": identity,
        "level": level,
        "grade": "甲等" if level == "3" else "乙等",
        "kind": "综合",
        "division": division,
        "is_provincial_capital": capital,
        "is_national_medical_centre": False,
        "is_directly_managed": False,
        "is_regional_medical_centre": False,
        "subjects": subjects,
        **flags,
    }


def project(
    identity: str, level: str, hospital_id: str, specialty: str, year: int, stage: str = "在建", **values: Any
) -> dict:
    return {
        "project_id": identity,
        "organisation_id": hospital_id,
        "specialty_code": specialty,
        "project_level": level,
        "funding": {"国家级": "中央财政", "省级": "省级财政", "市级": "市级财政", "县级": "县级财政"}[level],
        "direction": "临床重点专科能力建设",
        "year": year,
        "start_date": date(year, 7, 1),
        "stage": stage,
        "amount_fen": 100,
        "matching_amount_fen": 100,
        **values,
    }


def dossier(hospital_id: str, specialty: str, **items: str | int) -> list[dict]:
    return [
        {
            "organisation_id": hospital_id,
            "specialty_code": specialty,
            "item_code": item,
            "period": "当前",
            "value_text": answer if isinstance(answer, str) else None,
            "value_number": None if isinstance(answer, str) else answer,
        }
        for item, answer in items.items()
    ]


TABLES: dict[str, list[dict[str, Any]]] = {
    "hospital": [
        hospital(A, "3", "990102", True, ["03", "0304", "0401", "05", "0502"]),
        hospital(B, "3", "990202", False, ["03", "04"], is_regional_medical_centre=True),
        hospital(C, "2", "990221", False, ["0301"]),
        hospital(N, "3", "990102", True, ["0303"], is_national_medical_centre=True),
    ],
    "population": [
        {"division": "990000", "division_name": "云岫省", "year": 2023, "population": 21_843_000},
        {"division": "990000", "division_name": "云岫省", "year": 2024, "population": 21_000_000},
        {"division": "990100", "division_name": "岫宁市", "year": 2024, "population": 1_400_000},
        {"division": "990200", "division_name": "栖岚市", "year": 2024, "population": 699_999},
        {"division": "990202", "division_name": "栖东区", "year": 2024, "population": 700_000},
        {"division": "990221", "division_name": "雾泽县", "year": 2023, "population": 700_001},
        {"division": "990221", "division_name": "雾泽县", "year": 2024, "population": 600_000},
    ],
    "project": [
        project("N1", "国家级", A, "0304", 2022),
        project("N2", "国家级", A, "0401", 2022, matching_amount_fen=99),
        project("N3", "国家级", B, "0303", 2022, amount_fen=None),
        project("N4", "国家级", N, "0304", 2022, funding="定向支持"),
        project("N5", "国家级", N, "0406", 2023),
        *(project(f"O{number}", "国家级", B, "0301", 2024, funding="自筹") for number in range(3)),
        # six municipal projects of 2023: three core, two of them consolidated as well; a third of three in 2024
        *(project(f"M23{code}", "市级", A, code, 2023) for code in ("0405", "0305", "0303", "22", "13", "12")),
        *(project(f"M24{code}", "市级", A, code, 2024) for code in ("0303", "13", "12")),
        project("C1", "县级", C, "0301", 2022),
        project("L1", "省级", A, "0302", 2020),
        project("L2", "省级", A, "0303", 2020, "验收通过"),
        project("L3", "省级", A, "0307", 2020, "待定"),
        project("R1", "省级", B, "0302", 2023, "推荐国家"),
        *(
            project(
                f"D{number}", "省级", A, code, start.year, stage, direction="登峰计划", start_date=start, end_date=end
            )
            for number, code, stage, start, end in (
                (1, "0304", "在建", date(2025, 9, 1), None),
                (2, "0401", "已退出", date(2025, 9, 1), date(2026, 6, 30)),
                (3, "0302", "在建", date(2026, 6, 30), None),
                (4, "0303", "候补", date(2025, 9, 1), None),
                (5, "0305", "退出", date(2025, 10, 1), None),
            )
        ),
    ],
    "project_target": [
        {"project_id": "N1", "indicator_id": indicator, "year": year, "target_value": target}
        for indicator, year, target in (
            ("mean_length_of_stay", 2022, Decimal("7")),
            ("mean_length_of_stay", 2024, Decimal("6.5")),
            ("discharge_count", 2024, Decimal("10")),
            ("cure_rate", 2024, Decimal("0.9")),
        )
    ],
    "accident": [
        {"organisation_id": B, "specialty_code": code, "accident_date": day, "accident_level": level}
        for code, day, level in (
            ("0303", date(2020, 1, 1), "二级"),
            # five years before the application to the day
            ("0302", date(2019, 12, 31), "一级"),
            ("0305", date(2023, 5, 1), None),
            ("0301", date(2023, 5, 1), "三级"),
        )
    ],
    "dossier_item": [
        *dossier(A, "0304", D0107="无", D0302="规划", D0303="制度"),
        *dossier(A, "0501", D0107="有"),
        *(row for code in ("0301", "0302", "0303", "0305", "0401", "19") for row in dossier(B, code, D0104="方向")),
        *dossier(C, "0301", D0104="方向"),
        *dossier(N, "0303", D0104="方向"),
        *dossier(X, "0304", D0104="方向"),
        # 0304 is ranked twice in the province, 0401 once and in front, 0502 nowhere although a ranking is named
        *dossier(A, "0304", D0705=8, D0712=10, D0713=11, D0311="整改"),
        *dossier(B, "0304", D0705=4),
        *dossier(B, "0401", D0705=2, D0712=11),
        *dossier(A, "0502", D0706="榜单"),
    ],
    "receipt": [{"dataset": name, "source_id": "r", "in_force": True} for name in ("accident", "project")],
    "hqms_front_page": [
        # of three residents of B's county with the same specialty one went to A
        *(
            page(
                number,
                organisation_id=hospital_id,
                discharge_department="0303",
                residence_division="990202",
                discharge_time=datetime(2024, 1, 1, 10),
            )
            for number, hospital_id in enumerate((A, B, B))
        ),
        # one stay a month at A, 8 days each in 2021 and 6 in 2024
        *(
            page(
                year * 12 + month,
                organisation_id=A,
                discharge_time=datetime(year, month, 1, 10),
                length_of_stay_days={2021: 8, 2024: 6}[year],
            )
            for year in (2021, 2024)
            for month in range(1, 13)
        ),
    ],
}


@pytest.fixture(scope="module")
def golden(build: Build) -> Built:
    return build(TABLES)


def eligibility(built: Built, hospital_id: str, specialty: str, tier: str = "municipal") -> dict[str, str]:
    return dict(
        built.rows(
            f"select rule_id, result from fct_eligibility where hospital_id = '{hospital_id}'"
            f" and specialty_code = '{specialty}' and tier = '{tier}'"
            + (" and programme_id = 'beijing_2023'" if tier == "national" else "")
        )
    )


def quota(built: Built, rule: str, scope: str = "990000") -> dict[str, tuple[Any, ...]]:
    """period -> (required low, required high, numerator, denominator, status)"""
    return {
        row[0]: row[1:]
        for row in built.rows(
            "select period, required_low, required_high, actual_numerator, actual_denominator, status from fct_quota"
            f" where rule_id = '{rule}' and scope_id = '{scope}' order by period"
        )
    }


def test_an_applicant_that_meets_every_rule(golden: Built) -> None:
    judged = eligibility(golden, B, "0401")
    # 04 without second-level subjects stands for 0401; 0401 is core, not consolidated
    assert {rule: judged[rule] for rule in ("G-06", "B-19", "B-20", "B-26", "B-27", "B-10", "B-12")} == {
        **dict.fromkeys(("G-06", "B-19", "B-20", "B-26", "B-27", "B-10"), "passed"),
        "B-12": "failed",
    }
    assert golden.rows(
        f"select eligibility from int_eligibility where hospital_id = '{B}' and specialty_code = '0401'"
        " and tier = 'municipal'"
    ) == [("passed",)]


@pytest.mark.parametrize(
    ("hospital_id", "specialty", "tier", "rule", "result"),
    [
        (A, "0304", "national", "B-27", "failed"),
        (A, "0304", "municipal", "B-27", "failed"),
        (A, "0501", "municipal", "B-20", "failed"),
        (A, "0501", "municipal", "B-26", "failed"),
        (B, "0303", "municipal", "B-26", "failed"),
        (B, "0302", "municipal", "B-26", "passed"),
        (B, "0305", "municipal", "B-26", "unknown"),
        (B, "0301", "municipal", "B-26", "passed"),
        # a first-level specialty that is not registered is not registered
        (B, "19", "municipal", "B-20", "failed"),
        (A, "0304", "municipal", "B-22", "passed"),
        (B, "0401", "municipal", "B-22", "unknown"),
        (B, "0302", "national", "B-27", "passed"),
        (B, "0302", "municipal", "B-27", "failed"),
        (B, "0303", "municipal", "B-15", "passed"),
        (A, "0303", "municipal", "B-15", "unknown"),
        (C, "0301", "municipal", "B-19", "failed"),
        (C, "0301", "municipal", "G-06", "passed"),
        (C, "0301", "zhufeng", "Z-04", "passed"),
        (C, "0301", "panfeng", "Z-03", "failed"),
        (A, "0304", "dengfeng", "Z-02", "passed"),
        (N, "0303", "national", "N-13", "failed"),
        # nobody among the first three, two among the first ten; one among the first three, and only it
        (A, "0304", "national", "B-09", "passed"),
        (B, "0401", "national", "B-09", "passed"),
        (A, "0304", "municipal", "B-14", "passed"),
        (B, "0401", "municipal", "B-14", "passed"),
        (A, "0502", "national", "B-09", "passed"),
        (A, "0502", "municipal", "B-14", "failed"),
        (C, "0301", "national", "B-09", "unknown"),
        (A, "0304", "dengfeng", "Z-02b", "passed"),
        (B, "0401", "dengfeng", "Z-02b", "failed"),
        (B, "0304", "dengfeng", "Z-02b", "unknown"),
        (A, "0304", "panfeng", "Z-03b", "failed"),
        (B, "0301", "national", "N-13", "passed"),
        (X, "0304", "national", "N-13", "unknown"),
        (X, "0304", "municipal", "G-06", "unknown"),
    ],
)
def test_rules_of_eligibility(
    golden: Built, hospital_id: str, specialty: str, tier: str, rule: str, result: str
) -> None:
    assert eligibility(golden, hospital_id, specialty, tier)[rule] == result


def test_few_on_a_ranking_is_a_parameter(golden: Built, tmp_path: Path) -> None:
    """B-09: the first three are taken for 0401, and one of the first ten is no longer few."""
    strict = golden.after(tmp_path, "update selection_parameters set value = '0' where parameter_id like 'few_%'")
    assert eligibility(strict, B, "0401", "national")["B-09"] == "failed"
    assert eligibility(strict, A, "0304", "national")["B-09"] == "passed"


def test_a_district_has_conditions_of_its_own(golden: Built, tmp_path: Path) -> None:
    """B-28: a rule with a division is put to the hospitals that lie in it, and to no other."""
    own = golden.after(tmp_path, "update eligibility_rules set only_division = '990200' where rule_id = 'G-06'")
    assert eligibility(own, B, "0401")["G-06"] == "passed"
    assert eligibility(own, C, "0301")["G-06"] == "passed", "a county of that prefecture"
    assert "G-06" not in eligibility(own, A, "0304")


def test_the_dates_of_a_plan(golden: Built, tmp_path: Path) -> None:
    """Z-11 to Z-14: what began in time, what was reviewed in the year, what was accepted."""

    def stages(built: Built) -> dict[str, tuple[Any, ...]]:
        return {
            row[0]: row[1:]
            for row in built.rows(
                "select rule_id, phase, project_count, reached_count from fct_programme_stage"
                " where tier in ('dengfeng', 'zhufeng')"
            )
        }

    now = stages(golden)
    # D1 begins on the first of September 2025; D2 has left, D4 is in reserve, D3 began too late for the start
    assert (now["Z-11"], now["Z-13"]) == (("open", 1, 1), ("upcoming", 2, 0))
    assert now["Z-14b"] == ("upcoming", 0, 0)
    later = stages(
        golden.after(tmp_path, "update selection_parameters set value = '2026-03-01' where parameter_id = 'as_of_date'")
    )
    assert (later["Z-11"], later["Z-12a"]) == (("closed", 1, 1), ("open", 2, 1))


def test_evidence_says_what_the_result_rests_on(golden: Built) -> None:
    ((evidence, reason),) = golden.rows(
        f"select evidence_zh, unknown_reason_zh from fct_eligibility where rule_id = 'B-27' and tier = 'municipal'"
        f" and hospital_id = '{A}' and specialty_code = '0304'"
    )
    assert (evidence, reason) == ("2016 年以来同级别及以上项目 1 个：2022年国家级", None)
    ((evidence, reason),) = golden.rows(
        f"select evidence_zh, unknown_reason_zh from fct_eligibility where rule_id = 'B-26' and tier = 'municipal'"
        f" and hospital_id = '{B}' and specialty_code = '0305'"
    )
    assert evidence == "2019-12-31 之后登记重大事故 0 起、等级不明 1 起；申报材料：未填"
    assert reason


def test_without_a_received_register_nothing_is_known_of_accidents(golden: Built, tmp_path: Path) -> None:
    silent = golden.after(tmp_path, "delete from landing.receipt")
    assert eligibility(silent, B, "0401")["B-26"] == "unknown"
    assert eligibility(silent, A, "0304")["B-26"] == "passed", "the dossier declares it"
    assert eligibility(silent, B, "0401")["B-27"] == "unknown"


def test_one_project_per_million_to_million_and_a_half(golden: Built) -> None:
    # 2184.3 万 people are 14 to 22 projects
    assert quota(golden, "N-09")["2023"] == (14, 22, 1, 1, "not_met")
    assert quota(golden, "N-09")["2024"] == (14, 21, 0, 1, "not_met")
    assert quota(golden, "N-09")["2022"][4] == "unknown"


def test_one_project_per_700_000_and_one_for_smaller_counties(golden: Built) -> None:
    assert quota(golden, "N-10", "990100")["2024"] == (2, None, 3, 1, "met")
    assert quota(golden, "N-10", "990202")["2024"] == (1, None, 0, 1, "not_met")
    assert quota(golden, "N-10", "990200")["2024"][4] == "not_applicable"
    # by its latest population the county is below 700 000; the prefecture is not a county
    assert quota(golden, "N-11", "990221") == {"2021-2025": (1, None, 1, 1, "met")}
    assert quota(golden, "N-11", "990202") == quota(golden, "N-11", "990200") == {}


def test_a_small_county_without_a_project(golden: Built, tmp_path: Path) -> None:
    assert quota(golden.after(tmp_path, "delete from landing.project where project_id = 'C1'"), "N-11", "990221") == {
        "2021-2025": (1, None, 0, 1, "not_met")
    }


def test_the_share_of_the_capital_follows_the_register(golden: Built, tmp_path: Path) -> None:
    sixty = Decimal("0.6")
    # without the directly supported project two of three; nobody chose projects of 2024 but the hospitals themselves
    assert quota(golden, "N-12")["2022"] == (None, sixty, 2, 3, "not_met")
    assert quota(golden, "N-12")["2024"] == (None, sixty, 0, 0, "not_applicable")
    moved = golden.after(
        tmp_path,
        f"update landing.hospital set division = '990202', is_provincial_capital = false where organisation_id = '{A}'",
    )
    assert quota(moved, "N-12")["2022"] == (None, sixty, 0, 3, "met")
    assert quota(moved, "N-10", "990100")["2024"][2:] == (0, 1, "not_met")


def test_an_unregistered_hospital_leaves_the_share_unknown(golden: Built, tmp_path: Path) -> None:
    unknown = golden.after(tmp_path, f"delete from landing.hospital where organisation_id = '{B}'")
    assert quota(unknown, "N-12")["2022"][4] == "unknown"
    assert quota(unknown, "N-13")["2022"][4] == "unknown"


def test_national_centres_and_own_choices(golden: Built) -> None:
    assert [row[4] for row in quota(golden, "N-13").values()] == ["met", "met", "not_met", "met"]
    assert quota(golden, "N-14", B)["2023"] == (None, 2, 0, 1, "met")
    assert quota(golden, "N-14", B)["2024"] == (None, 2, 3, 1, "not_met")


def test_core_share_in_both_readings(golden: Built) -> None:
    third = Decimal("0.33333333")
    assert quota(golden, "B-06a") == {"2023": (third, None, 3, 6, "met"), "2024": (third, None, 1, 3, "met")}
    assert quota(golden, "B-06b") == {"2023": (third, None, 1, 6, "not_met"), "2024": (third, None, 1, 3, "met")}


def test_quotas_of_another_province_are_left_out(golden: Built) -> None:
    assert golden.rows("select count(*) from fct_quota where rule_id in ('B-04', 'B-05a', 'Z-01a')") == [(0,)]


def test_the_nation_is_not_judged_by_one_province(golden: Built) -> None:
    assert golden.rows("select distinct status from fct_quota where scope_kind = 'nation'") == [("unknown",)]


def test_at_most_five_percent_are_recommended_for_the_national_title(golden: Built) -> None:
    # of 9 municipal, 1 county and 1 provincial project
    assert quota(golden, "N-18") == {"2021-2025": (None, Decimal("0.05"), 1, 11, "not_met")}


def test_every_disease_system_has_a_national_project(golden: Built) -> None:
    assert [quota(golden, "N-21", str(n))["2021-2025"][4] for n in range(1, 7)] == [
        *("met", "not_met", "not_met", "met", "met", "met"),
    ], "0303 is no specialty of the neurosurgical directions; 0401 serves tumours of digestion and of the breast"


def test_matching_funds(golden: Built) -> None:
    assert [quota(golden, "Z-16", name)["2022"][4] for name in ("N1", "N2", "N3")] == ["met", "not_met", "unknown"]


def test_the_on_site_sample_can_be_drawn_again(golden: Built, tmp_path: Path) -> None:
    """N-19, N-46: data from afar, and a sample that is visited."""
    national = [row["project_id"] for row in TABLES["project"] if row["project_level"] == "国家级"]
    ordered = sorted(national, key=lambda name: hashlib.md5(f"现场抽核|{name}".encode()).hexdigest())
    assert golden.rows("select project_id from int_on_site_sample order by sample_order") == [(n,) for n in ordered]
    assert golden.rows("select project_id from int_on_site_sample where is_sampled") == [(ordered[0],)]
    assert quota(golden, "N-19") == {"2021-2025": (Decimal("0.05"), None, 1, 8, "met")}
    more = golden.after(tmp_path, "update selection_parameters set value = '0.13' where parameter_id = 'sample_share'")
    # 1.04 of 8 is two
    assert more.rows("select count(*) from int_on_site_sample where is_sampled") == [(2,)]


def test_stages_that_are_due(golden: Built) -> None:
    stages = {
        (row[0], row[1]): row[2:]
        for row in golden.rows("select project_id, stage_id, due_date, status, status_reason from fct_project_stage")
    }
    assert stages["N1", "completion"] == (date(2025, 6, 30), "upcoming", None)
    assert stages["N1", "mid_term"][:2] == (date(2024, 1, 1), "unknown")
    assert stages["L1", "acceptance"] == (
        date(2023, 9, 30), "overdue", "应于 2023-09-30 前完成，已逾期 458 天"
    )  # fmt: skip
    assert stages["L2", "acceptance"][1] == "done"
    assert stages["L3", "acceptance"][1] == "unknown"
    assert stages["D4", "acceptance"][1] == "not_applicable"
    assert quota(golden, "N-43", "L1") == {"2023-09-30": (None, 0, 1, 1, "not_met")}
    assert quota(golden, "N-43", "L2")["2023-09-30"][4] == "met"


def test_progress_since_the_year_before_the_project(golden: Built) -> None:
    """N-42, N-44, N-46, N-48, I-06: the same indicators before and during a project, and what they gained."""
    assert golden.rows(
        "select baseline_year, latest_year, baseline_value, latest_value, change, trend from fct_project_progress"
        " where project_id = 'N1' and indicator_id = 'mean_length_of_stay'"
    ) == [(2021, 2024, 8, 6, -2, "improved")]
    assert golden.rows("select distinct trend, status_reason from fct_project_progress where project_id = 'N2'") == [
        ("not_comparable", "基线年度无值")
    ]


def test_progress_against_the_targets_of_the_task_book(golden: Built) -> None:
    """G-20, N-42, N-44: baseline, yearly targets, the latest year against its own, the improvement as a quantity."""
    assert golden.rows(
        "select improvement, improvement_share, target_value, target_status, final_year, final_value, next_due_date"
        " from fct_project_progress where project_id = 'N1' and indicator_id = 'mean_length_of_stay'"
    ) == [(2, Decimal("0.25"), Decimal("6.5"), "met", 2025, None, date(2024, 1, 1))]
    assert golden.rows(
        "select data_year, is_baseline, value, change, target_value, target_status from fct_project_year"
        " where project_id = 'N1' and indicator_id = 'mean_length_of_stay' order by data_year"
    ) == [
        (2021, True, 8, 0, None, "no_target"),
        (2022, False, None, None, 7, "no_value"),
        (2024, False, 6, -2, Decimal("6.5"), "met"),
    ]
    assert golden.rows(
        "select data_year, value, target_status from fct_project_year"
        " where project_id = 'N1' and indicator_id = 'discharge_count' and target_value is not null"
    ) == [(2024, 12, "no_direction")]
    assert golden.rows(
        "select target_status from fct_project_year where project_id = 'N1' and indicator_id = 'cure_rate'"
    ) == [("no_value",)]
    ((overdue,),) = golden.rows("select distinct overdue_stage_count from fct_project_progress where project_id = 'L1'")
    assert overdue == 2


def test_entries_and_exits_are_dated(golden: Built) -> None:
    moves = golden.rows(
        "select project_id, move, move_date, member_count from fct_list_move where tier = 'dengfeng'"
        " order by move_date nulls last, project_id, move"
    )
    assert moves == [
        ("D1", "enter", date(2025, 9, 1), 2),
        ("D2", "enter", date(2025, 9, 1), 2),
        ("D4", "reserve", date(2025, 9, 1), 2),
        ("D5", "enter", date(2025, 10, 1), 3),
        ("D2", "leave", date(2026, 6, 30), 3),
        ("D3", "enter", date(2026, 6, 30), 3),
        ("D5", "leave", None, None),
    ]


def test_a_parameter_outside_its_range_stops_the_run(golden: Built, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="参数 sample_share 的取值 3 不在允许范围"):
        golden.after(tmp_path, "update selection_parameters set value = '3' where parameter_id = 'sample_share'")
