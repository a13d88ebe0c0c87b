"""A small province drawn from a seed: enough of everything for the laws that hold whatever the numbers are."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

Tables = dict[str, list[dict[str, Any]]]

DRGS = [f"{mdc}{kind}{number}" for mdc in "FEGR" for kind in "BLR" for number in (21, 29)]
OPERATIONS = ["36.0601", "47.0101", "45.1300", "88.5601", "99.8801"]
CATALOGUE = [
    ("2022", "36.0601", "支架", "介入治疗", "3", False, False, date(2020, 1, 1), date(2023, 1, 1)),
    ("2022", "47.0101", "腹腔镜阑尾切除术", "手术", "3", True, True, date(2020, 1, 1), date(2023, 1, 1)),
    ("2022", "45.1300", "切除术", "手术", "4", False, True, date(2020, 1, 1), date(2023, 1, 1)),
    ("2023", "36.0601", "支架", "介入治疗", "4", True, False, date(2023, 1, 1), None),
    ("2023", "47.0101", "腹腔镜阑尾切除术", "手术", "4", True, True, date(2023, 1, 1), None),
    ("2023", "45.1300", "内镜检查", "诊断性操作", "4", False, False, date(2023, 1, 1), None),
]


def catalogue() -> list[dict[str, Any]]:
    names = ("edition", "operation_code", "operation_name", "operation_class", "operation_level")
    names += ("is_minimally_invasive", "is_day_surgery", "effective_from", "effective_to")
    return [dict(zip(names, row, strict=True)) for row in CATALOGUE]


def organisation(number: int) -> str:
    return f"9900000000000000{number:02d}"


def page(number: int, **values: Any) -> dict[str, Any]:
    """A front page on which everything is in order, with what is given laid over it."""
    return {
        "source_id": "a" * 12,
        "source_row": number + 2,
        "layout": "hqms_abcd",
        "organisation_id": organisation(0),
        "patient_id": f"{number:032x}",
        "admission_count": 1,
        "admission_time": datetime(2022, 5, 25, 10),
        "discharge_time": datetime(2022, 6, 1, 10),
        "discharge_department": "0304",
        "length_of_stay_days": 7,
        "total_fee_fen": 1_000_000,
        "age_years": 60,
        "diagnoses": ["I21.001"],
        "operations": [],
        "admission_route": "2",
        "discharge_mode": "1",
        "residence_division": "990100",
        "residence_basis": "address",
        **values,
    }


def result(front_page: dict[str, Any], drg_code: str) -> dict[str, Any]:
    """The grouper's answer for a front page."""
    keys = ("organisation_id", "patient_id", "admission_count", "discharge_time")
    return {key: front_page[key] for key in keys} | {
        "source_id": "b" * 12,
        "source_row": front_page["source_row"],
        "drg_code": drg_code,
        "scheme_edition": "示例方案 1.0",
    }


def happenings(draw: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    """What else a front page tells, drawn by itself."""
    rescues = draw.choice([None, 0, 1, 2])
    return {
        "admission_time": row["discharge_time"] - timedelta(hours=draw.choice([5, 48, 49, 200])),
        "diagnoses": row["diagnoses"] + draw.choice([[], ["T81.000"], ["I10.x00"]]),
        "diagnosis_conditions": ["1", draw.choice(["1", "4"])],
        # every fourth by a robot, whether or not anything was operated
        "operations": row["operations"] + (["17.4200"] if row["source_row"] % 4 == 0 else []),
        "diagnosis_outcomes": [draw.choice(["1", "2", "3", None])],
        "operation_incisions": [draw.choice(["1", "3", "10", "4"]) for _ in row["operations"]],
        "rescue_count": rescues,
        "rescue_success_count": rescues and draw.randrange(rescues + 1),
        "ventilator_hours": draw.choice([None, 20, 96]),
        "nationality": draw.choice(["CHN", "CHN", "USA", None]),
    }


def disease_reports(draw: random.Random, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two of three infarctions and pneumonias have a report, in any state; some are reported for another disease."""
    keys = ("organisation_id", "patient_id", "discharge_time", "admission_time")
    asked = {"I21.001": "STEMI", "J18.900": "CAP"}
    told = [row for row in pages if row["diagnoses"][0] in asked]
    return [
        {key: row[key] for key in keys}
        | {"source_id": "c" * 12, "source_row": row["source_row"], "report_id": f"R{row['source_row']}"}
        | {"disease_code": draw.choice([asked[row["diagnoses"][0]]] * 4 + ["STK"])}
        | {"report_state": draw.choice("55666128"), "items": ["1", "2"], "item_denominators": [True, True]}
        | {"item_numerators": [draw.random() < 0.8, draw.random() < 0.5]}
        for row in told
        if draw.random() < 0.67
    ]


def bed_reports(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hospitals 0 and 1 report their beds by department, hospital 1 also as a whole; the others report nothing."""
    months = sorted({(f"{page['discharge_time']:%Y-%m}", n) for page in pages for n in (0, 1)})
    rows = []
    for month, n in months:
        departments = [("0301", 10), ("0304", 20), ("0499", 30)]
        for code, beds in [*departments, (None, 70)] if n else departments:
            rows.append(
                {
                    "organisation_id": organisation(n),
                    "month": month,
                    "specialty_code": code,
                    "open_bed_days": beds * 30,
                    "occupied_bed_days": beds * 29 + n * 100,
                }
            )
    return rows


def province(seed: int, *, discharges: int = 600, hospitals: int = 4) -> Tables:
    draw, details = random.Random(seed), random.Random(-seed)
    pages, results = [], []
    for number in range(discharges):
        stay = draw.choice([1, 2, 3, 5, 8, 13, 60, 61, None])
        residence = draw.choice(["990100", "990200", "510000", None])
        code = draw.choice([*DRGS, "0000", "FQY", None])
        # twice as dear as the others: its weight lies around 2
        cost = draw.randrange(10_000, 9_000_000) * (2 if code == "FB29" else 1)
        row = page(
            number,
            organisation_id=organisation(draw.randrange(hospitals)),
            discharge_time=datetime(2022, 1, 1) + timedelta(minutes=draw.randrange(36 * 30 * 24 * 60)),
            discharge_department=draw.choice(["0301", "0304", "0401", "0499", "9901"]),
            length_of_stay_days=stay,
            total_fee_fen=draw.choice([499, 500, None, *[cost] * 7]),
            diagnoses=[draw.choice(["I21.001", "Z53.101", "J18.900"])],
            operations=draw.sample(OPERATIONS, draw.randrange(3)),
            admission_route=draw.choice(["1", "2", "3"]),
            discharge_mode=draw.choice(["1"] * 9 + ["5"]),
            residence_division=residence,
            residence_basis="address" if residence else "none",
        )
        pages.append(row | happenings(details, row))
        if code:
            results.append(result(row, code))
    register = [
        {"organisation_id": organisation(n), "name_zh": f"示例医院{n}", "level": "3" if n < 2 else "2"}
        | {"division": f"990{n + 1}02"}
        for n in range(hospitals - 1)
    ]
    months = sorted({(row["organisation_id"], f"{row['discharge_time']:%Y-%m}") for row in pages})
    return {
        "single_disease_report": disease_reports(random.Random(seed + 1), pages),
        "hqms_front_page": pages,
        "drg_result": results,
        "surgery_catalogue": catalogue(),
        "hospital": register,
        "bed_report": bed_reports(pages),
        "receipt": [{"dataset": "hqms_front_page", "source_id": "a" * 12, "in_force": True}],
        "slice": [
            {
                "dataset": "hqms_front_page",
                "source_id": "a" * 12,
                "organisation_id": hospital,
                "month": month,
                "rows": sum(
                    row["organisation_id"] == hospital and f"{row['discharge_time']:%Y-%m}" == month for row in pages
                ),
                "in_force": True,
            }
            for hospital, month in months
        ],
    }
