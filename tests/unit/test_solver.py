"""The recommended list: no feasible list scores higher, equal scores go by order, conflicts are irreducible."""

from __future__ import annotations

import importlib.util
import random
import time
from itertools import combinations
from pathlib import Path
from types import ModuleType

import pytest

MODEL = Path(__file__).parents[2] / "dbt" / "models" / "intermediate" / "selection" / "int_selection.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("int_selection", MODEL)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


solver = _load()
Quota = solver.Quota


def whole(size: int) -> tuple[frozenset[int], ...]:
    return (frozenset(range(size)),)


def places(size: int, most: int, least: int = 0) -> list:
    return [
        Quota("places_at_least", "at_least", least, 1, whole(size)),
        Quota("places_at_most", "at_most", most, 1, whole(size)),
    ]


def keeps(chosen: tuple[int, ...], quota) -> bool:
    """What a quota means, said once more without the solver's rows."""
    for group in quota.groups:
        members = len(group.intersection(chosen))
        left, right = members * quota.denominator, quota.numerator
        if quota.bound.startswith("share"):
            right *= len(chosen)
        if left < right if quota.bound.endswith("at_least") else left > right:
            return False
    return True


def by_trying_all(scores: list[int], quotas: list) -> int | None:
    """The highest total of every list that keeps the quotas; None where there is none."""
    totals = [
        sum(scores[place] for place in chosen)
        for size in range(len(scores) + 1)
        for chosen in combinations(range(len(scores)), size)
        if all(keeps(chosen, quota) for quota in quotas)
    ]
    return max(totals, default=None)


def drawn(rng: random.Random) -> tuple[list[int], list]:
    """A few candidates with many ties, and some quotas of every kind; often no list keeps them all."""
    size = rng.randint(0, 9)
    scores = sorted((rng.choice((0, 1, 2, 3, 5, 8)) for _ in range(size)), reverse=True)

    def some() -> frozenset[int]:
        return frozenset(place for place in range(size) if rng.random() < 0.5)

    quotas = places(size, rng.randint(0, 6), rng.randint(0, 3))
    if rng.random() < 0.7:
        quotas.append(Quota("capital", "share_at_most", rng.randint(0, 3), rng.randint(3, 5), (some(),)))
    if rng.random() < 0.7:
        quotas.append(Quota("core", "share_at_least", 1, rng.randint(2, 3), (some(),)))
    if rng.random() < 0.5:
        half = some()
        quotas.append(Quota("one_each", "at_most", 1, 1, (half, frozenset(range(size)) - half)))
    return scores, quotas


@pytest.mark.parametrize("seed", range(120))
def test_the_list_keeps_every_quota_and_none_scores_higher(seed: int) -> None:
    scores, quotas = drawn(random.Random(seed))
    chosen = solver.best_list(scores, quotas)
    assert by_trying_all(scores, quotas) == (None if chosen is None else sum(scores[place] for place in chosen))
    if chosen is None:
        return
    assert all(keeps(tuple(chosen), quota) for quota in quotas)
    for late in chosen:
        for early in set(range(late)) - set(chosen):
            swapped = tuple({*chosen, early} - {late})
            assert scores[early] > scores[late] or not all(keeps(swapped, quota) for quota in quotas)


def test_equal_scores_go_by_order() -> None:
    assert solver.best_list([5, 5, 5, 5], places(4, 2)) == [0, 1]
    # of equal scores the earliest of each kind that the quota asks for
    core = Quota("core", "share_at_least", 1, 2, (frozenset({2, 3}),))
    assert solver.best_list([5, 5, 5, 5], [*places(4, 2), core]) == [0, 2]


def test_the_drawn_instances_are_of_both_kinds() -> None:
    answers = [by_trying_all(*drawn(random.Random(seed))) for seed in range(40)]
    assert None in answers and any(answers)


def test_a_share_of_one_third_is_met_by_exactly_one_third() -> None:
    # the two best are not core; one core candidate of three is enough, one of four is not
    core = Quota("core", "share_at_least", 1, 3, (frozenset({3, 4}),))
    assert solver.best_list([90, 80, 70, 10, 9], [*places(5, 3), core]) == [0, 1, 3]
    assert solver.best_list([90, 80, 70, 10, 9], [*places(5, 4, 4), core]) == [0, 1, 3, 4]


def test_what_a_quota_costs_and_whom_it_keeps_out() -> None:
    # four of five from the capital; at most 60 % of 3 is one
    capital = Quota("capital", "share_at_most", 60, 100, (frozenset({0, 1, 2, 3}),))
    outcome = solver.select([90, 80, 70, 60, 50], [*places(5, 2, 2), capital], reserve_places=1)
    assert outcome.recommended == [0, 4]
    assert outcome.costs == {"places_at_least": 0, "places_at_most": 0, "capital": 30}
    assert outcome.excluded["capital"] == {1}
    # nobody outside the capital is left, and one of one would be more than 60 %
    assert outcome.reserve == []


def test_the_reserve_is_the_best_list_of_those_who_are_left() -> None:
    capital = Quota("capital", "share_at_most", 60, 100, (frozenset({0, 1, 2, 3}),))
    outcome = solver.select([90, 80, 70, 60, 50, 40, 30], [*places(7, 2, 2), capital], reserve_places=2)
    assert outcome.recommended == [0, 4] and outcome.reserve == [1, 5]


def test_conflicting_quotas_are_named_and_none_of_them_is_idle() -> None:
    size = 4
    quotas = [
        *places(size, 9, 3),
        Quota("capital", "share_at_most", 60, 100, (frozenset({0, 1, 2}),)),
        Quota("core", "share_at_least", 1, 3, (frozenset({0}),)),
    ]
    # 3 or more with at most 60 % of three from the capital: only one place is outside it
    outcome = solver.select([4, 3, 2, 1], quotas, reserve_places=1)
    assert outcome.conflict == ["places_at_least", "capital"]
    assert (outcome.recommended, outcome.reserve, outcome.costs) == ([], [], {})


@pytest.mark.parametrize("seed", range(60))
def test_a_conflict_is_irreducible(seed: int) -> None:
    scores, quotas = drawn(random.Random(1000 + seed))
    if by_trying_all(scores, quotas) is not None:
        return
    named = [quota for quota in quotas if quota.id in solver.conflicting(len(scores), quotas)]
    assert by_trying_all(scores, named) is None
    for quota in named:
        assert by_trying_all(scores, [other for other in named if other is not quota]) is not None


def test_an_answer_that_breaks_a_quota_is_never_used() -> None:
    row = solver.Row({0: 1, 1: 1}, None, 1)
    assert solver.obeys([0], [row]) and not solver.obeys([0, 1], [row])
    assert not solver.obeys([], [solver.Row({0: 1}, 1, None)])


def test_four_thousand_candidates_are_selected_in_seconds() -> None:
    rng = random.Random(7)
    size = 4000
    # two digits of score: thousands of ties
    scores = sorted((rng.randint(4000, 9000) * 100 for _ in range(size)), reverse=True)
    capital = frozenset(place for place in range(size) if rng.random() < 0.8)
    core = frozenset(place for place in range(size) if rng.random() < 0.2)
    by_specialty: dict[int, set[int]] = {}
    for place in range(size):
        by_specialty.setdefault(rng.randrange(40), set()).add(place)
    quotas = [
        *places(size, 200, 150),
        Quota("capital", "share_at_most", 60, 100, (capital,)),
        Quota("core", "share_at_least", 1, 3, (core,)),
        Quota("per_specialty", "at_most", 6, 1, tuple(frozenset(group) for group in by_specialty.values())),
    ]
    started = time.process_time()
    outcome = solver.select(scores, quotas, reserve_places=20)
    assert time.process_time() - started < 30
    assert len(outcome.recommended) == 200 and len(outcome.reserve) == 20
    assert all(keeps(tuple(outcome.recommended), quota) for quota in quotas)
    # no better candidate can take anybody's place: whoever would, breaks a quota
    weakest = max(outcome.recommended)
    for late in outcome.recommended:
        for early in set(range(weakest)) - set(outcome.recommended):
            if scores[early] > scores[late]:
                swapped = tuple({*outcome.recommended, early} - {late})
                assert not all(keeps(swapped, quota) for quota in quotas)
    assert outcome.costs["capital"] > 0 and outcome.costs["core"] > 0
