"""The recommended lists: for each list the candidates of the highest total score under all its quotas at once.

Belongs here: the integer programme, its tie-break, the reserve, what each quota costs and which quotas conflict.
Does not belong here: who may apply, who counts towards which quota and how many places there are; that is SQL and
seeds. The functions know candidates by their place in the order of score and id, quotas as lists of such places.

Everything is a whole number and every answer is checked in whole numbers before it is used, so the floating-point
solver cannot bend a quota. The solver gets its candidates in one order, one thread and one seed. Of two candidates
with the same score the earlier is taken wherever the quotas allow the one in place of the other; lists that reach the
same total by different scores are left as the solver finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple


class Quota(NamedTuple):
    """A bound on the chosen members of each group: a number, or a share of the whole list."""

    id: str
    bound: str
    numerator: int
    denominator: int
    groups: tuple[frozenset[int], ...]
    is_grouped: bool = False


class Row(NamedTuple):
    """lower <= sum of coefficients of the chosen <= upper; a missing bound is None."""

    coefficients: dict[int, int]
    lower: int | None
    upper: int | None


def rows_of(quota: Quota, size: int) -> list[Row]:
    """The linear constraints of a quota, in whole numbers."""
    rows = []
    for members in quota.groups:
        if quota.bound.startswith("share"):
            coefficients = dict.fromkeys(range(size), -quota.numerator)
            for place in members:
                coefficients[place] += quota.denominator
            limit = 0
        else:
            coefficients = dict.fromkeys(sorted(members), 1)
            limit = quota.numerator
        at_least = quota.bound.endswith("at_least")
        rows.append(Row(coefficients, limit if at_least else None, None if at_least else limit))
    return rows


def within(row: Row, total: int) -> bool:
    """Whether a total keeps the bounds of a constraint."""
    return (row.lower is None or total >= row.lower) and (row.upper is None or total <= row.upper)


def obeys(chosen: Sequence[int], rows: Sequence[Row]) -> bool:
    """Whether a list keeps every constraint, in exact arithmetic."""
    return all(within(row, sum(row.coefficients.get(place, 0) for place in chosen)) for row in rows)


def solve(weights: Sequence[int], rows: Sequence[Row]) -> list[int] | None:
    """Places of a heaviest list, or None when no list keeps the constraints."""
    import highspy
    import numpy as np

    size = len(weights)
    if not size:
        return [] if obeys([], rows) else None
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = size, len(rows)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.array(weights, dtype=np.float64)
    lp.col_lower_, lp.col_upper_ = np.zeros(size), np.ones(size)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * size
    # half a unit of slack changes nothing between whole numbers and keeps rounding away from the bounds
    infinity = highspy.kHighsInf
    lp.row_lower_ = np.array([-infinity if row.lower is None else row.lower - 0.5 for row in rows])
    lp.row_upper_ = np.array([infinity if row.upper is None else row.upper + 0.5 for row in rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0, *(len(row.coefficients) for row in rows)])
    lp.a_matrix_.index_ = np.array([place for row in rows for place in row.coefficients], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([value for row in rows for value in row.coefficients.values()], dtype=np.float64)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": 0.5,
    }.items():
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    chosen = [place for place, value in enumerate(solver.getSolution().col_value) if value > 0.5]
    if status != highspy.HighsModelStatus.kOptimal or not obeys(chosen, rows):
        raise RuntimeError(f"推荐名单求解失败：{solver.modelStatusToString(status)}")
    return chosen


def best_list(scores: Sequence[int], quotas: Sequence[Quota]) -> list[int] | None:
    """Places of a list of the highest total score, equal scores settled by place; None if no list keeps the quotas."""
    rows = [row for quota in quotas for row in rows_of(quota, len(scores))]
    chosen = solve(scores, rows)
    return None if chosen is None else settle_ties(scores, rows, chosen)


def settle_ties(scores: Sequence[int], rows: Sequence[Row], chosen: Sequence[int]) -> list[int]:
    """The same total with the earlier of two equal scores wherever the constraints let them change places."""
    taken = set(chosen)
    totals = [sum(row.coefficients.get(place, 0) for place in taken) for row in rows]
    columns: list[dict[int, int]] = [{} for _ in scores]
    for number, row in enumerate(rows):
        for place, value in row.coefficients.items():
            columns[place][number] = value

    moved = True
    while moved:
        moved = False
        for _, equals in groupby(range(len(scores)), lambda place: scores[place]):
            group = list(equals)
            for early in [place for place in group if place not in taken]:
                for late in [place for place in group if place > early and place in taken]:
                    touched = columns[early].keys() | columns[late].keys()
                    change = {n: columns[early].get(n, 0) - columns[late].get(n, 0) for n in touched}
                    if all(within(rows[number], totals[number] + step) for number, step in change.items()):
                        taken = taken - {late} | {early}
                        totals = [total + change.get(number, 0) for number, total in enumerate(totals)]
                        moved = True
                        break
    return sorted(taken)


def conflicting(size: int, quotas: Sequence[Quota]) -> list[str]:
    """An irreducible set of quotas that no list can keep: without any one of them there would be one."""
    kept = list(quotas)
    for quota in quotas:
        others = [other for other in kept if other is not quota]
        if solve([0] * size, [row for other in others for row in rows_of(other, size)]) is None:
            kept = others
    return [quota.id for quota in kept]


class Outcome(NamedTuple):
    """A list by places: who is on it and in reserve, and per quota its cost and who would come in without it."""

    recommended: list[int]
    reserve: list[int]
    costs: dict[str, int]
    excluded: dict[str, frozenset[int]]
    conflict: list[str]


def select(scores: Sequence[int], quotas: Sequence[Quota], reserve_places: int) -> Outcome:
    """The recommended list, or which quotas stand in the way of any."""
    recommended = best_list(scores, quotas)
    if recommended is None:
        return Outcome([], [], {}, {}, conflicting(len(scores), quotas))
    total = sum(scores[place] for place in recommended)
    costs, excluded = {}, {}
    for quota in quotas:
        without = best_list(scores, [other for other in quotas if other is not quota]) or []
        costs[quota.id] = sum(scores[place] for place in without) - total
        excluded[quota.id] = frozenset(without) - frozenset(recommended)
    return Outcome(recommended, _reserve(scores, quotas, recommended, reserve_places), costs, excluded, [])


def _reserve(scores: Sequence[int], quotas: Sequence[Quota], recommended: list[int], places: int) -> list[int]:
    """The best list of those who are left, under the same shares and group limits, with places of its own."""
    taken = frozenset(recommended)
    rest = [place for place in range(len(scores)) if place not in taken]
    number_of = {place: number for number, place in enumerate(rest)}
    kept = [
        quota._replace(groups=tuple(frozenset(number_of[p] for p in group - taken) for group in quota.groups))
        for quota in quotas
        if quota.bound.startswith("share") or quota.is_grouped
    ]
    places_quota = Quota("reserve_places", "at_most", places, 1, (frozenset(range(len(rest))),))
    chosen = best_list([scores[place] for place in rest], [*kept, places_quota])
    return [rest[number] for number in chosen or []]


KEY = ("programme_id", "tier", "window_id")
# (list, quota) -> hospital, specialty and group of everybody who counts towards it
Members = dict[tuple[str, ...], list[tuple[str, str, str]]]
COLUMNS = {
    "programme_id": "string",
    "tier": "string",
    "window_id": "string",
    "hospital_id": "string",
    "specialty_code": "string",
    "quota_id": "string",
    "decision": "string",
    "position": "int32",
    "excluded_by": "string",
    "cost_units": "int64",
    "conflict": "string",
}


def list_rows(
    listing: dict[str, Any], candidates: Sequence[dict[str, Any]], quotas: Sequence[dict[str, Any]], members: Members
) -> tuple[list[dict[str, Any]], set[tuple[str, str]]]:
    """The rows of one list: a row per candidate and one per quota; and who is on it."""
    head = {name: listing[name] for name in KEY}
    place_of = {(row["hospital_id"], row["specialty_code"]): place for place, row in enumerate(candidates)}
    rules = []
    for quota in quotas:
        groups: dict[str, set[int]] = {}
        for hospital_id, specialty_code, group in members.get((*head.values(), quota["quota_id"]), ()):
            if (hospital_id, specialty_code) in place_of:
                groups.setdefault(group, set()).add(place_of[hospital_id, specialty_code])
        limits = (quota["limit_numerator"], quota["limit_denominator"])
        # a quota of the whole list holds even when nobody counts towards it
        sets = tuple(frozenset(groups[name]) for name in sorted(groups)) or (frozenset(),)
        rules.append(Quota(quota["quota_id"], quota["bound"], *limits, sets, quota["group_sql"] is not None))
    outcome = select([row["score_units"] for row in candidates], rules, listing["reserve_places"])
    rows = []
    for place, candidate in enumerate(candidates):
        decision = "infeasible" if outcome.conflict else "not_recommended"
        position = None
        for name, places in (("recommended", outcome.recommended), ("reserve", outcome.reserve)):
            if place in places:
                decision, position = name, places.index(place) + 1
        excluded_by = sorted(quota for quota, places in outcome.excluded.items() if place in places)
        rows.append(
            head
            | {"hospital_id": candidate["hospital_id"], "specialty_code": candidate["specialty_code"]}
            | {"decision": decision, "position": position, "excluded_by": ";".join(excluded_by) or None}
        )
    for rule in rules:
        conflict = ";".join(outcome.conflict) if rule.id in outcome.conflict else None
        rows.append(head | {"quota_id": rule.id, "cost_units": outcome.costs.get(rule.id), "conflict": conflict})
    chosen = {(candidates[p]["hospital_id"], candidates[p]["specialty_code"]) for p in outcome.recommended}
    return rows, chosen


def model(dbt: Any, session: Any) -> Any:
    """One row per eligible candidate of a list (quota_id is missing) and one per quota (hospital_id is missing)."""
    import pyarrow as pa

    lists = _records(dbt.ref("int_selection_list").order("programme_id, list_order, window_id"))
    candidates = _by(
        KEY, _records(dbt.ref("int_selection_candidate").order("score_units desc, hospital_id, specialty_code"))
    )
    quotas = _by(KEY[:2], _records(dbt.ref("selection_quotas").order("quota_id")))
    members = {
        key: [(row["hospital_id"], row["specialty_code"], row["group_key"]) for row in rows]
        for key, rows in _by((*KEY, "quota_id"), _records(dbt.ref("int_selection_member"))).items()
    }
    made: list[dict[str, Any]] = []
    taken: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for listing in lists:
        key = tuple(listing[name] for name in KEY)
        # one project per hospital and specialty: a higher tier of the same programme goes first
        before = taken.setdefault((listing["programme_id"], listing["window_id"]), set())
        free = [row for row in candidates.get(key, []) if (row["hospital_id"], row["specialty_code"]) not in before]
        rows, chosen = list_rows(listing, free, quotas.get(key[:2], []), members)
        made += rows
        before |= chosen
    columns = {name: [row.get(name) for row in made] for name in COLUMNS}
    return pa.table({name: pa.array(columns[name], getattr(pa, kind)()) for name, kind in COLUMNS.items()})


def _by(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def _records(relation: Any) -> list[dict[str, Any]]:
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
