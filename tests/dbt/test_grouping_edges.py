"""What decides at the edges of grouping, each on a scheme of a few lines, with the results expected by hand.

Every edge is an edition of its own; one run of dbt groups them all, and the reference grouper must agree with the
expectations too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from grouping import candidate, group_in_sql, run_models
from province import page
from support.grouper import Case, Result, Scheme, Tables, group

Expected = Mapping[str, Any]


# ------------------------------------------------------------------------------------------------ schemes in short


def _words(text: str) -> tuple[list[str], dict[str, str]]:
    """`I21 I22 sex=1`: the words, and what is given by name."""
    words = text.split()
    return [word for word in words if "=" not in word], dict(word.split("=") for word in words if "=" in word)


def scheme(
    mdcs: Mapping[str, str], adrgs: Mapping[str, Sequence[Sequence[str]]], drgs: Mapping[str, str], **tables: list[Any]
) -> Tables:
    """MDC -> its diagnoses (`code@region`) and columns; ADRG -> alternatives of `role codes columns`; DRG -> severity.

    What stands first has priority. An ADRG belongs to the MDC of its first letter, a DRG to the ADRG of its first
    three characters.
    """
    rows: dict[str, list[dict[str, str]]] = {
        **{name: [] for name in ("mdc", "mdc_diagnosis", "adrg", "adrg_condition", "code_list")},
        "drg": [
            {"drg": drg, "adrg": drg[:3], "name_zh": f"组{drg}", "severity": severity} for drg, severity in drgs.items()
        ],
    }
    mdc_columns = ("sex", "age_days_max", "age_years_max", "min_body_regions", "requires_valid_procedure")
    for priority, (mdc, text) in enumerate(mdcs.items(), 1):
        codes, given = _words(text)
        rows["mdc"].append(
            {"mdc": mdc, "name_zh": f"大类{mdc}", "priority": str(priority)}
            | {column: given.get(column, "") for column in mdc_columns}
        )
        for word in codes:
            code, _, region = word.partition("@")
            rows["mdc_diagnosis"].append({"mdc": mdc, "code": code, "body_region": region})
    for priority, (adrg, alternatives) in enumerate(adrgs.items(), 1):
        rows["adrg"].append(
            {"adrg": adrg, "mdc": adrg[0], "name_zh": f"核心{adrg}", "priority": str(priority), "kind": "medical"}
        )
        for alternative, conditions in enumerate(alternatives, 1):
            for text in conditions:
                (role, *codes), given = _words(text)
                list_id = f"{len(rows['adrg_condition'])}" if codes else ""
                rows["adrg_condition"].append(
                    {"adrg": adrg, "alternative": str(alternative), "role": role, "list_id": list_id}
                    | {column: given.get(column, "") for column in ("age_days_max", "weight_g_min", "weight_g_below")}
                )
                rows["code_list"] += [{"list_id": list_id, "code": code} for code in codes]
    return rows | tables


def described(edition: str) -> dict[str, str]:
    """The row of scheme.csv."""
    return {
        **{"scheme_id": "edge", "edition": edition, "name_zh": "边界", "owner": "测试", "licence": "CC0"},
        **{"diagnosis_edition": "2", "procedure_edition": "2", "effective_from": "2020-01-01"},
    }


def procedures(text: str) -> list[dict[str, str]]:
    """For valid_procedure."""
    return [{"code": code} for code in text.split()]


def complications(text: str) -> list[dict[str, str]]:
    """For mcc and cc: `J96@X1 E11`, codes with their exclusion tables."""
    parted = [word.partition("@") for word in text.split()]
    return [{"code": code, "exclusion_table": table} for code, _, table in parted]


def exclusions(text: str) -> list[dict[str, str]]:
    """For exclusion: `J18@X1`, principal diagnoses with the tables that they exclude."""
    parted = [word.partition("@") for word in text.split()]
    return [{"principal_code": code, "exclusion_table": table} for code, _, table in parted]


def mapped(kind: str, from_code: str, to_code: str, to_edition: str = "2", from_edition: str = "1") -> dict[str, str]:
    """A row of code_map; the edition of both code tables is 2."""
    row = {"kind": kind, "from_edition": from_edition, "from_code": from_code}
    return row | {"to_edition": to_edition, "to_code": to_code}


# ------------------------------------------------------------------------------------------------ edges


@dataclass(frozen=True)
class Edge:
    name: str
    scheme: Tables
    cases: Sequence[tuple[Case, Expected]]


def grouped(drg: str, **expected: Any) -> Expected:
    return {"drg_code": drg, "adrg": drg[:3], "mdc": drg[0], "ungrouped_reason": None} | expected


def ungrouped(reason: str, **expected: Any) -> Expected:
    return {"ungrouped_reason": reason, "drg_code": None} | expected


def no_adrg(reason: str, mdc: str | None = None) -> Expected:
    nothing = {"adrg": None, "alternative": None, "complication_level": None, "complication_code": None}
    return ungrouped(reason, mdc=mdc, excluded_codes=(), **nothing)


HEART = scheme(
    {"F": "I21 I50", "G": "K35"},
    {"FR1": [["principal_diagnosis I21"]], "FR2": [["none"]], "GR1": [["none"]]},
    {"FR11": "mcc", "FR13": "cc", "FR15": "none", "FR29": "any", "GR11": "mcc", "GR15": "none"},
    mcc=complications("J96@X1 I21 I50@X3"),
    cc=complications("E11@X2 J96@X2"),
    exclusion=exclusions("I21@X1 K35@X2"),
)
WOUNDS = scheme(
    {"Z": "S06@头 S07@头 S27@胸 S36@腹 S00 min_body_regions=2", "B": "S06 S07 S00"},
    {"ZZ1": [["none"]], "BR1": [["principal_diagnosis S06 S07 S00"]]},
    {"ZZ19": "any", "BR19": "any"},
)
NEWBORNS = scheme(
    {"P": "P07 age_days_max=28", "F": "I21"},
    {
        "PR1": [["principal_diagnosis P07 weight_g_min=1500 weight_g_below=2500"]],
        "PR2": [["none weight_g_below=1500 age_days_max=6"]],
        "FR1": [["none age_days_max=28"]],
    },
    {"PR19": "any", "PR29": "any", "FR19": "any"},
)
SURGERY = scheme(
    {"F": "I21 I50"},
    {
        "FA1": [["any_procedure 36.1", "any_procedure 39.6"]],
        "FB1": [["principal_procedure 36.0"], ["any_diagnosis I50", "any_procedure 36.0"]],
        "FC1": [["first_valid_procedure"]],
        "FD1": [["any_valid_procedure"]],
        "FR1": [["no_valid_procedure"]],
    },
    {"FA19": "any", "FB19": "any", "FC19": "any", "FD19": "any", "FR19": "any"},
    valid_procedure=procedures("36.1 39.6 36.0 37.8"),
)
PRIORITY = scheme(
    {"A": "", "F": "I21 I22 I23", "G": "I22 I23 K35", "H": "I23"},
    {
        "AA1": [["any_procedure 96.7"]],
        "FR2": [["principal_diagnosis I21"]],
        "FR1": [["principal_diagnosis I21 I22", "any_diagnosis R57"]],
        "GR1": [["principal_diagnosis I22 K35"]],
        "HR1": [["any_diagnosis R57"]],
    },
    {"AA19": "any", "FR29": "any", "FR19": "any", "GR19": "any", "HR19": "any"},
)
SEXES = scheme(
    {"M": "N40 sex=1", "N": "N80 C50 sex=2", "J": "C50", "Q": "Q01 age_years_max=14"},
    {"MR1": [["none"]], "NR1": [["none"]], "JR1": [["principal_diagnosis C61"]], "QR1": [["none"]]},
    {"MR19": "any", "NR19": "any", "JR19": "any", "QR19": "any"},
)
GAPS = scheme(
    {"F": "I21", "G": "K35", "H": "K80"},
    {"FR1": [["principal_diagnosis I21"]], "GR1": [["none"]], "HR1": [["none"]]},
    {"FR11": "mcc", "FR15": "none", "GR11": "mcc", "GR19": "any", "HR13": "cc"},
    mcc=complications("J96"),
    cc=complications("E11"),
)
OLD_CODES = scheme(
    {"F": "I21.001"},
    {"FB1": [["any_procedure 36.0600"]], "FR1": [["none"]]},
    {"FB11": "mcc", "FB15": "none", "FR11": "mcc", "FR15": "none"},
    mcc=complications("J96.900 I21.001"),
    code_map=[
        mapped("diagnosis", "I21.x01", "I21.001"),
        mapped("diagnosis", "I21.x02", "I21.001"),
        # two older editions wrote it alike: still one case
        mapped("diagnosis", "I21.x01", "I21.001", from_edition="0"),
        mapped("diagnosis", "J96.x00", "J96.900"),
        # known to the edition: stays what it is
        mapped("diagnosis", "J96.900", "R99.999"),
        # into another edition
        mapped("diagnosis", "J96.x09", "J96.900", to_edition="3"),
        mapped("procedure", "36.0601", "36.0600"),
        # the same text as a procedure says nothing about a diagnosis
        mapped("procedure", "K99", "36.0600"),
    ],
)
LONG = scheme(
    {"F": "I21"},
    {"FA1": [["any_procedure 36.1", "any_diagnosis J96"]]},
    {"FA11": "mcc", "FA15": "none"},
    mcc=complications("J96"),
)
MANY = [f"R{number:02}" for number in range(40)]

EDGES = [
    Edge(
        "the order of diagnoses matters",
        HEART,
        [
            (Case(["I21", "E11"]), grouped("FR13", complication_code="E11", complication_level="cc")),
            (Case(["E11", "I21"]), no_adrg("principal_outside_scheme")),
            (Case(["I50", "I21"]), grouped("FR29", complication_level=None, complication_code=None)),
        ],
    ),
    Edge(
        "duplicates do not matter, neither do empty elements",
        HEART,
        [
            (Case(["I21", "", "E11", None, "E11", "I21"]), grouped("FR13", complication_code="E11", excluded_codes=())),
            (Case(["I21", "J96", "J96"]), grouped("FR13", complication_code="J96", excluded_codes=("J96",))),
        ],
    ),
    Edge(
        "a missing principal diagnosis is not replaced by the next one",
        PRIORITY,
        [
            (Case(diagnoses, ["96.7"]), no_adrg("principal_missing") | {"trace_zh": "缺主要诊断，不能入组。"})
            for diagnoses in ([], None, [None, "I21"], ["", "I21"])
        ],
    ),
    Edge(
        "a diagnosis is not its own complication",
        HEART,
        [
            (Case(["I21", "I21"]), grouped("FR15", complication_level="none", complication_code=None)),
            (Case(["K35", "I21"]), grouped("GR11", complication_level="mcc", complication_code="I21")),
        ],
    ),
    Edge(
        "excluded under one principal diagnosis, counted under another, each row by itself",
        HEART,
        [
            (
                Case(["I21", "J96"]),
                grouped("FR13", complication_level="cc", complication_code="J96", excluded_codes=("J96",))
                | {
                    "trace_zh": "主要诊断 I21 进入 MDCF（大类F）；符合 ADRG FR1（核心FR1）第 1 组条件；"
                    "次要诊断 J96 为一般并发症或合并症；因主要诊断排除 J96；归入 DRG FR13（组FR13）。"
                },
            ),
            (Case(["K35", "J96"]), grouped("GR11", complication_code="J96", excluded_codes=("J96",))),
            (
                Case(["K35", "E11", "J96", "E11"]),
                grouped("GR11", complication_code="J96", excluded_codes=("E11", "J96")),
            ),
            (Case(["K35", "E11"]), grouped("GR15", complication_level="none", excluded_codes=("E11",))),
            (Case(["I21", "E11"]), grouped("FR13", complication_code="E11", excluded_codes=())),
            # an ADRG that is not divided asks for no complication and excludes none
            (Case(["I50", "J96"]), grouped("FR29", complication_level=None, excluded_codes=())),
        ],
    ),
    Edge(
        "a major complication comes before an ordinary one that stands before it",
        HEART,
        [
            (Case(["I21", "E11", "I50"]), grouped("FR11", complication_level="mcc", complication_code="I50")),
            (Case(["K35", "I50", "J96", "I21"]), grouped("GR11", complication_level="mcc", complication_code="I50")),
        ],
    ),
    Edge(
        "ages of 0, 28 and 29 days",
        NEWBORNS,
        [
            (Case(["P07"], age_years=0, age_days=0, weight_g=2000), grouped("PR19")),
            (Case(["P07"], age_days=28, weight_g=2000), grouped("PR19")),
            (Case(["P07"], age_years=0, age_days=-3, weight_g=2000), grouped("PR19")),  # an error upstream
            (Case(["P07"], age_years=0, age_days=29, weight_g=2000), no_adrg("age_conflict")),
            (Case(["P07"], age_years=1, age_days=5, weight_g=2000), no_adrg("age_conflict")),
            (Case(["P07"], age_years=0, weight_g=2000), no_adrg("age_conflict")),
            (Case(["P07"], age_years=0, age_days=6, weight_g=1000), grouped("PR29")),
            # the weight of one alternative, the age of another: the weight is named first
            (Case(["P07"], age_years=0, age_days=7, weight_g=1000), no_adrg("weight_conflict", "P")),
            (Case(["I21"], age_years=0, age_days=28), grouped("FR19")),
            (Case(["I21"], age_years=0, age_days=29), no_adrg("age_conflict", "F")),
            (Case(["I21"], age_years=60), no_adrg("age_conflict", "F")),
        ],
    ),
    Edge(
        "weights at both bounds",
        NEWBORNS,
        [
            (Case(["P07"], age_days=9, weight_g=1499), no_adrg("weight_conflict", "P")),
            (Case(["P07"], age_days=9, weight_g=1500), grouped("PR19")),
            (Case(["P07"], age_days=9, weight_g=2499), grouped("PR19")),
            (Case(["P07"], age_days=9, weight_g=2500), no_adrg("weight_conflict", "P")),
            (Case(["P07"], age_days=9, weight_g=None), no_adrg("weight_conflict", "P")),
        ],
    ),
    Edge(
        "a valid procedure that stands in no list, and a procedure that is not valid",
        SURGERY,
        [
            (Case(["I21"], ["37.8"]), grouped("FC19")),
            (Case(["I21"], ["89.5", "37.8"]), grouped("FD19")),
            (Case(["I21"], ["89.5"]), grouped("FR19")),
            (Case(["I21"]), grouped("FR19")),
            (Case(["I21"], [None, "", "37.8"]), grouped("FC19")),
        ],
    ),
    Edge(
        "two lists ask for one of each, and the alternative that holds is told",
        SURGERY,
        [
            (Case(["I21"], ["36.1", "39.6"]), grouped("FA19", alternative=1)),
            (Case(["I21"], ["39.6", "89.5", "36.1"]), grouped("FA19", alternative=1)),
            (Case(["I21"], ["36.1", "36.1"]), grouped("FC19")),
            (Case(["I21"], ["36.0"]), grouped("FB19", alternative=1)),
            (Case(["I21", "I50"], ["36.0"]), grouped("FB19", alternative=1)),
            (Case(["I21", "I50"], ["89.5", "36.0"]), grouped("FB19", alternative=2)),
            (Case(["I50"], ["89.5", "36.0"]), grouped("FB19", alternative=2)),
            (Case(["I21"], ["89.5", "36.0"]), grouped("FD19")),
        ],
    ),
    Edge(
        "41 diagnoses and 41 procedures, the deciding ones last",
        LONG,
        [
            (Case(["I21", *MANY[:39], "J96"], [*MANY, "36.1"]), grouped("FA11", complication_code="J96")),
            (Case(["I21", *MANY], [*MANY, "36.1"]), no_adrg("no_adrg", "F")),
            (Case(["I21", *MANY[:39], "J96"], [*MANY, "36.2"]), no_adrg("no_adrg", "F")),
        ],
    ),
    Edge(
        "an ADRG whose groups leave a gap",
        GAPS,
        [
            (
                Case(["I21", "E11"]),
                ungrouped(
                    "no_drg", mdc="F", adrg="FR1", alternative=1, complication_level="cc", complication_code="E11"
                )
                | {
                    "trace_zh": "主要诊断 I21 进入 MDCF（大类F）；符合 ADRG FR1（核心FR1）第 1 组条件；"
                    "次要诊断 E11 为一般并发症或合并症；未入组：所属 ADRG 没有对应此严重程度的 DRG。"
                },
            ),
            (Case(["I21", "E11", "J96"]), grouped("FR11")),
            (Case(["I21"]), grouped("FR15", complication_level="none")),
            (Case(["K35", "J96"]), grouped("GR11", complication_level="mcc")),
            (Case(["K35", "E11"]), grouped("GR19", complication_level="cc", complication_code="E11")),
            (Case(["K35"]), grouped("GR19", complication_level="none")),
            (Case(["K80", "J96"]), grouped("HR13", complication_level="mcc", complication_code="J96")),
            (Case(["K80"]), ungrouped("no_drg", adrg="HR1", complication_level="none", complication_code=None)),
        ],
    ),
    Edge(
        "a record that matches nothing in an MDC goes on to the next",
        PRIORITY,
        [
            (Case(["I22"]), grouped("GR19")),
            (Case(["I22", "R57"]), grouped("FR19")),
            (Case(["I23", "R57"]), grouped("HR19")),
            (Case(["I23"]), no_adrg("no_adrg", "F")),
            # FR2 stands before FR1
            (Case(["I21", "R57"]), grouped("FR29")),
        ],
    ),
    Edge(
        "an MDC without diagnoses comes first, whatever the principal diagnosis",
        PRIORITY,
        [
            (Case(["I21"], ["96.7"]), grouped("AA19")),
            (Case(["X99"], ["96.7"]), grouped("AA19")),
            (Case(["X99"]), no_adrg("principal_outside_scheme")),
        ],
    ),
    Edge(
        "the sex of the MDC",
        SEXES,
        [
            (Case(["N40"], sex="1"), grouped("MR19")),
            (
                Case(["N40"], sex="2"),
                no_adrg("sex_conflict")
                | {"trace_zh": "主要诊断 N40 不能进入任何 MDC；未入组：性别与主要诊断所属 MDC 不符。"},
            ),
            (Case(["C50"], sex="2"), grouped("NR19")),
            # another MDC lists the diagnosis for everybody
            (
                Case(["C50"], sex="1"),
                no_adrg("no_adrg", "J")
                | {"trace_zh": "主要诊断 C50 进入 MDCJ（大类J）；未入组：没有符合条件的 ADRG。"},
            ),
        ],
    ),
    Edge(
        "an unknown sex meets no condition",
        SEXES,
        [(Case(["N40"], sex=sex), no_adrg("sex_conflict")) for sex in (None, "", "0", "9")],
    ),
    Edge(
        "an age in years, an age in days, no age",
        SEXES,
        [
            (Case(["Q01"], age_years=14), grouped("QR19")),
            (Case(["Q01"], age_years=15), no_adrg("age_conflict")),
            (Case(["Q01"], age_days=200), grouped("QR19")),
            (Case(["Q01"], age_years=0), grouped("QR19")),
            (Case(["Q01"]), no_adrg("age_conflict")),
        ],
    ),
    Edge(
        "multiple trauma asks for two regions",
        WOUNDS,
        [
            (Case(["S06", "S27"]), grouped("ZZ19")),
            (Case(["S06", "S07"]), grouped("BR19")),
            (Case(["S06", "S00"]), grouped("BR19")),
            (Case(["S00", "S06", "S36"]), grouped("ZZ19")),
            (Case(["S27"]), no_adrg("no_adrg")),
            (Case(["I21", "S06", "S27"]), no_adrg("principal_outside_scheme")),
        ],
    ),
    Edge(
        "codes of an earlier edition are read as codes of the edition",
        OLD_CODES,
        [
            (
                Case(["I21.x01"], ["36.0601"]),
                grouped("FB15")
                | {
                    "trace_zh": "主要诊断 I21.001 进入 MDCF（大类F）；符合 ADRG FB1（核心FB1）第 1 组条件；"
                    "无计入的并发症或合并症；归入 DRG FB15（组FB15）。"
                },
            ),
            (Case(["I21.001", "J96.x00"]), grouped("FR11", complication_code="J96.900")),
            (Case(["I21.001", "J96.900"]), grouped("FR11", complication_code="J96.900")),
            (Case(["I21.001", "J96.x09"]), grouped("FR15")),
            # both old codes mean the principal diagnosis, which is no complication of itself
            (Case(["I21.x01", "I21.x02"]), grouped("FR15", complication_level="none")),
            (Case(["K99"], ["K99"]), no_adrg("principal_outside_scheme")),
            (Case(["I21.001"], ["K99"]), grouped("FB15")),
        ],
    ),
    Edge(
        "a code outside the scheme, compared as text",
        OLD_CODES,
        [
            (
                Case(["I99.900"]),
                no_adrg("principal_outside_scheme")
                | {"trace_zh": "主要诊断 I99.900 不能进入任何 MDC；未入组：主要诊断不在分组方案内。"},
            ),
            (Case(["i21.001"]), no_adrg("principal_outside_scheme")),
            (Case(["I21.00"]), no_adrg("principal_outside_scheme")),
            (Case(["J96.900"]), no_adrg("principal_outside_scheme")),
            (Case(["I21.001", "J96.9001"], ["36.06001"]), grouped("FR15")),
        ],
    ),
]


Answers = Mapping[str, Sequence[Result]]


@pytest.fixture(scope="module")
def in_sql(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Per edge the results of its cases, from one run of dbt."""
    schemes = [edge.scheme | {"scheme": [described(str(number))]} for number, edge in enumerate(EDGES)]
    cases = [(f"edge-{number}", case) for number, edge in enumerate(EDGES) for case, _ in edge.cases]
    results = iter(group_in_sql(tmp_path_factory.mktemp("edges"), schemes, cases))
    return {edge.name: [next(results) for _ in edge.cases] for edge in EDGES}


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_edge(edge: Edge, in_sql: Answers) -> None:
    reference = Scheme.from_tables(edge.scheme | {"scheme": [described("0")]})
    for (case, expected), sql in zip(edge.cases, in_sql[edge.name], strict=True):
        assert {name: getattr(sql, name) for name in expected} == expected, case
        assert sql == group(reference, case), case


def test_the_edition_of_the_day_of_discharge(tmp_path: Path) -> None:
    """Front pages with `drg_edition: by_date`: the first day of validity is in, the last is the day before the end."""
    editions = [("old", "2020-01-01", "2023-01-01", "FR11"), ("new", "2023-01-01", "2024-01-01", "FR19")]
    schemes = [
        scheme({"F": "I21"}, {"FR1": [["principal_diagnosis I21"]]}, {drg: "any"})
        | {"scheme": [described(edition) | {"effective_from": first, "effective_to": end}]}
        for edition, first, end, drg in editions
    ]
    discharged = {
        datetime(2020, 1, 1): ("edge-old", "FR11"),
        datetime(2022, 12, 31, 23, 59, 59): ("edge-old", "FR11"),
        datetime(2023, 1, 1): ("edge-new", "FR19"),
        datetime(2023, 12, 31, 23, 59, 59): ("edge-new", "FR19"),
    }
    pages = [page(number, discharge_time=moment, diagnoses=["I21"]) for number, moment in enumerate(discharged)]
    grouped_pages = run_models(candidate(tmp_path, schemes, {"hqms_front_page": pages}), drg_edition="by_date")
    assert [(edition, result.drg_code) for _, edition, result in grouped_pages] == list(discharged.values())
