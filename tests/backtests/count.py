"""Counts the golden table with plain loops and exact fractions, the way a clerk would with a pencil.

No data frame, no SQL and nothing of the product: for every hospital, specialty and window the rows are picked one
after the other and counted. What this file does is checked in its turn against `golden_counted_by_hand.csv`,
whose figures were counted by eye from the printed table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True)
class Discharge:
    id: str
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
    entries = [known[code] for code in row["operations"].split(";") if code in known]
    surgical = [entry for entry in entries if entry[0] in ("手术", "介入治疗")]
    refused = row["diagnosis"].startswith("Z53") and days <= 2
    return Discharge(
        id=row["id"],
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


def count(rows: list[Discharge], reference: list[Discharge]) -> Counted:
    """Numerator and denominator of all 15 indicators of one cell; `reference` are all rows of the window."""
    whole = [row for row in reference if row.grouped]
    grouped = [row for row in rows if row.grouped]
    surgery = [row for row in rows if row.surgery]
    classes = risk_classes(whole)
    low = [row for row in grouped if classes[row.drg] == "1"]
    mid_low = [row for row in grouped if classes[row.drg] == "2"]

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
                counted[window, hospital, specialty] = count(cell, inside)
    return counted
