"""Counts the golden table with plain loops and exact fractions, the way a clerk would with a pencil.

No data frame, no SQL and nothing of the product: for every hospital, specialty and window the rows are picked one
after the other and counted. What this file does is checked in its turn against `golden_counted_by_hand.csv`,
whose figures were counted by eye from the printed table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

getcontext().prec = 50

FOLDER = Path(__file__).parent
WINDOWS: Mapping[str, tuple[int, ...]] = {
    **{str(year): (year,) for year in (2022, 2023, 2024)},
    **{f"{year - 2}-{year}": (year - 2, year - 1, year) for year in (2022, 2023, 2024)},
}
DEPARTMENTS = {
    **dict.fromkeys(("0301", "301"), "0301"),
    **dict.fromkeys(("0304", "03.04", "A03.04"), "0304"),
    **{"0401": "0401", "9901": "UNMAPPED"},
}
# edition -> operation -> (class, level, minimally invasive); edition 2 is valid from 2024-01-01
CATALOGUE: Mapping[int, Mapping[str, tuple[str, str, bool]]] = {
    1: {
        "36.0601": ("介入治疗", "4", False),
        "47.0101": ("手术", "3", True),
        "47.0901": ("手术", "2", False),
        "45.1300": ("手术", "4", False),
        "99.8801": ("治疗性操作", "", False),
    },
    2: {
        "36.0601": ("介入治疗", "4", True),
        "47.0101": ("手术", "4", True),
        "47.0901": ("手术", "2", False),
        "99.8801": ("治疗性操作", "", False),
    },
}
# the specialty that a case counts for by its disease: first letter the MDC, second whether surgical or medical
BY_DISEASE = {"ES31": "0301", "FR21": "0304", "FB29": "0406", "GB11": "0401", "RU14": "0305"}
OUTSIDE = {"out", "out_postcode", "out_city"}
# all patients of the province whose city is known live in the city of H1; a postcode tells the province alone
CITY_OF_H1 = {"in", "in_city"}
# the catalogue calls this operation endoscopic, and suitable as day surgery
ENDOSCOPIC = {"47.0101"}
# hospital, month, department (empty: the hospital as a whole), open and occupied bed-days
BEDS = [
    ("H1", "2022-04", "0304", 600, 500),
    ("H1", "2022-04", "", 900, 700),
    ("H1", "2022-05", "0304", 620, 640),
    ("H1", "2022-05", "0301", 310, 155),
    ("H2", "2023-02", "0301", 280, 140),
    ("H2", "2024-02", "0304", 290, 290),
]
# row of the table, disease, state, process items that apply and that were met; 99 has no front page
REPORTS = [
    ("01", "CAP", "6", 3, 2),
    ("30", "HF", "6", 1, 1),
    ("32", "STEMI", "5", 2, 1),
    ("33", "STEMI", "1", 2, 2),
    ("35", "STEMI", "6", 3, 3),
    ("99", "STEMI", "6", 1, 1),
]
# nothing is known of the other months
REPORTED_MONTHS = {"2022-01", "2024-01", "2024-02", "2024-03"}
# all patients are grown up
ASKED_FOR = {"J18.900": "CAP", "I21.001": "STEMI"}


@dataclass(frozen=True)
class Discharge:
    id: str
    diagnosis: str
    hospital: str
    department: str
    mdc: str
    year: int
    month: str
    drg: str
    days: int
    fen: int
    died: bool
    transferred_in: bool
    residence: str
    surgery: bool
    level4: bool
    minimally_invasive: bool
    robot_assisted: bool
    operations: frozenset[str]
    endoscopic_or_interventional: bool
    within_48_hours: bool
    emergency: bool
    extra: str
    analysed: bool

    @property
    def grouped(self) -> bool:
        return self.analysed and self.drg not in ("", "0000", "FQY")


def golden_rows() -> list[dict[str, str]]:
    with (FOLDER / "golden_discharges.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def discharges() -> list[Discharge]:
    return [_discharge(row) for row in golden_rows()]


def _discharge(row: Mapping[str, str]) -> Discharge:
    admitted, discharged = (datetime.fromisoformat(row[name]) for name in ("admitted", "discharged"))
    days = max(1, (discharged.date() - admitted.date()).days)
    fen = int(Fraction(row["cost_yuan"]) * 100)
    known = CATALOGUE[2 if discharged >= datetime(2024, 1, 1) else 1]
    done = {code: known[code] for code in row["operations"].split(";") if code in known}
    surgery = {code: entry for code, entry in done.items() if entry[0] in ("手术", "介入治疗")}
    surgical = list(surgery.values())
    refused = row["diagnosis"].startswith("Z53") and days <= 2
    return Discharge(
        id=row["id"],
        diagnosis=row["diagnosis"],
        hospital=row["hospital"],
        department=DEPARTMENTS[row["department"]],
        mdc=BY_DISEASE.get(row["drg"], "UNMAPPED"),
        year=discharged.year,
        month=f"{discharged:%Y-%m}",
        drg=row["drg"],
        days=days,
        fen=fen,
        died=row["mode"] == "5",
        transferred_in=row["route"] == "3",
        residence=row["residence"],
        surgery=bool(surgical),
        level4=any(level == "4" for _, level, _ in surgical),
        minimally_invasive=any(minimal for _, _, minimal in surgical),
        robot_assisted=bool(surgical) and any(code.startswith("17.4") for code in row["operations"].split(";")),
        operations=frozenset(surgery),
        endoscopic_or_interventional=any(
            entry[0] == "介入治疗" or code in ENDOSCOPIC for code, entry in surgery.items()
        ),
        within_48_hours=discharged - admitted <= timedelta(hours=48),
        emergency=row["route"] == "1",
        extra=row["extra"],
        analysed=days <= 60 and fen >= 500 and not refused,
    )


def risk_classes(grouped: Iterable[Discharge]) -> dict[str, str]:
    """Class 1 (low) to 4 (high) of every group: its ln mortality against mean and sample deviation."""
    cases, deaths = {}, {}
    for row in grouped:
        cases[row.drg] = cases.get(row.drg, 0) + 1
        deaths[row.drg] = deaths.get(row.drg, 0) + row.died
    logs = {drg: (Decimal(deaths[drg]) / cases[drg]).ln() for drg in cases if deaths[drg]}
    classes = dict.fromkeys(cases, "1")
    if logs:
        mean = sum(logs.values()) / len(logs)
        squares = sum((value - mean) ** 2 for value in logs.values())
        deviation = (squares / (len(logs) - 1)).sqrt() if len(logs) > 1 else Decimal(0)
        for drg, value in logs.items():
            cuts = (mean - deviation, mean, mean + deviation)
            classes[drg] = str(1 + sum(value >= cut for cut in cuts))
    return classes


Counted = dict[str, tuple[Fraction, Fraction | None]]


def value(numerator: Fraction, denominator: Fraction | None) -> Fraction | None:
    """A count is its own value; a share of nothing has none."""
    if denominator is None:
        return numerator
    return numerator / denominator if denominator else None


def beds(rows: list[Discharge], years: Iterable[int], hospital: str, specialty: str, attribution: str) -> Counted:
    """Bed-days of the months that have a report, and the discharges of these months."""
    told = attribution == "department" or specialty == "ALL"
    lines = [line for line in BEDS if told and int(line[1][:4]) in years and hospital in (line[0], "REGION")]
    if specialty == "ALL":
        whole = {line[:2] for line in lines if not line[2]}
        lines = [line for line in lines if not line[2] or line[:2] not in whole]
    else:
        lines = [line for line in lines if line[2] == specialty]
    open_days = Fraction(sum(line[3] for line in lines))
    days = sum(days_of(month) for month in {line[1] for line in lines})
    turnover = 0
    for reported in {line[:2] for line in lines}:
        year = int(reported[1][:4])
        turnover += sum((row.hospital, row.month) == reported for row in rows) * (
            date(year, 12, 31).timetuple().tm_yday
        )
    return {
        "mean_open_beds": (open_days, Fraction(days)),
        "bed_occupancy": (Fraction(sum(line[4] for line in lines)), open_days),
        "bed_turnover": (Fraction(turnover), open_days),
    }


def days_of(month: str) -> int:
    first = date.fromisoformat(f"{month}-01")
    return ((first + timedelta(days=31)).replace(day=1) - first).days


def spread(rows: list[Discharge], hospital: str) -> Counted:
    """How the discharges spread over the hospitals: told of the whole province alone."""
    of_each = [sum(row.hospital == name for row in rows) for name in sorted({row.hospital for row in rows})]
    total = sum(of_each) if hospital == "REGION" else 0
    largest, squares = (max(of_each), sum(n * n for n in of_each)) if hospital == "REGION" else (0, 0)
    return {
        "concentration_largest_share": (Fraction(largest), Fraction(total)),
        "concentration_hhi": (Fraction(squares), Fraction(total * total)),
    }


def outflow(inside: list[Discharge], hospital: str, specialty: str, attribution: str) -> tuple[Fraction, Fraction]:
    """Of the patients who live in the hospital's city, those discharged in the other city."""
    if hospital == "H2" or (attribution == "mdc" and specialty != "ALL"):
        return Fraction(0), Fraction(0)
    residents = [row for row in inside if row.residence in CITY_OF_H1 and specialty in (row.department, "ALL")]
    return Fraction(sum(row.hospital == "H2" for row in residents)), Fraction(len(residents))


def single_diseases(rows: list[Discharge]) -> Counted:
    """What was reported of what the platform asks for, and what the reports say."""
    told = [row for row in rows if row.month in REPORTED_MONTHS and row.diagnosis in ASKED_FOR]
    asked = {(row.id, ASKED_FOR[row.diagnosis]) for row in told}
    records = [report for report in REPORTS if report[0] in {row.id for row in rows}]
    final = [report for report in records if report[2] in ("5", "6")]
    return {
        "single_disease_report_rate": (Fraction(len(asked & {report[:2] for report in final})), Fraction(len(asked))),
        "single_disease_completion_rate": (
            Fraction(sum(report[2] == "6" for report in records)),
            Fraction(len(records)),
        ),
        "single_disease_process_share": (
            Fraction(sum(report[4] for report in final)),
            Fraction(sum(report[3] for report in final)),
        ),
    }


def count(rows: list[Discharge], reference: list[Discharge]) -> Counted:
    """Numerator and denominator of what a cell's own rows tell; `reference` are all rows of the window."""
    whole = [row for row in reference if row.grouped]
    grouped = [row for row in rows if row.grouped]
    surgery = [row for row in rows if row.surgery]
    classes = risk_classes(whole)
    low = [row for row in grouped if classes[row.drg] == "1"]
    mid_low = [row for row in grouped if classes[row.drg] == "2"]
    mid_high = [row for row in grouped if classes[row.drg] == "3"]
    high = [row for row in grouped if classes[row.drg] == "4"]
    elective = [row for row in surgery if not row.emergency]
    class1 = [row for row in rows if row.extra in ("class1", "class1_bad")]
    city_known = [row for row in rows if row.residence in CITY_OF_H1 | OUTSIDE]
    hospitals = {row.hospital for row in rows}
    performing = {row.hospital for row in rows if row.endoscopic_or_interventional}

    def mean_of(drg: str, what: str) -> Fraction:
        values = [getattr(row, what) for row in whole if row.drg == drg]
        return Fraction(sum(values), len(values))

    overall = Fraction(sum(row.fen for row in whole), len(whole)) if whole else Fraction(1)
    weight = {drg: mean_of(drg, "fen") / overall for drg in classes}
    cost_mean = {drg: mean_of(drg, "fen") for drg in classes}
    days_mean = {drg: mean_of(drg, "days") for drg in classes}

    def share(part: Iterable[Discharge], of: list[Discharge]) -> tuple[Fraction, Fraction]:
        return Fraction(len(list(part))), Fraction(len(of))

    def number(value: int) -> tuple[Fraction, None]:
        return Fraction(value), None

    known = [row for row in rows if row.residence != "unknown"]
    n = Fraction(len(grouped))
    zero = Fraction(0)
    return {
        "drg_group_count": number(len({row.drg for row in grouped})),
        "cmi": (sum((weight[row.drg] for row in grouped), zero), n),
        "level4_surgery_share": share((row for row in surgery if row.level4), surgery),
        "minimally_invasive_share": share((row for row in surgery if row.minimally_invasive), surgery),
        "cost_consumption_index": (sum((row.fen / cost_mean[row.drg] for row in grouped), zero), n),
        "time_consumption_index": (sum((row.days / days_mean[row.drg] for row in grouped), zero), n),
        "mortality_low_risk": share((row for row in low if row.died), low),
        "mortality_mid_low_risk": share((row for row in mid_low if row.died), mid_low),
        "mortality_low_and_mid_low_risk": share((row for row in low + mid_low if row.died), low + mid_low),
        "rw2_share": share((row for row in grouped if weight[row.drg] >= 2), grouped),
        "out_of_province_share": share((row for row in known if row.residence in OUTSIDE), known),
        "transfer_in_count": number(sum(row.transferred_in for row in rows)),
        "mean_length_of_stay": (Fraction(sum(row.days for row in rows)), Fraction(len(rows))),
        "discharge_count": number(len(rows)),
        "surgery_count": number(len(surgery)),
        "surgery_share": share(surgery, rows),
        "robot_assisted_share": share((row for row in surgery if row.robot_assisted), surgery),
        "day_surgery_share": share(
            (row for row in elective if row.operations & ENDOSCOPIC and row.within_48_hours), elective
        ),
        "surgical_complication_rate": share((row for row in elective if row.extra == "complication"), elective),
        "incision_infection_rate": share((row for row in class1 if row.extra == "class1_bad"), class1),
        "mortality_rate": share((row for row in rows if row.died), rows),
        "mortality_mid_high_risk": share((row for row in mid_high if row.died), mid_high),
        "mortality_high_risk": share((row for row in high if row.died), high),
        "critical_case_share": share(mid_high + high, grouped),
        # the interface of these files has neither rescues nor outcomes
        "rescue_success_rate": (zero, zero),
        "cure_improvement_rate": (zero, zero),
        "cure_rate": (zero, zero),
        "procedure_spectrum": number(len({code for row in rows for code in row.operations})),
        "endoscopy_intervention_present": (Fraction(len(performing)), Fraction(len(hospitals))),
        "out_of_city_share": share(
            (row for row in city_known if row.residence in OUTSIDE or row.hospital == "H2"), city_known
        ),
        "out_of_country_share": share((row for row in rows if row.extra == "foreign"), rows),
        "transfer_in_critical_count": number(
            sum(row.transferred_in and (row in mid_high + high or weight[row.drg] >= 2) for row in grouped)
        ),
    }


def count_everything(rows: list[Discharge], attribution: str = "department") -> dict[tuple[str, str, str], Counted]:
    """Every (window, hospital or REGION, specialty or ALL) that has a discharge."""
    counted = {}
    for window, years in WINDOWS.items():
        inside = [row for row in rows if row.year in years]
        for hospital in (*sorted({row.hospital for row in inside}), "REGION"):
            of_hospital = [row for row in inside if hospital in (row.hospital, "REGION")]
            for specialty in (*sorted({getattr(row, attribution) for row in of_hospital}), "ALL"):
                cell = [row for row in of_hospital if specialty in (getattr(row, attribution), "ALL")]
                counted[window, hospital, specialty] = {
                    **count(cell, inside),
                    **spread(cell, hospital),
                    **single_diseases(cell),
                    **beds(cell, years, hospital, specialty, attribution),
                    "outflow_rate": outflow(inside, hospital, specialty, attribution),
                }
    return counted
