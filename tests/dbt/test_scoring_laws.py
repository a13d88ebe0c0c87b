"""Laws of the scores on random small provinces: what must hold whatever the numbers are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scoring import WINDOW, Scoring, Value, scoring

__all__ = ["scoring"]

HIGHER = ("cmi", "rw2_share", "out_of_province_share", "level4_surgery_share")
LOWER = ("mortality_low_risk", "mortality_mid_low_risk", "mean_length_of_stay", "time_consumption_index")
SPECIALTIES = ("0304", "0401")
RANKED = ["update programmes set min_coverage = 0, min_peers = 1, draws = 20"]
MARTS = ("fct_item", "fct_score", "fct_rank_stability")
Indicators = dict[tuple[str, str], dict[str, Value]]
FEW = settings(max_examples=8, deadline=None)


def province(seed: int) -> Indicators:
    """Four to seven hospitals whose indicators often tie and sometimes lack cases."""
    draw = random.Random(seed)
    return {
        (f"H{number}", specialty): {
            indicator: Value(str(draw.randrange(1, 8) / Decimal(10)), cases=draw.choice([29, 30, 80, 400]))
            for indicator in (*HIGHER, *LOWER)
        }
        for number in range(draw.randrange(4, 8))
        for specialty in SPECIALTIES
    }


def dossiers(seed: int) -> dict[tuple[str, str], dict[str, Any]]:
    draw = random.Random(seed)
    return {("H0", "0401"): {"D0501": draw.randrange(9), "D0705": 3}, ("H1", "0401"): {"D0501": draw.randrange(9)}}


def contents(rows: Sequence[Sequence[Any]]) -> list[str]:
    return sorted(map(repr, rows))


seeds = st.integers(0, 10**6)


@FEW
@given(seed=seeds)
def test_the_order_of_hospitals_changes_nothing(scoring: Scoring, seed: int) -> None:
    indicators = province(seed)
    shuffled = list(indicators.items())
    random.Random(seed).shuffle(shuffled)
    with scoring.province(indicators, dossiers=dossiers(seed), statements=RANKED) as scored:
        before = {mart: contents(scored.rows(f"from {mart}")) for mart in MARTS}
    with scoring.province(dict(shuffled), dossiers=dossiers(seed), statements=RANKED) as scored:
        assert {mart: contents(scored.rows(f"from {mart}")) for mart in MARTS} == before


@FEW
@given(seed=seeds, indicator=st.sampled_from((*HIGHER, *LOWER)), step=st.integers(1, 3))
def test_a_better_value_never_costs_a_score_or_a_rank(scoring: Scoring, seed: int, indicator: str, step: int) -> None:
    indicators = province(seed)
    pair = random.Random(seed).choice(sorted(indicators))
    given_value = indicators[pair][indicator]
    sign = 1 if indicator in HIGHER else -1
    better = replace(
        given_value, value=str(max(Decimal(given_value.value or 0) + sign * step / Decimal(10), Decimal(0)))
    )
    improved = {**indicators, pair: {**indicators[pair], indicator: better}}
    query = (
        "select programme_id, tier, level, group_id, score, rank from fct_score"
        f" where hospital_id = '{pair[0]}' and specialty_code = '{pair[1]}' order by all"
    )
    with scoring.province(indicators, statements=RANKED) as scored:
        before = scored.rows(query)
    with scoring.province(improved, statements=RANKED) as scored:
        after = scored.rows(query)
    for was, now in zip(before, after, strict=True):
        assert was[:4] == now[:4]
        assert (was[4] is None) == (now[4] is None)
        if was[4] is not None:
            assert now[4] >= was[4] and now[5] <= was[5], (indicator, was, now)


@FEW
@given(seed=seeds)
def test_one_more_death_never_improves_a_score(scoring: Scoring, seed: int) -> None:
    """The same stay reported twice, a death: one more case and one more death, where there were enough cases."""
    indicators = province(seed)
    pair = random.Random(seed).choice(sorted(indicators))
    was = indicators[pair]["mortality_low_risk"]
    was = replace(was, cases=max(was.cases, 30))
    deaths = int(Decimal(was.value or 0) * was.cases)
    was = replace(was, value=str(Decimal(deaths) / was.cases))
    now = replace(was, value=str(Decimal(deaths + 1) / (was.cases + 1)), cases=was.cases + 1)
    query = (
        "select programme_id, tier, group_id, score from fct_score where score is not null"
        f" and hospital_id = '{pair[0]}' and specialty_code = '{pair[1]}' order by all"
    )
    results = []
    for value in (was, now):
        changed = {**indicators, pair: {**indicators[pair], "mortality_low_risk": value}}
        with scoring.province(changed, statements=RANKED) as scored:
            results.append(scored.rows(query))
    assert results[0] and all(
        after[:3] == before[:3] and after[3] <= before[3] for before, after in zip(*results, strict=True)
    )


@FEW
@given(seed=seeds)
def test_specialties_do_not_see_each_other(scoring: Scoring, seed: int) -> None:
    indicators = province(seed)
    alone = {pair: values for pair, values in indicators.items() if pair[1] == "0401"}
    query = "from {} where specialty_code = '0401'"
    with scoring.province(indicators, statements=RANKED) as scored:
        together = {mart: contents(scored.rows(query.format(mart))) for mart in MARTS}
    with scoring.province(alone, statements=RANKED) as scored:
        assert {mart: contents(scored.rows(query.format(mart))) for mart in MARTS} == together


@FEW
@given(seed=seeds)
def test_places_are_shares_of_the_peers(scoring: Scoring, seed: int) -> None:
    """Places of the peers have the mean 50, whatever the values: a gain of one is another's loss."""
    with scoring.province(province(seed), statements=RANKED) as scored:
        for mean, count in scored.rows(
            "select sum(scale_score) / count(*), count(*) from fct_item where scale_method = 'percentile'"
            " and status = 'valued' and is_peer group by programme_id, tier, specialty_code, item_id"
        ):
            assert abs(Decimal(mean) - 50) < Decimal("0.000001"), count


def test_a_total_lies_within_its_groups_and_its_coverage_within_one(scoring: Scoring) -> None:
    with scoring.province(province(7), dossiers=dossiers(7), statements=RANKED) as scored:
        checked = scored.rows(
            "select count(*), bool_and(score between (select min(score) from fct_score g where level = 'group'"
            "   and (g.programme_id, g.tier, g.hospital_id, g.specialty_code)"
            "     = (t.programme_id, t.tier, t.hospital_id, t.specialty_code))"
            " and (select max(score) from fct_score g where level = 'group'"
            "   and (g.programme_id, g.tier, g.hospital_id, g.specialty_code)"
            "     = (t.programme_id, t.tier, t.hospital_id, t.specialty_code))),"
            " bool_and(coverage between 0 and 1)"
            f" from fct_score t where level = 'total' and window_id = '{WINDOW}'"
        )
        assert checked[0][0] > 20 and checked[0][1:] == (True, True)
