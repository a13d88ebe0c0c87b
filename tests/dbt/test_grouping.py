"""The grouping models against the reference grouper: ten random editions side by side, each case with one answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from grouping import group_in_sql
from support.grouper import REASONS, Case, Result, Scheme, Tables, group
from support.random_scheme import ROLES, random_cases, random_scheme

pytestmark = pytest.mark.slow

CASES_PER_EDITION = 20_000
# two of them with hundreds of groups and lists
SCHEMES = {f"random-{seed}": random_scheme(seed, width=1 if seed % 5 else 8) for seed in range(1, 11)}


@pytest.fixture(scope="module")
def cases() -> list[tuple[str, Case]]:
    drawn = [
        (edition, case) for seed, edition in enumerate(SCHEMES, 100) for case in random_cases(seed, CASES_PER_EDITION)
    ]
    random.Random(0).shuffle(drawn)
    return drawn


@pytest.fixture(scope="module")
def expected(cases: list[tuple[str, Case]]) -> list[Result]:
    schemes = {edition: Scheme.from_tables(tables) for edition, tables in SCHEMES.items()}
    return [group(schemes[edition], case) for edition, case in cases]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random")


@pytest.fixture(scope="module")
def in_sql(cases: list[tuple[str, Case]], work: Path) -> list[Result]:
    return group_in_sql(work, list(SCHEMES.values()), cases)


def test_the_models_and_the_reference_agree(
    cases: list[tuple[str, Case]], expected: list[Result], in_sql: list[Result]
) -> None:
    different = [
        (edition, case, reference, sql)
        for (edition, case), reference, sql in zip(cases, expected, in_sql, strict=True)
        if reference != sql
    ]
    # the shortest case says most
    different.sort(key=lambda found: len(found[1].diagnoses or ()) + len(found[1].operations or ()))
    assert not different, f"{len(different)} of {len(cases)} differ\n" + "\n".join(
        _told(*found) for found in different[:3]
    )


def _told(edition: str, case: Case, reference: Result, sql: Result) -> str:
    """A difference with the rows of the scheme that speak of it."""
    lines = [f"{edition}: {case}", f"  reference {reference}", f"  models    {sql}"]
    tables = SCHEMES[edition]
    adrgs = {reference.adrg, sql.adrg} - {None}
    mdcs = {row["mdc"] for row in tables["mdc_diagnosis"] if row["code"] == (case.diagnoses or [None])[0]}
    named = {*adrgs, *mdcs, reference.mdc, sql.mdc, *(case.diagnoses or ()), *(case.operations or ())} - {None, ""}
    named |= {row["list_id"] for row in tables["adrg_condition"] if row["adrg"] in adrgs}
    for name, rows in tables.items():
        lines += [f"  {name} {row}" for row in rows if not named.isdisjoint(row.values())]
    return "\n".join(lines)


def test_the_sample_reaches_every_rule(cases: list[tuple[str, Case]], expected: list[Result]) -> None:
    """A comparison of cases that all end alike would prove nothing."""
    least = CASES_PER_EDITION // 20
    reasons = Counter(result.ungrouped_reason for result in expected)
    assert reasons.keys() == {None, "principal_missing", *REASONS}
    assert min(reasons.values()) > least
    levels = Counter(result.complication_level for result in expected)
    assert levels.keys() == {None, "mcc", "cc", "none"} and min(levels.values()) > least
    mdcs = Counter(result.mdc for result in expected)
    assert mdcs.keys() == {None, *(row["mdc"] for row in SCHEMES["random-1"]["mdc"])} and min(mdcs.values()) > least
    roles = Counter(
        role
        for (edition, _), result in zip(cases, expected, strict=True)
        for role in ROLES_OF.get((edition, result.adrg, result.alternative), ())
    )
    assert roles.keys() == set(ROLES) and min(roles.values()) > least
    assert sum(len(result.excluded_codes) > 1 for result in expected) > least
    # a secondary diagnosis that one table excludes and another counts
    assert sum(result.complication_code in result.excluded_codes for result in expected) > least
    # grouped on a principal diagnosis of another edition
    assert (
        sum(
            result.drg_code is not None and case.diagnoses[0] not in result.trace_zh
            for (_, case), result in zip(cases, expected, strict=True)
        )
        > least
    )


ROLES_OF = {
    (edition, row["adrg"], int(row["alternative"])): {
        other["role"]
        for other in tables["adrg_condition"]
        if (other["adrg"], other["alternative"]) == (row["adrg"], row["alternative"])
    }
    for edition, tables in SCHEMES.items()
    for row in tables["adrg_condition"]
}


def test_order_and_repetition_change_nothing(cases: list[tuple[str, Case]], in_sql: list[Result], work: Path) -> None:
    """Records in another order, with codes repeated and empty elements between, under schemes in another order."""
    draw = random.Random(1)
    sample = draw.sample(range(len(cases)), 5_000)
    schemes = [_reordered(draw, tables) for tables in SCHEMES.values()]
    again = [(cases[number][0], _repeated(draw, cases[number][1])) for number in sample]
    assert group_in_sql(work, schemes, again) == [in_sql[number] for number in sample]


def _reordered(draw: random.Random, tables: Tables) -> Tables:
    return {name: draw.sample(rows, len(rows)) for name, rows in tables.items()}


def _repeated(draw: random.Random, case: Case) -> Case:
    return replace(
        case,
        diagnoses=_stuttered(draw, case.diagnoses),
        # the first procedure is the first that is there; a first diagnosis that is not there is missing
        operations=[*draw.choices([None, ""], k=draw.randint(0, 2)), *(_stuttered(draw, case.operations) or ())],
    )


def _stuttered(draw: random.Random, codes: Sequence[str | None] | None) -> list[str | None] | None:
    """Behind each element an earlier one may stand again, or nothing."""
    if codes is None:
        return None
    longer: list[str | None] = []
    for code in codes:
        longer.append(code)
        longer += draw.choices([None, "", draw.choice(longer)], k=draw.randint(0, 2))
    return longer
