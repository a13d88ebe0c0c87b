"""Which months of a hospital are held back, and what takes their place."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from expectations import month_counts
from expectations.decisions import NO_DECISIONS, Decisions, Override
from expectations.holding import held_back
from expectations.verdict import RULES
from sources import candidate, intake, landing
from tests.support.front_page import clean_front_page, front_page_csv, put

HOSPITAL, OTHER = "12990102MB0000001L", "12990103MB00000026"
RULE = "hqms_01_time_order"  # held back above 20 %
SHRUNK = "hqms_19_month_shrunk"  # held back above 50 %


def pages(organisation: str, month: int, reversed_rows: int, rows: int = 10, cost_fen: int = 100_000) -> bytes:
    """A month of ten discharges, of which some leave before they come."""
    return front_page_csv(
        clean_front_page(
            organisation=organisation,
            record=f"R{month}{serial:04d}",
            admitted=datetime(2022, month, 5, 8 if serial >= reversed_rows else 23),
            discharged=datetime(2022, month, 5, 10),
            department="0304",
            diagnosis="I21.001",
            serial=serial,
            cost_fen=cost_fen,
        )
        for serial in range(rows)
    )


def arrive(home: Path, organisation: str, name: str, content: bytes) -> None:
    put(home / "inbox" / "hqms" / organisation / name, content)
    intake.record(home, intake.scan(home))
    landing.land(home, "hqms_front_page", key=bytes(range(32)))


def used(home: Path, decisions: Decisions = NO_DECISIONS) -> list[tuple[str, str, int]]:
    """(organisation, month, total fee) of what the warehouse sees."""
    database = home / "candidate.duckdb"
    database.unlink(missing_ok=True)
    candidate.prepare(home, database, held_back=held_back(home, decisions))
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(
            "select organisation_id, strftime(discharge_time, '%Y-%m') as month, max(total_fee_fen) "
            "from landing.hqms_front_page group by all order by all"
        ).fetchall()


def waiting(home: Path) -> list[tuple[str, int, int]]:
    """(rule, checked, violated) of what waits for a resubmission."""
    held = candidate.outstanding(home, held_back(home, NO_DECISIONS))
    return sorted((one.rule_id, one.checked, one.violated) for one in held)


def compared(home: Path) -> list[tuple[bool, int, int]]:
    """(in force, rows, rows of the version before) of the last versions, as dbt reads them."""
    used(home)
    with duckdb.connect(str(home / "candidate.duckdb"), read_only=True) as connection:
        return connection.execute(
            "select in_force, rows, rows_before from landing.slice where rows_before is not null"
        ).fetchall()


def overriding(rule_id: str, organisation: str | None, month: str | None) -> Decisions:
    override = Override(
        rule_id=rule_id,
        organisation_id=organisation,
        month=month,
        decided_by="甲",
        confirmed_by="乙",
        reason="补报中",
        decided_on=date(2026, 1, 1),
        expires_on=date(2026, 2, 1),
    )
    return Decisions(overrides=(override,))


def test_a_month_beyond_the_threshold_is_held_back_alone(tmp_path: Path) -> None:
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01.csv", pages(HOSPITAL, 1, reversed_rows=2))  # exactly at the threshold
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M02.csv", pages(HOSPITAL, 2, reversed_rows=3))
    arrive(tmp_path, OTHER, "hqmsts_2022M02.csv", pages(OTHER, 2, reversed_rows=0))
    [held] = held_back(tmp_path, NO_DECISIONS)
    assert (held.slice, held.rule_id, held.checked, held.violated) == ((HOSPITAL, "2022-02"), RULE, 10, 3)
    assert held.threshold == Decimal("0.2")
    assert used(tmp_path) == [(HOSPITAL, "2022-01", 100_000), (OTHER, "2022-02", 100_000)]


def test_the_earlier_version_stays_in_force_and_is_judged_too(tmp_path: Path) -> None:
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01.csv", pages(HOSPITAL, 1, reversed_rows=0, cost_fen=100_000))
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R2.csv", pages(HOSPITAL, 1, reversed_rows=5, cost_fen=200_000))
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R3.csv", pages(HOSPITAL, 1, reversed_rows=9, cost_fen=300_000))
    assert waiting(tmp_path) == [(RULE, 10, 5), (RULE, 10, 9)]
    assert used(tmp_path) == [(HOSPITAL, "2022-01", 100_000)]
    # a corrected month takes its place again
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R4.csv", pages(HOSPITAL, 1, reversed_rows=1, cost_fen=400_000))
    assert waiting(tmp_path) == []
    assert used(tmp_path) == [(HOSPITAL, "2022-01", 400_000)]


def test_a_month_that_lost_more_than_half_of_its_rows_is_held_back(tmp_path: Path) -> None:
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01.csv", pages(HOSPITAL, 1, 0, rows=10, cost_fen=100_000))
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R2.csv", pages(HOSPITAL, 1, 0, rows=5, cost_fen=200_000))
    assert waiting(tmp_path) == []  # half of it is exactly at the threshold
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R3.csv", pages(HOSPITAL, 1, 0, rows=2, cost_fen=300_000))
    assert waiting(tmp_path) == [(SHRUNK, 5, 3)]
    # what was held back is no measure for what comes after it
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R4.csv", pages(HOSPITAL, 1, 0, rows=2, cost_fen=400_000))
    assert waiting(tmp_path) == [(SHRUNK, 5, 3), (SHRUNK, 5, 3)]
    assert used(tmp_path) == [(HOSPITAL, "2022-01", 200_000)]
    assert compared(tmp_path) == [(False, 2, 5)]
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R5.csv", pages(HOSPITAL, 1, 0, rows=3, cost_fen=500_000))
    assert (waiting(tmp_path), used(tmp_path)) == ([], [(HOSPITAL, "2022-01", 500_000)])
    assert compared(tmp_path) == [(True, 3, 5)]


def test_a_stray_row_in_another_hospitals_file_does_not_replace_a_month(tmp_path: Path) -> None:
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01.csv", pages(HOSPITAL, 1, 0, rows=10, cost_fen=100_000))
    stray = pages(HOSPITAL, 1, 0, rows=1, cost_fen=900_000).partition(b"\n")[2]
    arrive(tmp_path, OTHER, "hqmsts_2022M01.csv", pages(OTHER, 1, 0, rows=10, cost_fen=200_000) + stray)
    assert used(tmp_path) == [(HOSPITAL, "2022-01", 100_000), (OTHER, "2022-01", 200_000)]
    assert waiting(tmp_path) == [(SHRUNK, 10, 9)]
    decided = overriding(SHRUNK, HOSPITAL, "2022-01")
    assert used(tmp_path, decided) == [(HOSPITAL, "2022-01", 900_000), (OTHER, "2022-01", 200_000)]


def test_counts_are_remembered_by_content_and_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, read = tmp_path / "cache", []
    count = month_counts._count
    monkeypatch.setattr(
        month_counts,
        "_count",
        lambda home, dataset, rules, receipts: (
            read.append([receipt["source"]["path"].rpartition("/")[2] for receipt in receipts]),
            count(home, dataset, rules, receipts),
        )[1],
    )
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01.csv", pages(HOSPITAL, 1, reversed_rows=5))
    first = held_back(tmp_path, NO_DECISIONS, cache=cache)
    assert held_back(tmp_path, NO_DECISIONS, cache=cache) == first
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M02.csv", pages(HOSPITAL, 2, reversed_rows=5))
    assert len(held_back(tmp_path, NO_DECISIONS, cache=cache)) == 2
    assert read == [["hqmsts_2022M01.csv"], ["hqmsts_2022M02.csv"]]
    # another rule counts anew, and what cannot be read counts as nothing
    rules = tmp_path / "rules.csv"
    rules.write_text(RULES.read_text("utf-8").replace("discharge_time < admission_time", "total_fee_fen < 0"), "utf-8")
    assert held_back(tmp_path, NO_DECISIONS, rules, cache) == []
    [remembered] = cache.glob("month-counts-hqms_front_page.*.json")
    remembered.write_bytes(remembered.read_bytes()[:-10])
    assert held_back(tmp_path, NO_DECISIONS, rules, cache) == []
    assert [len(files) for files in read] == [1, 1, 2, 2]


def test_the_candidate_says_what_is_held_back_and_what_is_used(tmp_path: Path) -> None:
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01.csv", pages(HOSPITAL, 1, reversed_rows=0))
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01_R2.csv", pages(HOSPITAL, 1, reversed_rows=5))
    arrive(tmp_path, OTHER, "hqmsts_2022M01.csv", pages(OTHER, 1, reversed_rows=5))
    used(tmp_path)
    with duckdb.connect(str(tmp_path / "candidate.duckdb"), read_only=True) as connection:
        told = connection.execute(
            "select organisation_id, month, rule_id, violated, used_source_id is null from gate.held_back order by all"
        ).fetchall()
        in_force = connection.execute(
            "select organisation_id, in_force, count(*) from landing.slice group by all order by all"
        ).fetchall()
    assert told == [(HOSPITAL, "2022-01", RULE, 5, False), (OTHER, "2022-01", RULE, 5, True)]
    assert in_force == [(HOSPITAL, False, 1), (HOSPITAL, True, 1), (OTHER, False, 1)]


@pytest.mark.parametrize(
    ("organisation", "month", "is_tolerated"),
    [(None, None, True), (HOSPITAL, None, True), (HOSPITAL, "2022-01", True), (HOSPITAL, "2022-02", False)],
)
def test_an_override_lets_a_month_in(
    tmp_path: Path, organisation: str | None, month: str | None, is_tolerated: bool
) -> None:
    arrive(tmp_path, HOSPITAL, "hqmsts_2022M01.csv", pages(HOSPITAL, 1, reversed_rows=5))
    assert bool(used(tmp_path, overriding(RULE, organisation, month))) == is_tolerated
