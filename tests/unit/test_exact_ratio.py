"""``exact_ratio`` and ``scaled_integer``: the same digits whether a number fits 64 bits or not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

COMPAT = Path(__file__).resolve().parents[2] / "dbt" / "macros" / "compat"
# on both sides of what is divided in 64 bits, at every scale that is used
EDGES = [edge + step for power in range(24) for edge in (10**power, 4 * 10**power) for step in (-1, 0, 1)]


def macro(name: str) -> Callable[..., str]:
    found: dict[str, Any] = {}
    adapter = SimpleNamespace(dispatch=lambda name: found[f"duckdb__{name}"])
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals.update({"adapter": adapter, "return": lambda value: value})
    found.update(vars(environment.from_string((COMPAT / f"{name}.sql").read_text("utf-8")).module))
    return found[name]


def half_up(numerator: int, denominator: int, scale: int) -> Decimal | None:
    if denominator == 0:
        return None
    return Decimal((2 * numerator * 10**scale + denominator) // (2 * denominator)).scaleb(-scale)


numbers = st.one_of(st.sampled_from(EDGES), st.integers(0, 10**6), st.integers(0, 10**22))


@pytest.mark.parametrize("scale", [2, 4, 8, 12])
def test_a_ratio_is_exact_at_every_size(scale: int) -> None:
    query = f"select {macro('exact_ratio')(['n'], ['d'], scale, 38)} from cases order by place"

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.tuples(numbers, numbers), min_size=100, max_size=200))
    def check(drawn: list[tuple[int, int]]) -> None:
        # what 128 bits held all along
        cases = [(n, d) for n, d in drawn if n * 2 * 10**scale < 10**37 and (d == 0 or n // d < 10 ** (36 - 2 * scale))]
        rows = ", ".join(f"({place}, {n}::hugeint, {d}::hugeint)" for place, (n, d) in enumerate([(1, 3), *cases]))
        with duckdb.connect() as connection:
            connection.execute(f"create table cases as from (values {rows}) as drawn (place, n, d)")
            found = [value for (value,) in connection.execute(query).fetchall()]
        assert found == [half_up(n, d, scale) for n, d in [(1, 3), *cases]]

    check()


@pytest.mark.parametrize("scale", [2, 6, 8, 12])
def test_the_last_digits_of_a_number_are_counted_at_every_size(scale: int) -> None:
    digits = sorted({sign * edge for edge in EDGES if edge < 10**19 for sign in (1, -1)})
    rows = ", ".join(f"({edge}::hugeint)" for edge in digits)
    number = f"cast(cast(n as decimal(38, 0)) * 0.{'0' * (scale - 1)}1 as decimal(38, {scale}))"
    with duckdb.connect() as connection:
        connection.execute(f"create table cases as select n, {number} as number from (values {rows}) as drawn (n)")
        found = connection.execute(f"select n, {macro('scaled_integer')('number', scale)} from cases").fetchall()
    assert len(found) == len(digits)
    assert all(counted == n for n, counted in found)
