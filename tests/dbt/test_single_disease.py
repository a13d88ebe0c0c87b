"""Single diseases (NI-17, ZI-14): what ought to be reported by the front pages against what the platform holds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from conftest import REPOSITORY, Build, Built
from province import organisation, page, result

H0, H1 = organisation(0), organisation(1)


def report(front_page: dict[str, Any], disease: str, state: str = "6", **values: Any) -> dict[str, Any]:
    keys = ("organisation_id", "patient_id", "discharge_time", "admission_time")
    number = front_page["source_row"]
    return {
        **{key: front_page[key] for key in keys},
        **{"source_id": "c" * 12, "source_row": number, "report_id": f"R{number}{disease}{state}"},
        **{"disease_code": disease, "report_state": state},
        **{"items": ["1", "2"], "item_denominators": [True, True], "item_numerators": [True, False]},
        **values,
    }


# what the front page says -> the diseases that it is to be reported for
INCLUSION: dict[str, tuple[dict[str, Any], set[str]]] = {
    "infarction": ({"diagnoses": ["I21.001"]}, {"STEMI"}),
    "infarction_without_elevation": ({"diagnoses": ["I21.401"]}, set()),
    "infarction_beside": ({"diagnoses": ["I10.x00", "I21.001"]}, set()),
    "heart_failure_second": ({"diagnoses": ["I11.000", "I50.900"]}, {"HF"}),
    "heart_failure_third": ({"diagnoses": ["I11.000", "I10.x00", "I50.900"]}, set()),
    "pneumonia_at_18": ({"diagnoses": ["J18.900"], "age_years": 18}, {"CAP"}),
    "pneumonia_at_17": ({"diagnoses": ["J18.900"], "age_years": 17}, {"CAP2"}),
    "pneumonia_at_2": ({"diagnoses": ["J15.900"], "age_years": 2}, {"CAP2"}),
    "pneumonia_at_1": ({"diagnoses": ["J15.900"], "age_years": 1}, set()),
    "pneumonia_without_age": ({"diagnoses": ["J15.900"], "age_years": None}, set()),
    "hip": ({"diagnoses": ["M16.900"], "operations": ["81.5100"]}, {"THR", "PIP", "DVT"}),
    "hip_not_main": ({"diagnoses": ["M16.900"], "operations": ["99.0400", "81.5100"]}, set()),
    "stomach_operated": ({"diagnoses": ["C16.900"], "operations": ["43.9901"]}, {"GC", "DVT"}),
    "stomach_not_operated": ({"diagnoses": ["C16.900"]}, set()),
    "meningioma_any": ({"diagnoses": ["D32.000"], "operations": ["99.0400", "01.5100"]}, {"MEN"}),
    "sepsis_beside": ({"diagnoses": ["K80.500", "I10.x00", "A41.900"]}, {"SEP"}),
    "sepsis_twice": ({"diagnoses": ["A41.900", "R65.200"]}, {"SEP"}),
    "leukaemia": ({"diagnoses": ["C91.000"], "operations": ["99.2500"], "age_years": 6}, set()),
}


@pytest.fixture(scope="module")
def included(build: Build) -> Built:
    pages = [
        page(number, source_id=f"{number:012d}", patient_id=f"{number:032x}", **{"age_years": 60, **said})
        for number, (said, _) in enumerate(INCLUSION.values())
    ]
    return build(
        {"hqms_front_page": pages, "single_disease_report": [report(pages[0], "STEMI")]},
        only=["int_single_disease_due"],
    )


@pytest.mark.parametrize("case", INCLUSION)
def test_inclusion(included: Built, case: str) -> None:
    number = list(INCLUSION).index(case)
    found = included.rows(f"select disease_code from int_single_disease_due where source_id = '{number:012d}'")
    assert {code for (code,) in found} == INCLUSION[case][1]


@pytest.fixture(scope="module")
def reported(build: Build) -> Built:
    june, july = datetime(2022, 6, 1, 10), datetime(2022, 7, 1, 10)
    pages = [page(n, age_years=60, diagnoses=["J18.900"], discharge_time=june) for n in range(8)]
    pages += [page(8, age_years=60, organisation_id=H1, discharge_department="0301", discharge_mode="5")]
    # no extract of July 2022, none of 2021
    pages += [page(9, age_years=60, diagnoses=["J18.900"], discharge_time=july)]
    pages += [page(10, age_years=60, discharge_time=datetime(2021, 6, 1, 10))]
    reports = [
        report(pages[0], "CAP"),
        report(pages[1], "CAP", "5"),
        report(pages[2], "CAP", "7"),  # rejected by the state
        report(pages[3], "CAP", "8"),  # said not to be needed: still asked for
        report(pages[4], "CAP", "1"),
        report(pages[4], "CAP", "6"),  # of two the furthest
        report(pages[5], "STK"),  # reported under another disease: not what was asked for
        report(pages[6], "CAP", discharge_time=datetime(2022, 6, 1, 23, 59)),  # the same day
        report(pages[7], "CAP", discharge_time=datetime(2022, 6, 2, 0, 0)),  # another day: no front page
    ]
    return build(
        {
            "hqms_front_page": pages,
            "drg_result": [result(row, "ES31") for row in pages],
            "single_disease_report": reports,
        },
        only=["fct_single_disease", "fct_indicator"],
    )


def test_reporting_rate(reported: Built) -> None:
    """Reported 0, 1, 4 and 6 of the eight pneumonias of June; the infarction of the other hospital is not reported."""
    cells = reported.indicators()
    rate, share = "single_disease_report_rate", Decimal("0.50000000")
    assert cells[H0, "0304", "department", "2022", rate] == (4, 8, share, 8)
    assert cells[H1, "0301", "department", "2022", rate] == (0, 1, 0, 1)
    assert cells["REGION", "ALL", "department", "2022", rate][:2] == (4, 9)
    # a pneumonia counts for the specialty of its disease as well
    assert cells[H0, "0301", "mdc", "2022", rate] == (4, 8, share, 8)


def test_completion_and_process(reported: Built) -> None:
    """Records 0 to 6 without the one not needed, completed all but three; one of two items met in each report."""
    cells = reported.indicators()
    assert cells[H0, "ALL", "department", "2022", "single_disease_completion_rate"][:2] == (4, 6)
    assert cells[H0, "ALL", "department", "2022", "single_disease_process_share"] == (5, 10, Decimal("0.5"), 5)


def test_only_final_reports_count_where_the_switch_says_so(reported: Built, tmp_path) -> None:
    built = reported.with_switch(tmp_path, "single_disease_reported", "accepted")
    assert built.indicators()[H0, "ALL", "department", "2022", "single_disease_report_rate"][:2] == (3, 8)


def test_by_disease(reported: Built) -> None:
    rows = reported.rows(
        "select hospital_id, disease_code, due_count, reported_count, record_count, completed_count, unmatched_count,"
        " death_count, mean_length_of_stay, mean_fee_fen, status_reason from fct_single_disease"
        f" where window_id = '2022' and hospital_id in ('{H0}', '{H1}') order by 1, 2"
    )
    assert rows == [
        (H0, "CAP", 8, 4, 5, 3, 1, 0, 7, 1_000_000, None),
        (H0, "STK", 0, 0, 1, 1, 0, 0, None, None, "首页没有应上报的病例"),
        (H1, "STEMI", 1, 0, 0, 0, 0, 1, 7, 1_000_000, None),
    ]


def test_without_an_extract_nothing_is_said(reported: Built) -> None:
    """No report of 2021 was ever received: that is not a reporting rate of 0, it is none."""
    for indicator in ("report_rate", "completion_rate", "process_share"):
        cells = reported.rows(
            "select value, case_count, status, status_reason is not null from fct_indicator"
            f" where window_id = '2021' and indicator_id = 'single_disease_{indicator}'"
        )
        assert set(cells) == {(None, 0, "not_scored", True)}


def test_fifty_one_diseases() -> None:
    """The list of the platform is whole, and what cannot be told from a front page says why."""
    import csv

    with (REPOSITORY / "sources" / "reference" / "single_diseases.csv").open(encoding="utf-8", newline="") as file:
        diseases = list(csv.DictReader(file))
    assert [int(row["serial"]) for row in diseases] == list(range(1, 52))
    untold = {row["disease_code"]: row["note_zh"] for row in diseases if row["is_recomputed"] == "false"}
    assert untold.keys() == {"VTE", "ALL", "APL", "HBV"} and all(untold.values())
    with (REPOSITORY / "sources" / "reference" / "code_lists.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["code"]: row["name_zh"] for row in csv.DictReader(file) if row["list_id"] == "SINGLE_DISEASE"}
    assert {row["disease_code"]: row["name_zh"] for row in diseases} == listed
