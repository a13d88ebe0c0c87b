"""Which cells of a table of indicators cannot be published, and why.

Belongs here: the rules, cell by cell. A cell is one hospital's value of one indicator in one specialty; whoever reads
the public edition is taken to know every denominator exactly, as well as what counts contain one another.

Simple rather than optimal. The rules look at one hospital's specialty at a time, because no sum over hospitals or
specialties is published beside a suppressed cell:

* a count of persons below the threshold is hidden, also where it is what remains of its denominator;
* a hidden count hides every indicator that is made of it;
* a total is hidden as soon as one of two or more parts is, so that no part is left over in a subtraction; where
  everybody knows the total anyway, more of its parts are hidden instead, until they cover one another;
* a total is hidden where what remains of it beside its published parts is below the threshold;
* a hidden total hides its parts where they fill up the count that it is divided by, and so enclose it;
* a mean rests on several times as many cases, because the marts cannot tell whether one case dominates its sum.

Does not belong here: reading and writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

RELATIONS = Path(__file__).parent / "relations.yaml"
_MEAN = 3  # as many times the threshold of cases under a mean

Key = tuple[str, str, str]  # hospital, specialty, indicator


class DisclosureError(RuntimeError):
    """A public edition cannot be made; the message says why and what to do."""


class Policy(BaseModel):
    """How small is small, and how coarse what is published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: int = Field(default=10, ge=3, le=1000)
    count_base: int = Field(default=5, ge=1, le=100)
    decimals: int = Field(default=2, ge=0, le=4)

    @property
    def small(self) -> str:
        return f"人数少于 {self.threshold}（分子、分母或分母减分子），或均值的病例少于 {_MEAN * self.threshold}"


class Total(BaseModel):
    """A count of persons and disjoint parts of it; `known`: it is no secret, whatever is published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    total: str
    parts: tuple[str, ...] = Field(min_length=1)
    known: bool = False


class Relations(BaseModel):
    """What is known of the counts from their definitions; `same`: one and the same wherever they are equal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    totals: tuple[Total, ...]
    same: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Cell:
    """One hospital's value of an indicator; `persons`: numerator and denominator count persons."""

    hospital_id: str
    specialty_code: str
    indicator_id: str
    numerator_measure: str
    denominator_measure: str | None
    numerator: Decimal
    denominator: Decimal | None
    case_count: int
    persons: bool

    @property
    def key(self) -> Key:
        return self.hospital_id, self.specialty_code, self.indicator_id


SMALL, DERIVABLE, EARLIER = "small", "derivable", "earlier"


@cache
def load_relations() -> Relations:
    """The relations that come with the indicators."""
    return Relations.model_validate(yaml.safe_load(RELATIONS.read_text("utf-8")))


def suppressed(
    cells: Iterable[Cell], policy: Policy, earlier: frozenset[Key] = frozenset(), relations: Relations | None = None
) -> dict[Key, str]:
    """The cells that are not published, with the kind of reason; `earlier`: what an earlier edition suppressed."""
    relations = relations or load_relations()
    found: dict[Key, str] = {}
    ordered = sorted(cells, key=lambda cell: cell.key)
    for _, block in groupby(ordered, key=lambda cell: cell.key[:2]):
        found.update(_block(list(block), policy, earlier, relations))
    return found


def _block(cells: list[Cell], policy: Policy, earlier: frozenset[Key], relations: Relations) -> Mapping[Key, str]:
    """One hospital's specialty."""
    counts, hidden = _counts(cells, policy)
    bounds: dict[str, Decimal] = {}
    for cell in cells:
        if cell.persons and cell.denominator is not None:
            bounds[cell.numerator_measure] = min(cell.denominator, bounds.get(cell.numerator_measure, cell.denominator))
    for cell in cells:
        if cell.key in earlier:
            hidden.setdefault(cell.numerator_measure, EARLIER)
    _close(counts, bounds, hidden, policy, relations)
    reasons: dict[Key, str] = {}
    for cell in cells:
        if cell.case_count < _least_cases(cell, policy):
            reasons[cell.key] = SMALL
        elif reason := hidden.get(cell.numerator_measure) or hidden.get(cell.denominator_measure or ""):
            reasons[cell.key] = reason
    return reasons


def _least_cases(cell: Cell, policy: Policy) -> int:
    """Cases under a value: a plain count says all by itself, and nought of it is no secret."""
    if not cell.persons:
        return _MEAN * policy.threshold
    return 0 if cell.denominator is None else policy.threshold


def _counts(cells: list[Cell], policy: Policy) -> tuple[dict[str, Decimal], dict[str, str]]:
    """The counts of persons by measure, and those that are small or leave a small remainder."""
    counts: dict[str, Decimal] = {}
    hidden: dict[str, str] = {}
    for cell in cells:
        if not cell.persons:
            continue
        counts[cell.numerator_measure] = cell.numerator
        if cell.denominator is not None and cell.denominator_measure:
            counts[cell.denominator_measure] = cell.denominator
            if _is_small(cell.denominator - cell.numerator, policy):
                hidden[cell.numerator_measure] = SMALL
    hidden.update({measure: SMALL for measure, count in counts.items() if _is_small(count, policy)})
    return counts, hidden


def _close(
    counts: Mapping[str, Decimal],
    bounds: Mapping[str, Decimal],
    hidden: dict[str, str],
    policy: Policy,
    relations: Relations,
) -> None:
    """Hide what would give hidden counts away, until nothing more has to be hidden; `bounds`: what no count exceeds."""
    before = -1
    while before != len(hidden):
        before = len(hidden)
        for pair in relations.same:
            if any(one in hidden for one in pair) and len({counts.get(one) for one in pair}) == 1:
                for one in pair:
                    hidden.setdefault(one, DERIVABLE)
        for relation in relations.totals:
            parts = [part for part in relation.parts if part in counts]
            if relation.total in counts and parts:
                for measure in _given_away(relation, parts, counts, bounds, hidden, policy):
                    hidden.setdefault(measure, DERIVABLE)


def _given_away(
    relation: Total,
    parts: list[str],
    counts: Mapping[str, Decimal],
    bounds: Mapping[str, Decimal],
    hidden: Mapping[str, str],
    policy: Policy,
) -> list[str]:
    """What has to be hidden next so that a total and its parts do not give one another away."""
    unknown = [part for part in parts if part in hidden]
    visible = sorted((counts[part], part) for part in parts if part not in hidden and counts[part])
    known = sum(count for count, _ in visible)
    remainder = counts[relation.total] - known
    if relation.known:
        # each unknown part can be anything below the threshold only while the others can make up for it
        covered = not unknown or remainder >= policy.threshold + len(unknown) - 2
        return [] if covered or not visible else [visible[0][1]]
    if relation.total in hidden:
        room = bounds.get(relation.total, known + policy.threshold) - known
        return [visible[-1][1]] if visible and room < policy.threshold else []
    left_over = bool(unknown) and len(parts) > 1
    return [relation.total] if left_over or (not unknown and _is_small(remainder, policy)) else []


def _is_small(count: Decimal, policy: Policy) -> bool:
    return 0 < count < policy.threshold
