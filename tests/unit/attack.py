"""What somebody can work out about a suppressed cell: the least and the greatest count that fit all that is published.

A linear programme over one hospital's specialty, or over all hospitals where a sum over them is published. The attacker
knows the definitions, every denominator of a published share, the totals that are no secret, and of each cell that was
suppressed for being small which of its counts it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy
from scipy.optimize import linprog

from publishing.disclosure.rules import SMALL, Cell, Key, Policy, load_relations

EXACT = ("low_and_mid_low_risk_death_count", "low_and_mid_low_risk_count")  # totals that are nothing but their parts
Variable = tuple[str, str]  # hospital and measure


@dataclass
class Knowledge:
    """Linear statements about counts: least <= sum of factor * count <= greatest."""

    statements: list[tuple[dict[Variable, float], float, float]] = field(default_factory=list)

    def add(self, least: float, factors: Mapping[Variable, float], greatest: float = numpy.inf) -> None:
        self.statements.append((dict(factors), least, greatest))

    def interval(self, variable: Variable) -> tuple[float, float]:
        """The least and greatest value of one count."""
        names = sorted({name for factors, _, _ in self.statements for name in factors} | {variable})
        place = {name: index for index, name in enumerate(names)}
        rows, bounds = [], []
        for factors, least, greatest in self.statements:
            row = numpy.zeros(len(names))
            for name, factor in factors.items():
                row[place[name]] = factor
            for sign, bound in ((1, greatest), (-1, -least)):
                if numpy.isfinite(bound):
                    rows.append(sign * row)
                    bounds.append(bound)
        goal = numpy.zeros(len(names))
        goal[place[variable]] = 1
        ends = []
        for sign in (1, -1):
            limits = (numpy.array(rows), numpy.array(bounds)) if rows else (None, None)
            found = linprog(sign * goal, *limits, bounds=(0, None))
            assert found.status in (0, 3), found.message  # 3: without end, as for a count that nothing bounds
            ends.append(numpy.inf if found.status == 3 else sign * found.fun)
        return ends[0], ends[1]


def knowledge(cells: Sequence[Cell], hidden: Mapping[Key, str], policy: Policy, half: Decimal) -> Knowledge:
    """What is known of hospitals' counts; `half`: half a unit of the last published decimal of a share."""
    known = Knowledge()
    relations = load_relations()
    totals = {relation.total for relation in relations.totals if relation.known}
    counts: dict[Variable, Decimal] = {}
    for cell in cells:
        if not cell.persons:
            continue
        numerator = (cell.hospital_id, cell.numerator_measure)
        counts[numerator] = cell.numerator
        denominator = (cell.hospital_id, cell.denominator_measure or "")
        if cell.denominator is not None:
            counts[denominator] = cell.denominator
            known.add(0, {denominator: 1, numerator: -1})
        if cell.key in hidden:
            if hidden[cell.key] == SMALL:
                _tell(known, cell, numerator, denominator, policy)
        elif cell.denominator is None:
            slack = float(policy.count_base) / 2
            known.add(float(cell.numerator) - slack, {numerator: 1}, float(cell.numerator) + slack)
        else:
            slack = float(half * cell.denominator)
            known.add(float(cell.numerator) - slack, {numerator: 1}, float(cell.numerator) + slack)
            known.add(float(cell.denominator), {denominator: 1}, float(cell.denominator))
    for (hospital, measure), count in counts.items():
        if measure in totals and count >= policy.threshold:
            known.add(float(count), {(hospital, measure): 1}, float(count))
    for hospital in {hospital for hospital, _ in counts}:
        for relation in relations.totals:
            parts = [part for part in relation.parts if (hospital, part) in counts]
            if (hospital, relation.total) in counts and parts:
                exact = relation.total in EXACT and len(parts) == len(relation.parts)
                factors = {(hospital, relation.total): 1.0} | {(hospital, part): -1.0 for part in parts}
                known.add(0, factors, 0 if exact else numpy.inf)
        for one, other in relations.same:
            if (hospital, one) in counts and counts[hospital, one] == counts.get((hospital, other)):
                known.add(0, {(hospital, one): 1, (hospital, other): -1}, 0)
    return known


def _tell(known: Knowledge, cell: Cell, numerator: Variable, denominator: Variable, policy: Policy) -> None:
    """Which of the counts is small."""
    most = policy.threshold - 1
    if 0 < cell.numerator <= most:
        known.add(1, {numerator: 1}, most)
    elif cell.denominator is not None and 0 < cell.denominator - cell.numerator <= most:
        known.add(1, {denominator: 1, numerator: -1}, most)
    elif cell.denominator is not None and 0 < cell.denominator <= most:
        known.add(1, {denominator: 1}, most)


def narrow(
    cells: Iterable[Cell], hidden: Mapping[Key, str], policy: Policy, width: float, known: Knowledge
) -> list[tuple[Key, float, float]]:
    """The suppressed counts that are known more closely than `width`."""
    found = []
    for cell in cells:
        if cell.persons and cell.key in hidden:
            least, most = known.interval((cell.hospital_id, cell.numerator_measure))
            if most - least < width:
                found.append((cell.key, least, most))
    return found
