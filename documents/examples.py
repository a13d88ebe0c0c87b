"""A worked example per indicator, from the province that was counted by hand.

Belongs here: choosing a line of the hand count and dividing it.  Does not belong here: the count itself; the tests
hold every line of it against what a whole run publishes.
"""

from __future__ import annotations

import ast
import csv
import operator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from documents.registry import REPOSITORY, Row, row

HAND_COUNT = REPOSITORY / "tests" / "backtests" / "golden_counted_by_hand.csv"
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


@dataclass(frozen=True)
class Example:
    """One cell of the hand-counted province, in words."""

    where_zh: str
    where_en: str
    numerator: str
    denominator: str
    value: str
    how: str


def exact(text: str) -> Fraction:
    """`36*351752.5/530005` as a fraction."""

    def value(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp):
            return Fraction(_OPERATORS[type(node.op)](value(node.left), value(node.right)))
        if not isinstance(node, ast.Constant):
            raise ValueError(f"no arithmetic: {text}")
        return Fraction(str(node.value))

    return value(ast.parse(text, mode="eval").body)


def example(indicator: Row) -> Example | None:
    """The first cell of a hospital that says most: a part of a whole, if there is one; None if nobody counted any."""
    with HAND_COUNT.open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["indicator"] == indicator["indicator_id"]]
    if not lines:
        return None
    line = min(lines, key=_dullness)
    numerator = exact(line["numerator"])
    denominator = exact(line["denominator"]) if line["denominator"] else None
    value = numerator if denominator is None else numerator / denominator if denominator else None
    hospital_zh = "全省" if line["hospital"] == "REGION" else f"{line['hospital']} 医院"
    hospital_en = "the province" if line["hospital"] == "REGION" else f"hospital {line['hospital']}"
    all_specialties = line["specialty"] == "ALL"
    name = "" if all_specialties else row("specialties", "specialty_code", line["specialty"])["name_zh"]
    return Example(
        f"{line['window']} 年，{hospital_zh}，{'全部专科' if all_specialties else name}",
        f"{line['window']}, {hospital_en}, {'all specialties' if all_specialties else line['specialty']}",
        _shown(numerator, 8),
        "" if denominator is None else _shown(denominator, 8),
        "无值 no value" if value is None else _with_unit(value, indicator),
        line["how_it_was_counted"],
    )


def _dullness(line: Row) -> tuple[bool, ...]:
    """Cells of the province, of one specialty, and those without anything in them come last."""
    numerator = exact(line["numerator"])
    denominator = exact(line["denominator"]) if line["denominator"] else None
    return (
        line["specialty"] == "UNMAPPED",
        denominator == 0,
        not numerator,
        numerator == denominator,
        line["hospital"] == "REGION",
        line["specialty"] != "ALL",
    )


def _with_unit(value: Fraction, indicator: Row) -> str:
    unit = indicator["unit"]
    number = _shown(value * 100 if unit == "%" else value, int(indicator["decimals"]), fixed=True)
    return number + {"%": "%", "—": ""}.get(unit, f" {unit}")


def _shown(value: Fraction, places: int, fixed: bool = False) -> str:
    with localcontext() as context:
        context.prec = 60
        quotient = Decimal(value.numerator) / Decimal(value.denominator)
        rounded = quotient.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return str(rounded) if fixed else f"{rounded.normalize():f}"
