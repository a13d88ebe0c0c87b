"""Reports to the single-disease platform: which of the drawn discharges it asks for, and what a hospital reports.

Belongs here: the inclusion lists applied to drawn cells, and the rows of the platform's extract. Does not belong
here: the front page itself, and any other source.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from sources.contract import REFERENCE_DIR
from sources.synthetic.front_page import Block

SLOTS = 12
HEADER = [
    *("机构代码", "病案号", "报告编号", "病种代码", "状态", "入院时间", "出院时间", "离院方式", "上报时间"),
    *(f"指标{slot:02d}{part}" for slot in range(1, SLOTS + 1) for part in ("编码", "分母", "分子")),
]
_MODES = {"1": "a", "2": "b", "3": "c", "4": "d", "5": "e", "9": "oth"}
_PARTS = {
    "principal_diagnosis": ("C03C",),
    "second_diagnosis": ("C06x01C",),
    "any_diagnosis": ("C03C", *(f"C06x{slot:02d}C" for slot in range(1, 41))),
    "main_operation": ("C14x01C",),
    "any_operation": ("C14x01C", *(f"C35x{slot:02d}C" for slot in range(1, 41))),
}


class Disease(NamedTuple):
    """Who is asked for: a code of every part, and an age in full years."""

    code: str
    ages: range
    parts: dict[str, tuple[str, ...]]

    @property
    def item_count(self) -> int:
        """How many process items its form has; the number is invented."""
        return 5 + sum(map(ord, self.code)) % 7


@cache
def diseases() -> tuple[Disease, ...]:
    """The diseases whose cases can be told from a front page."""
    parts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows("single_disease_codes"):
        parts[row["disease_code"]][row["part"]].append(row["code_prefix"])
    return tuple(
        Disease(
            row["disease_code"],
            range(int(row["age_from_years"] or 0), int(row["age_to_years"] or 200) + 1),
            {part: tuple(codes) for part, codes in parts[row["disease_code"]].items()},
        )
        for row in _rows("single_diseases")
        if row["is_recomputed"] == "true"
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _listed(part: str, code: str) -> tuple[str, ...]:
    """The diseases that have the code on their list for a part of the front page."""
    return tuple(disease.code for disease in diseases() if code.startswith(disease.parts.get(part, ("?",))))


def due_cases(block: Block) -> Iterator[tuple[int, Disease]]:
    """Every discharge with every disease that it ought to be reported for, in the order of the discharges."""
    cells = block.cells
    columns = [(part, cells[item]) for part, items in _PARTS.items() for item in items if item in cells]
    columns = [(part, column) for part, column in columns if any(column)]
    for row in range(len(block)):
        met: dict[str, set[str]] = defaultdict(set)
        for part, column in columns:
            if column[row]:
                for code in _listed(part, column[row]):
                    met[code].add(part)
        age = int(cells["A14"][row])
        for disease in diseases():
            if disease.code in met and age in disease.ages and met[disease.code] == disease.parts.keys():
                yield row, disease


def report_rows(block: Block, due: Iterable[tuple[int, Disease]], rng: np.random.Generator) -> list[list[Any]]:
    """Reports for most, not all, of the discharges that ought to be reported."""
    cells = block.cells
    reporting = 0.75 + 0.22 * ((block.hospital.index * 7) % 10) / 10
    rows: list[list[Any]] = []
    for row, disease in due:
        if rng.random() >= reporting:
            continue
        items: list[str] = []
        for slot in range(SLOTS):
            if slot < disease.item_count:
                counted = rng.random() < 0.9
                met = counted and rng.random() < 0.7 + 0.025 * slot
                items += [f"{disease.code}-{slot + 1}", "是" if counted else "否", "是" if met else "否"]
            else:
                items += ["", "", ""]
        state = "6" if rng.random() < 0.8 else ("5", "2", "1", "7", "8")[int(rng.integers(0, 5))]
        reported = block.discharged[row] + np.timedelta64(int(rng.integers(1, 12)), "D")
        rows.append(
            [
                cells["A01"][row],
                cells["A48"][row],
                f"SD{block.hospital.index + 1:03d}{block.month.replace('-', '')}{len(rows) + 1:05d}",
                disease.code,
                state,
                cells["B12"][row],
                cells["B15"][row],
                # every other hospital fills in the platform's own form
                cells["B34C"][row] if block.hospital.index % 2 else _MODES[cells["B34C"][row]],
                f"{str(reported)[:10]} 10:00:00" if state in ("5", "6", "7") else "",
                *items,
            ]
        )
    return rows
