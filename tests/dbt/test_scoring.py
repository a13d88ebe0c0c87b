"""The programmes as printed, and their scores on small tables counted by hand."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from conftest import REPOSITORY
from scoring import Scoring, Value, no_value, scoring

__all__ = ["scoring"]

SEEDS = REPOSITORY / "dbt" / "seeds" / "programmes"
NATIONAL, BEIJING, GUIZHOU = "national_2021", "beijing_2023", "guizhou_942"
NO_SURGERY = no_value("not_applicable", "本窗口无手术病例")
THIRD = Decimal("33.33333333")


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def items(programme: str, part: str = "data") -> list[dict[str, str]]:
    return [row for row in seed("programme_items") if (row["programme_id"], row["part"]) == (programme, part)]


def entries(programme: str) -> dict[str, dict[str, str]]:
    """The printed entries in their order, each by the first of its rows."""
    return {row["entry_id"]: row for row in reversed(items(programme))}


# --- as printed


def test_the_national_index_has_28_entries_under_27_numbers() -> None:
    printed = entries(NATIONAL)
    assert len(printed) == 28
    assert Counter(row["serial_no"] for row in printed.values()) == {str(n): 1 + (n == 1) for n in range(1, 28)}
    assert {"NI-01a", "NI-01b"} == {entry for entry, row in printed.items() if row["serial_no"] == "1"}
    groups = Counter((row["group_id"], row["group_zh"]) for row in printed.values())
    assert groups == {
        ("1", "地方投入和政策保障情况"): 2,
        ("2", "医院管理情况"): 5,
        ("3", "专科建设与服务情况"): 13,
        ("4", "人才队伍建设情况"): 3,
        ("5", "专业影响力"): 5,
    }


def test_the_beijing_index_has_20_entries() -> None:
    printed = entries(BEIJING)
    assert [row["serial_no"] for row in sorted(printed.values(), key=lambda row: row["entry_id"])] == [
        str(n) for n in range(1, 21)
    ]
    assert Counter(row["group_zh"] for row in printed.values()) == {
        "医院整体管理情况": 5,
        "专科建设与服务情况": 13,
        "人才队伍建设情况": 2,
    }


def test_the_guizhou_index_has_27_entries_in_nine_domains() -> None:
    printed = entries(GUIZHOU)
    assert Counter(row["group_id"] for row in printed.values()) == dict(
        zip("123456789", (4, 3, 4, 3, 3, 2, 4, 3, 1), strict=True)
    )
    # what one entry names besides each other is a row of its own
    assert [row["title_zh"] for row in items(GUIZHOU) if row["entry_id"] == "ZI-13"] == [
        "病例组合指数（CMI）",
        "RW≥2 病例占比",
        "危重症转诊会诊中心功能定位",
    ]


def test_windows_are_as_printed() -> None:
    def windows(programme: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {"近3年": set(), "近5年": set()}
        for entry, row in entries(programme).items():
            if row["printed_window"]:
                found[row["printed_window"]].add(entry)
        return found

    assert windows(NATIONAL) == {
        "近3年": {f"NI-{n:02d}" for n in (*range(9, 19), 23, 24)},
        "近5年": {"NI-25", "NI-26", "NI-27"},
    }
    assert windows(BEIJING) == {"近3年": {f"BI-{n:02d}" for n in (*range(8, 11), *range(12, 16))}, "近5年": set()}
    assert windows(GUIZHOU) == {"近3年": set(), "近5年": set()}


@pytest.mark.parametrize(
    ("printed", "applicability", "expected"),
    [
        ("（外科为主）", "mainly_surgical", {"NI-11", "NI-12"}),
        ("（限外科专业）", "surgical_only", {"BI-14", "BI-15", "BI-18"}),
        ("（限中央财政资金支持项目）", "central_funds_only", {"BI-06", "BI-11"}),
    ],
)
def test_applicability_is_as_printed(printed: str, applicability: str, expected: set[str]) -> None:
    rows = seed("programme_items")
    assert {row["entry_id"] for row in rows if printed in row["wording_zh"]} == expected
    assert {row["entry_id"] for row in rows if row["applicability"] == applicability} == expected


def test_risk_classes_are_not_mixed_up() -> None:
    """The national index says mid-low risk, the others low risk: different denominators, never one indicator."""
    mortality = {row["item_id"]: row["indicator_id"] for row in seed("programme_items") if "风险组" in row["title_zh"]}
    assert mortality == {
        "NI-15": "mortality_mid_low_risk",
        "BI-16": "mortality_low_risk",
        "ZI-14.4": "mortality_low_risk",
    }


def test_every_printed_entry_weighs_the_same_and_nothing_is_confirmed() -> None:
    weights: Counter[tuple[str, str]] = Counter()
    for row in seed("programme_items"):
        weights[row["programme_id"], row["entry_id"]] += int(row["weight"])
        assert row["owner"] and row["clause"]
    assert set(weights.values()) == {60}
    for name in ("programmes", "programme_items", "tier_weights", "scale_bands", "appraisal_grades"):
        assert {row["status"] for row in seed(name)} == {"provisional"}, name


def test_the_registry_supplies_every_indicator_that_an_item_names() -> None:
    with (REPOSITORY / "dbt" / "seeds" / "indicators" / "indicators.csv").open(encoding="utf-8", newline="") as stream:
        registered = {row["indicator_id"]: row["direction"] for row in csv.DictReader(stream)}
    used = {row["indicator_id"]: row["direction"] for row in seed("programme_items") if row["indicator_id"]}
    assert used.keys() <= registered.keys()
    for indicator in used:
        assert registered[indicator] in (used[indicator], "neutral"), indicator


def test_evidence_items_are_items_of_the_dossier_or_of_another_known_source() -> None:
    with (REPOSITORY / "sources" / "reference" / "dossier_items.csv").open(encoding="utf-8", newline="") as stream:
        dossier = {row["item_code"]: row["value_kind"] for row in csv.DictReader(stream)}
    elsewhere = {"GK000.grade": "A", "GK000.rank": "A", "PROJECTS": "O"}
    for row in seed("programme_items"):
        codes = [code for role in ("evidence", "denominator", "comparison") for code in row[f"{role}_items"].split(";")]
        for code in filter(None, codes):
            assert row["source"] == ("M" if code in dossier else elsewhere[code]), row["item_id"]
            if row["scale_method"] == "reviewer":
                assert dossier[code] == "text"
            elif code in dossier:
                assert dossier[code] == ("choice" if row["scale_method"] == "ordinal" else dossier[code])
                assert dossier[code] != "text", row["item_id"]


# --- places among peers


def test_a_code_that_is_not_in_the_register_is_no_candidate(scoring: Scoring) -> None:
    """Two cases under a mistyped code stand above everybody's, and have no dossier that counts either."""
    values = {(name, "0401"): {"cmi": Value(cmi)} for name, cmi in (("A", "1.2"), ("B", "1.0"), ("C", "0.8"))}
    stray = {("X", "0401"): {"cmi": Value("9.9")}}
    unknown = ["update dim_hospital set is_registered = false, level = null where hospital_id = 'X'"]
    with scoring.province(values) as without:
        expected = without.rows("select * from fct_score order by all")
    with scoring.province(values | stray, dossiers={("X", "0401"): {"D0705": 9}}, statements=unknown) as scored:
        assert scored.rows("select * from fct_score order by all") == expected
        assert scored.rows("select * from fct_item where hospital_id = 'X'") == []


def test_a_surgical_specialty_of_the_national_programme(scoring: Scoring) -> None:
    """Three tertiary hospitals are peers, a secondary one is placed among them. Only four indicators are known."""
    with scoring.province(
        {
            ("A", "0401"): {
                "cmi": Value("1.2"),
                "cost_consumption_index": Value("1.1", cases=29),
                "time_consumption_index": Value("0.9"),
                "level4_surgery_share": Value("0.3"),
            },
            ("B", "0401"): {
                "cmi": Value("1.2"),
                "cost_consumption_index": Value("1.0"),
                "time_consumption_index": Value("1.0"),
                "level4_surgery_share": Value("0.2"),
            },
            ("C", "0401"): {
                "cmi": Value("0.9"),
                "cost_consumption_index": Value("1.3"),
                "time_consumption_index": Value("1.0"),
                "level4_surgery_share": Value("0.1"),
            },
            ("D", "0401"): {
                "cmi": Value("1.0"),
                "cost_consumption_index": Value("0.8"),
                "time_consumption_index": Value("1.0"),
                "level4_surgery_share": NO_SURGERY,
            },
        },
        hospitals={"D": ("2", "综合")},
        dossiers={("A", "0401"): {"D0705": 2}, ("B", "0401"): {"D0705": 5}, ("C", "0401"): {"D0705": 9}},
    ) as scored:

        def score(hospital: str, item: str) -> Any:
            return scored.item(NATIONAL, hospital, "0401", item)[0]

        # higher is better; A and B are equal: (1 worse + half of 2 equal) / 3
        assert [score(hospital, "NI-10") for hospital in "ABC"] == [2 * THIRD + Decimal("0.00000001")] * 2 + [
            Decimal("16.66666667")
        ]
        # D is no peer: (1 worse + half of itself) / (3 + 1)
        assert score("D", "NI-10") == Decimal("37.5")
        # lower is better
        assert [score(hospital, "NI-14") for hospital in "ABCD"] == [
            Decimal("83.33333333"),
            THIRD,
            THIRD,
            Decimal("37.5"),
        ]
        # 29 cases are fewer than 30; two peers are then left, fewer than three; D stands among them as a third
        assert scored.item(NATIONAL, "A", "0401", "NI-13") == (None, "not_scored", "病例数 29 少于最低 30")
        assert scored.value(NATIONAL, "A", "0401", "NI-13") == Decimal("1.1")
        assert scored.item(NATIONAL, "B", "0401", "NI-13") == (None, "not_scored", "同类机构 2 家，少于最低 3 家")
        assert score("D", "NI-13") == Decimal("83.33333333")
        # no surgery at all: the item does not apply, and its weight is not missed
        assert scored.item(NATIONAL, "D", "0401", "NI-11") == (None, "not_applicable", "本窗口无手术病例")
        assert scored.item(NATIONAL, "A", "0401", "NI-01a") == (None, "awaiting_dossier", "申报材料未填")

        # group 3: (66.7 + 83.3 + 83.3) / 3 over 3 of 13 entries
        assert scored.score(NATIONAL, "A", "0401", "3") == (Decimal("77.77777778"), Decimal("0.23076923"), 1)
        # 80 % of the data (3 of 28 entries) and 20 % of the reputation (all of it)
        assert scored.score(NATIONAL, "A", "0401", "data")[:2] == (Decimal("77.77777778"), Decimal("0.10714286"))
        assert scored.score(NATIONAL, "A", "0401") == (Decimal("78.88888889"), Decimal("0.28571429"), 1)
        assert scored.score(NATIONAL, "B", "0401") == (Decimal("50"), Decimal("0.28571429"), 2)
        assert scored.score(NATIONAL, "C", "0401") == (Decimal("21.11111111"), Decimal("0.28571429"), 3)
        # without a reputation its share falls to the data, but 80 % of 3/27 is too little to be ranked
        assert scored.score(NATIONAL, "D", "0401") == (Decimal("52.77777778"), Decimal("0.08888889"), None)
        assert scored.rows(
            "select rank_reason, missing_count, item_count from fct_score where level = 'total' and hospital_id = 'D'"
            f" and programme_id = '{NATIONAL}'"
        ) == [("覆盖率低于参加排名的最低要求 0.10", 29, 32)]


def test_equal_totals_share_a_rank(scoring: Scoring) -> None:
    values = {"A": "1.5", "B": "1.2", "C": "1.2", "D": "0.9"}
    with scoring.province(
        {(hospital, "0304"): {"cmi": Value(value)} for hospital, value in values.items()},
        statements=["update programmes set min_coverage = 0"],
    ) as scored:
        assert [scored.score(NATIONAL, hospital, "0304")[2] for hospital in "ABCD"] == [1, 2, 2, 4]


def test_coverage_is_published_even_where_there_is_no_score(scoring: Scoring) -> None:
    with scoring.province({("A", "0304"): {"cmi": Value("1.5")}}) as scored:
        assert scored.score(NATIONAL, "A", "0304") == (None, Decimal("0"), None)
        assert scored.rows("select count(*) from fct_rank_stability") == [(0,)]


# --- applicability


def test_surgery_items_of_a_specialty_that_is_not_surgical(scoring: Scoring) -> None:
    """Beijing restricts them to surgery; the nation scores them where there is surgery, and says so."""
    with scoring.province(
        {(hospital, "0304"): {"level4_surgery_share": Value(f"0.{n}")} for n, hospital in enumerate("ABC", 1)}
    ) as scored:
        assert scored.item(f"{BEIJING}/municipal", "A", "0304", "BI-14") == (
            *(None, "not_applicable"),
            "限外科专业，本专科不是外科",
        )
        assert scored.item(NATIONAL, "C", "0304", "NI-11") == (
            *(Decimal("83.33333333"), "valued"),
            "外科为主的指标，本专科不是外科",
        )
        assert scored.rows("select distinct item_id from fct_item where is_flagged") == [("NI-11",)]


def test_items_for_central_funds_do_not_apply_to_city_projects(scoring: Scoring) -> None:
    with scoring.province(dossiers={("A", "0401"): {"D0401": 3}}) as scored:
        for item in ("BI-06", "BI-11"):
            assert scored.item(f"{BEIJING}/municipal", "A", "0401", item)[1:] == (
                *("not_applicable",),
                "限中央财政资金支持项目",
            )
            assert scored.item(f"{BEIJING}/national", "A", "0401", item)[1] != "not_applicable"


def test_an_indicator_that_nobody_registered_is_named(scoring: Scoring) -> None:
    with scoring.province(
        {("A", "0401"): {"cmi": Value(1)}},
        statements=["update programme_items set indicator_id = 'unheard_of' where item_id = 'BI-12'"],
    ) as scored:
        assert scored.item(f"{BEIJING}/national", "A", "0401", "BI-12") == (
            *(None, "not_scored"),
            "指标 unheard_of 尚未登记",
        )


# --- evidence


def test_a_dossier_of_the_beijing_programme(scoring: Scoring) -> None:
    answers = {
        # 500 万元 of 200 people: 250 万元 per hundred
        "A": {"D0503": 500, "D0601": 200, "D0604": 3, "D0605": 5, "D0602": 16, "D0801": "国家级专业基地"},
        "B": {"D0503": 100, "D0601": 0, "D0604": 3, "D0602": 16, "D0801": "校级基地"},
        "C": {"D0503": 300, "D0601": 100, "D0306": 0, "D0402": 88},
        "D": {"D0503": 200, "D0601": 100, "D0306": 1, "D0402": ""},
    }
    with scoring.province(dossiers={(hospital, "0304"): given for hospital, given in answers.items()}) as scored:
        programme = f"{BEIJING}/municipal"
        assert [scored.value(programme, hospital, "0304", "BI-09") for hospital in "ACD"] == [250, 300, 200]
        assert [scored.item(programme, hospital, "0304", "BI-09")[0] for hospital in "ACD"] == [
            *(Decimal("50"), Decimal("83.33333333"), Decimal("16.66666667")),
        ]
        assert scored.item(programme, "B", "0304", "BI-09")[1:] == ("not_scored", "分母为零")
        # both senior grades are asked for: one alone is no share
        assert scored.value(programme, "A", "0304", "BI-19") == Decimal("0.5")
        assert scored.item(programme, "B", "0304", "BI-19")[1] == "awaiting_dossier"
        assert scored.item(programme, "A", "0304", "BI-20")[:2] == (80, "valued")
        assert scored.item(programme, "B", "0304", "BI-20")[1:] == ("not_scored", "计分表中没有“校级基地”")
        assert [scored.item(programme, hospital, "0304", "BI-02.1")[0] for hospital in "CD"] == [0, 100]
        # a text counts by its reviewer's score, and waits for one
        assert scored.item(programme, "C", "0304", "BI-07.2")[:2] == (88, "valued")
        assert scored.item(programme, "D", "0304", "BI-07.2")[1:] == ("not_scored", "待评审专家评分")
        # every item of the dossier has a row
        assert scored.rows(
            "select status, count(*) from fct_evidence where hospital_id = 'D' and origin = 'dossier'"
            " group by 1 order by 1"
        ) == [("awaiting_dossier", 113), ("not_scored", 1), ("valued", 3)]


def test_grades_are_an_order_and_not_an_alphabet(scoring: Scoring) -> None:
    grades = [("A", 2022, "A+", 9), ("A", 2023, "A", 12), ("B", 2023, "A++", 1), ("C", 2023, "B", 30)]
    with scoring.province({(hospital, "0401"): {"cmi": Value(1)} for hospital in "ABC"}, grades=grades) as scored:
        programme = f"{BEIJING}/national"
        assert [scored.item(programme, hospital, "0401", "BI-01.1")[0] for hospital in "ABC"] == [80, 100, 50]
        assert [scored.item(programme, hospital, "0401", "BI-01.2")[0] for hospital in "ABC"] == [
            *(50, Decimal("83.33333333"), Decimal("16.66666667")),
        ]
        assert scored.rows(
            "select choice, value, change, specialty_code from fct_evidence"
            " where hospital_id = 'A' and item_code = 'GK000.grade' order by data_year"
        ) == [("A+", 10, None, "ALL"), ("A", 9, -1, "ALL")]


def test_earlier_projects_come_from_the_ledger(scoring: Scoring) -> None:
    with scoring.province(
        {(hospital, "0401"): {"cmi": Value(1)} for hospital in "ABC"},
        statements=[
            "insert into landing.project (project_id, organisation_id, specialty_code, project_level) values"
            " ('P1', 'A', '0401', '市级'), ('P2', 'B', '0401', '县级'), ('P3', 'C', '0304', '国家级')",
        ],
    ) as scored:
        programme = f"{BEIJING}/national"
        assert [scored.item(programme, hospital, "0401", "BI-06")[0] for hospital in "ABC"] == [100, 0, 0]


# --- improvement


def yearly(*values: str | None) -> list[Value]:
    pooled = Value("0.2")
    known = [Value(value, window=str(2022 + n)) for n, value in enumerate(values) if value is not None]
    return [pooled, *known]


def test_year_by_year_improvement_needs_every_year(scoring: Scoring) -> None:
    series = {"A": yearly("0.1", "0.2", "0.3"), "B": yearly("0.1", "0.3", "0.3"), "C": yearly("0.1", None, "0.3")}
    with scoring.province(
        {(hospital, "0401"): {"out_of_province_share": values} for hospital, values in series.items()}
    ) as scored:
        programme = f"{GUIZHOU}/panfeng"
        assert [scored.item(programme, hospital, "0401", "ZI-74.1")[0] for hospital in "AB"] == [100, 0]
        assert scored.item(programme, "C", "0401", "ZI-74.1")[1:] == (
            *("not_scored",),
            "窗口内有年度没有值，不能逐年比较",
        )


def test_satisfaction_may_beat_any_of_three(scoring: Scoring) -> None:
    """This year 90: above last year, or the nation, or the province; unknown only where the open ones decide."""
    answers = {
        "A": {"D1001": 90, "D1002": 95, "D1003": 89},
        "B": {"D1001": 90, "D1002": 90, "D1003": 91, "D1004": 92},
        "C": {"D1001": 90, "D1002": 95, "D1003": 91},
    }
    with scoring.province(dossiers={(hospital, "0401"): given for hospital, given in answers.items()}) as scored:
        programme = f"{GUIZHOU}/dengfeng"
        assert [scored.item(programme, hospital, "0401", "ZI-81")[0] for hospital in "AB"] == [100, 0]
        assert scored.item(programme, "C", "0401", "ZI-81")[1:] == ("awaiting_dossier", "没有可比较的上年值或平均值")


def test_a_grade_may_rise_or_stay_high(scoring: Scoring) -> None:
    """General hospitals stay high at A+, others at A."""
    grades = {
        "rises": ("综合", "B++", "A"),
        "stays": ("综合", "A+", "A+"),
        "stays lower": ("综合", "A", "A"),
        "special": ("专科", "A", "A"),
        "falls": ("专科", "A+", "B"),
    }
    with scoring.province(
        {(hospital, "0401"): {"cmi": Value(1)} for hospital in [*grades, "new", "absent"]},
        hospitals={hospital: ("3", kind) for hospital, (kind, *_) in grades.items()},
        grades=[(hospital, 2022 + n, grade, 1) for hospital, (_, *two) in grades.items() for n, grade in enumerate(two)]
        + [("new", 2023, "A", 1)],
    ) as scored:

        def item(hospital: str) -> tuple[Any, ...]:
            return scored.item(f"{GUIZHOU}/zhufeng", hospital, "0401", "ZI-91")

        assert {hospital: item(hospital)[0] for hospital in grades} == {
            **dict.fromkeys(("rises", "stays", "special"), 100),
            **dict.fromkeys(("stays lower", "falls"), 0),
        }
        assert item("rises")[1:] == ("valued", "与上一年度（2022 年，未立项）相比")
        assert item("new")[1:] == ("not_scored", "没有上一年度（2022 年，未立项）的档位")
        assert item("absent")[1:] == ("not_scored", "没有绩效考核结果")


def test_a_grade_is_compared_with_the_year_before_the_project(scoring: Scoring) -> None:
    """ZI-91: 较建设前提升, or high in every year since; what the last year alone did is another question."""
    grades = {  # of 2021, 2022 and 2023
        "raised": ("B++", "A", "A"),
        "recovered": ("A", "B", "A"),
        "high": ("A+", "A++", "A+"),
        "dipped": ("A++", "A", "A+"),
        "unknown": ("Z", "A", "A+"),
        "late": ("B", "B", "A"),
        "left": ("A", "B", "A"),
    }
    began = {**dict.fromkeys(grades, 2022), "late": 2024}
    project = (
        "insert into int_list_project (programme_id, tier, hospital_id, specialty_code, is_counted, start_date)"
        f" values ('{GUIZHOU}', 'panfeng', '{{}}', '0401', {{}}, '{{}}-03-01')"
    )
    with scoring.province(
        {(hospital, specialty): {"cmi": Value(1)} for hospital in grades for specialty in ("0401", "0402")},
        grades=[(hospital, 2021 + n, grade, 1) for hospital, three in grades.items() for n, grade in enumerate(three)],
        statements=[project.format(hospital, hospital != "left", year) for hospital, year in began.items()]
        # an older project of the list is not the one that is being built
        + [project.format("raised", True, 2019)],
    ) as scored:
        programme = f"{GUIZHOU}/panfeng"
        assert {hospital: scored.item(programme, hospital, "0401", "ZI-91") for hospital in grades} == {
            "raised": (100, "valued", "与建设前（2021 年）相比"),
            "recovered": (0, "valued", "与建设前（2021 年）相比"),
            "high": (100, "valued", "与建设前（2021 年）相比"),
            "dipped": (0, "valued", "与建设前（2021 年）相比"),
            "unknown": (None, "not_scored", "没有建设前（2021 年）的档位"),
            "late": (None, "not_scored", "建设前（2023 年）以来没有新的档位"),
            "left": (100, "valued", "与上一年度（2022 年，未立项）相比"),
        }
        # neither another specialty of the hospital nor another list is built by that project
        assert scored.item(programme, "recovered", "0402", "ZI-91")[0] == 100
        assert scored.item(f"{GUIZHOU}/dengfeng", "recovered", "0401", "ZI-91")[0] == 100


def test_a_surgical_specialty_of_the_guizhou_programme(scoring: Scoring) -> None:
    """Three peers, values in three of nine domains: by hand, under a tier of even weights and under 筑峰."""
    with scoring.province(
        {
            (hospital, "0401"): {
                "procedure_spectrum": Value(spectrum),
                "out_of_city_share": Value(elsewhere),
                "mean_length_of_stay": Value(stay),
            }
            for hospital, spectrum, elsewhere, stay in (("A", 30, "0.2", 6), ("B", 20, "0.2", 7), ("C", 10, "0.1", 8))
        },
        dossiers={
            ("A", "0401"): {
                **{"D0617": "国家级", "D0604": 6, "D0605": 4, "D0602": 20},
                # below last year and the province, above the nation: one of three is enough
                **{"D1001": 95, "D1002": 96, "D1003": 94, "D1004": 97},
            },
            ("B", "0401"): {"D0617": "省级", "D0604": 2, "D0605": 2, "D0602": 20},
            ("C", "0401"): {"D0617": "无", "D0604": 1, "D0605": 1, "D0602": 20},
        },
    ) as scored:
        climbing, base = f"{GUIZHOU}/panfeng", f"{GUIZHOU}/zhufeng"
        # domain 1: spectrum first of three, and shared first from elsewhere, 20 each: (83.3 + 66.7) / 2
        assert scored.score(climbing, "A", "0401", "1")[0] == 75
        # domain 2: title 60 at 100, half of the physicians are senior, 20 at 83.3
        assert scored.score(climbing, "A", "0401", "2")[0] == Decimal("95.83333333")
        # domain 8: satisfaction 60 at 100, the shortest stay 30 at 83.3
        assert scored.score(climbing, "A", "0401", "8")[0] == Decimal("94.44444444")
        # (40 x 75 + 80 x 95.8 + 90 x 94.4) / 210; 210 of 27 entries at 60
        assert scored.score(climbing, "A", "0401") == (Decimal("91.26984127"), Decimal("0.12962963"), 1)
        # domains 1 and 2 twice: (80 x 75 + 160 x 95.8 + 90 x 94.4) / 330; four and three entries more
        assert scored.score(base, "A", "0401") == (Decimal("90.40404040"), Decimal("0.16176471"), 1)
        # C: (40 x 16.7 + 80 x 4.2 + 30 x 16.7) / 150; with 150 of 1,620 it is not ranked
        assert scored.score(climbing, "C", "0401") == (Decimal("10"), Decimal("0.09259259"), None)


# --- configuration


def test_a_tier_weighs_its_groups(scoring: Scoring) -> None:
    """筑峰 counts quality and people twice: (2 x 100 + 0) / 3 where the other tiers have (100 + 0) / 2."""
    with scoring.province(
        dossiers={("A", "0401"): {"D0617": "国家级", "D0901": 0}},
        statements=[
            "delete from programme_items where item_id not in ('ZI-21', 'ZI-61.1')",
            "update programme_items set weight = 60",
        ],
    ) as scored:
        assert scored.score(f"{GUIZHOU}/panfeng", "A", "0401")[0] == 50
        assert scored.score(f"{GUIZHOU}/zhufeng", "A", "0401")[0] == Decimal("66.66666667")


def test_a_missing_value_may_count_as_zero(scoring: Scoring) -> None:
    with scoring.province(
        dossiers={("A", "0401"): {"D0617": "国家级"}},
        statements=[
            "delete from programme_items where item_id not in ('ZI-21', 'ZI-61.1')",
            "update programme_items set weight = 60, missing_policy = 'zero'",
        ],
    ) as scored:
        assert scored.item(f"{GUIZHOU}/panfeng", "A", "0401", "ZI-61.1")[:2] == (0, "awaiting_dossier")
        assert scored.score(f"{GUIZHOU}/panfeng", "A", "0401")[:2] == (50, Decimal("0.5"))


def test_the_latest_complete_window_is_scored_unless_a_year_is_named(scoring: Scoring) -> None:
    later = (
        "insert into dim_window (window_id, first_year, last_year, years, is_complete)"
        " values ('2023-2025', 2023, 2025, 3, false)"
    )
    windows = "select distinct window_id from dim_programme"
    with scoring.province(statements=[later]) as scored:
        assert scored.rows(windows) == [("2022-2024",)]
    with scoring.province(statements=[later, "update programmes set window_last_year = 2025"]) as scored:
        assert scored.rows(windows) == [("2023-2025",)]
    with scoring.province(statements=[later], incomplete=["2022-2024"]) as scored:
        assert scored.rows(windows) == [("2023-2025",)]


def test_what_is_provisional_under_a_score_is_counted(scoring: Scoring) -> None:
    """Each scored item's own configuration and its indicator's definition, and the programme's at the total."""
    values = {
        (hospital, "0401"): {"cmi": Value(n), "mean_length_of_stay": Value(n)} for n, hospital in enumerate("ABC")
    }
    query = (
        "select group_id, provisional_count from fct_score where hospital_id = 'A' and programme_id = 'guizhou_942'"
        " and tier = 'panfeng' and group_id in ('1', '8', 'total') order by 1"
    )
    confirmed = [f"update {table} set status = 'confirmed'" for table in ("programme_items", "programmes")]
    registered = ["update dim_indicator set is_provisional = indicator_id = 'cmi'"]
    with scoring.province(values, statements=registered) as scored:
        assert scored.rows(query) == [("1", 2), ("8", 1), ("total", 4)]
    with scoring.province(values, statements=registered + confirmed) as scored:
        assert scored.rows(query) == [("1", 1), ("8", 0), ("total", 1)]


# --- stability


def test_a_rank_is_stable_where_nothing_can_move_it(scoring: Scoring) -> None:
    """Scores without error, one group: no draw can change an order. Then values of few cases, close together."""
    dossiers = {(hospital, "0401"): {"D0404": 90 - 10 * n} for n, hospital in enumerate("ABCDE")}
    settings = ["update programmes set min_coverage = 0, cut_rank = 2"]
    query = (
        "select hospital_id, above_cut_share, rank_5, rank_95 from fct_rank_stability"
        " where programme_id = 'guizhou_942' and tier = 'panfeng' order by 1"
    )
    with scoring.province(dossiers=dossiers, statements=settings) as scored:
        assert scored.rows(query) == [(h, int(n < 2), n + 1, n + 1) for n, h in enumerate("ABCDE")]

    shares = ["0.30", "0.29", "0.28", "0.27", "0.02"]
    values = {(h, "0401"): {"rw2_share": Value(share, cases=40)} for h, share in zip("ABCDE", shares, strict=True)}
    with scoring.province(values, statements=settings) as scored:
        shares_above = {row[0]: row[1] for row in scored.rows(query)}
        assert all(0 < shares_above[hospital] < 1 for hospital in "ABCD")
        assert shares_above["A"] > shares_above["D"] > shares_above["E"] == 0


# --- appraisal, and what was not scored before


def test_grades_of_the_appraisal_year_by_year(scoring: Scoring) -> None:
    """BI-01, ZI-91: by the ordinal scale A is below A+, B++ below A; a gap of a year is no comparison."""
    grades = [("A", 2020, "B++", 9), ("A", 2021, "A", 5), ("A", 2022, "A", 6), ("A", 2024, "A+", 1)]
    grades += [("B", 2021, "A+", 2), ("B", 2022, "A+", 1), ("B", 2023, "A", 4), ("C", 2021, "X", 3)]
    grades += [("S", 2021, "A", 2), ("S", 2022, "A", 2)]
    with scoring.province(grades=grades, hospitals={"S": ("3", "专科")}) as scored:
        found = scored.rows(
            "select hospital_id, data_year, previous_grade, position_change, rank_gain, trend, status_reason"
            " from fct_appraisal order by 1, 2"
        )
    none = (None, None, None, "not_comparable")
    assert found == [
        ("A", 2020, *none, "没有上一年度的等级"),
        ("A", 2021, "B++", 1, 4, "improved", None),
        ("A", 2022, "A", 0, -1, "kept", None),
        ("A", 2024, *none, "没有上一年度的等级"),
        ("B", 2021, *none, "没有上一年度的等级"),
        ("B", 2022, "A+", 0, 1, "kept_high", None),
        ("B", 2023, "A+", -1, -3, "worse", None),
        ("C", 2021, *none, "等级表中没有“X”"),
        ("S", 2021, *none, "没有上一年度的等级"),
        ("S", 2022, "A", 0, 0, "kept_high", None),
    ]


def test_single_diseases_are_scored(scoring: Scoring) -> None:
    """NI-17 and ZI-14: reporting and process stand for the management of single diseases, each among peers."""
    with scoring.province(
        {
            (hospital, "0304"): {
                "single_disease_report_rate": Value(f"0.{9 - n}"),
                "single_disease_process_share": Value(f"0.{7 + n}"),
            }
            for n, hospital in enumerate("ABC")
        }
    ) as scored:
        for programme, report, process in (
            (NATIONAL, "NI-17.1", "NI-17.2"),
            (f"{GUIZHOU}/panfeng", "ZI-14.1", "ZI-14.5"),
        ):
            scores = [scored.item(programme, hospital, "0304", report)[:2] for hospital in "ABC"]
            assert scores == [(Decimal(text), "valued") for text in ("83.33333333", "50", "16.66666667")]
            assert scored.item(programme, "C", "0304", process)[0] == Decimal("83.33333333")
