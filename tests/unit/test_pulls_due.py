"""When a month of a database is due, and which of its rows count."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from pulls import ONE, OTHER, STAMPS, case, in_force, must_succeed, records, source
from support.postgres import Postgres
from support.tables import connected, fill, run

from expectations import holding
from expectations.decisions import NO_DECISIONS
from sources import candidate, landing
from sources.databases.pull import pull


def test_a_second_pull_reads_only_what_changed(database: str, tmp_path: Path) -> None:
    table = fill(database, "fzjg", [case(1), case(2, "2024-02-01 00:00:00"), case(3, "2024-03-01 00:00:00")], STAMPS)
    wanted = source(database)
    assert must_succeed(pull(tmp_path, wanted)).months == ["2024-01", "2024-02", "2024-03"]
    nothing = must_succeed(pull(tmp_path, wanted))
    assert (nothing.months, nothing.same) == ([], [])
    with connected(database) as connection:
        changed = {"DRG编码": "FM21", "修改时间": datetime(2024, 6, 2)}
        connection.execute(table.update().where(table.c.病案号 == "R00002").values(changed))
        connection.execute(table.delete().where(table.c.病案号 == "R00003"))
        connection.execute(table.insert(), [dict(case(4))])  # an old stamp: only the number of rows tells
    again = must_succeed(pull(tmp_path, wanted))
    assert again.months == ["2024-01", "2024-02", "2024-03"]
    assert records(tmp_path) == {"2024-01": ["R00001", "R00004"], "2024-02": ["R00002"], "2024-03": []}
    assert in_force(tmp_path, columns="drg_code") == [("FM19",), ("FM19",), ("FM21",)]


def test_a_change_committed_late_is_caught_within_the_overlap(tmp_path: Path) -> None:
    """Its stamp is earlier than the last one that was seen, and the number of rows is the same."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    now = datetime.now()
    table = fill(
        url, "fzjg", [case(1, 修改时间=now - timedelta(days=2)), case(2, 修改时间=now - timedelta(days=3))], STAMPS
    )
    for days, caught in [(1, False), (7, True)]:
        home, wanted = tmp_path / str(days), source(url, overlap_days=days)
        must_succeed(pull(home, wanted))
        with connected(url) as connection:
            late = {"DRG编码": f"FM{days}", "修改时间": now - timedelta(days=2, hours=1)}
            connection.execute(table.update().where(table.c.病案号 == "R00002").values(late))
        assert bool(must_succeed(pull(home, wanted)).months) == caught


def test_a_change_at_infinity_hides_no_later_change(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.database()
    fill(url, "fzjg", [case(1), case(2)], STAMPS)
    run(url, "update fzjg set 修改时间 = 'infinity' where 病案号 = 'R00001'")
    assert must_succeed(pull(tmp_path, source(url))).months == ["2024-01"]
    run(url, "update fzjg set \"DRG编码\" = 'FM21', 修改时间 = '2024-06-02' where 病案号 = 'R00002'")
    assert must_succeed(pull(tmp_path, source(url))).months == ["2024-01"]


def test_reconciling_finds_what_neither_stamp_nor_count_betrays(database: str, tmp_path: Path) -> None:
    table = fill(database, "fzjg", [case(1), case(2, "2024-02-01 00:00:00")], STAMPS)
    wanted = source(database)
    must_succeed(pull(tmp_path, wanted))
    with connected(database) as connection:
        connection.execute(table.update().where(table.c.病案号 == "R00001").values({"DRG编码": "FM21"}))
    assert must_succeed(pull(tmp_path, wanted)).months == []
    report = must_succeed(pull(tmp_path, wanted, reconcile=True))
    assert (report.months, report.same) == (["2024-01"], ["2024-02"])


def test_a_hospital_that_left_a_month_is_gone_from_it(tmp_path: Path) -> None:
    """Files of hospitals replace only what they hold; a pulled month is the whole month."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    table = fill(
        url, "fzjg", [case(1), case(2, hospital=OTHER), case(3, "2024-02-01 00:00:00", hospital=OTHER)], STAMPS
    )
    must_succeed(pull(tmp_path, source(url)))
    assert in_force(tmp_path) == [(3,)]
    with connected(url) as connection:
        connection.execute(table.delete().where(table.c.机构代码 == OTHER, table.c.病案号 == "R00002"))
    must_succeed(pull(tmp_path, source(url)))
    assert in_force(tmp_path, columns="organisation_id, strftime(discharge_time, '%m')") == [(ONE, "01"), (OTHER, "02")]


@pytest.mark.parametrize(("lost", "is_believed"), [(19, True), (20, False)])
def test_a_hospital_that_a_month_lost_altogether_is_held_back(lost: int, is_believed: bool, tmp_path: Path) -> None:
    """A stray row or two may be mended in the database; a whole hospital stays until somebody decides or it is back."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    gone = [case(100 + serial, hospital=OTHER) for serial in range(lost)]
    table = fill(url, "fzjg", [case(1), *gone], STAMPS)
    must_succeed(pull(tmp_path, source(url)))
    in_force(tmp_path)
    with connected(url) as connection:
        connection.execute(table.delete().where(table.c.机构代码 == OTHER))
    must_succeed(pull(tmp_path, source(url)))
    in_force(tmp_path)
    held = holding.held_back(tmp_path, NO_DECISIONS)
    waiting = candidate.outstanding(tmp_path, held)
    assert [(one.slice, one.rule_id, one.checked, one.violated) for one in waiting] == (
        [] if is_believed else [((OTHER, "2024-01"), "drg_month_shrunk", lost, lost)]
    )
    assert in_force(tmp_path, held_back=held) == [(1,) if is_believed else (1 + lost,)]
    told = "select rows, rows_before, in_force from landing.slice where organisation_id = '{}' and rows_before > 0"
    with duckdb.connect(str(tmp_path / "work" / "candidate.duckdb"), read_only=True) as con:
        assert con.execute(told.format(OTHER)).fetchall() == [(0, lost, False)]
    with connected(url) as connection:
        connection.execute(table.insert(), [dict(row) for row in gone])
    must_succeed(pull(tmp_path, source(url)))
    assert in_force(tmp_path) == [(1 + lost,)]
    assert candidate.outstanding(tmp_path, holding.held_back(tmp_path, NO_DECISIONS)) == []


def test_a_row_that_moves_to_another_month_counts_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    table = fill(url, "fzjg", [case(1), case(2, "2024-02-01 00:00:00")], STAMPS)
    must_succeed(pull(tmp_path, source(url)))
    assert in_force(tmp_path) == [(2,)]
    with connected(url) as connection:
        connection.execute(table.update().where(table.c.病案号 == "R00001").values({"出院时间": datetime(2024, 2, 3)}))
    must_succeed(pull(tmp_path, source(url)))
    assert in_force(tmp_path, columns="strftime(discharge_time, '%m')") == [("02",), ("02",)]


def test_a_table_that_lost_every_row_is_not_believed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    table = fill(url, "fzjg", [case(1)], STAMPS)
    must_succeed(pull(tmp_path, source(url)))
    with connected(url) as connection:
        connection.execute(table.delete())
    problem = pull(tmp_path, source(url)).problem
    assert problem is not None and "上次有 1 行" in problem
    assert in_force(tmp_path) == [(1,)]


def test_months_before_the_first_wanted_one_are_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    fill(url, "fzjg", [case(1, "2023-12-31 00:00:00"), case(2)], STAMPS)
    assert must_succeed(pull(tmp_path, source(url, since="2024-01"))).months == ["2024-01"]


def test_the_receipt_says_where_the_rows_came_from(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    fill(url, "fzjg", [case(1)], STAMPS)
    must_succeed(pull(tmp_path, source(url)))
    in_force(tmp_path)
    (receipt,) = landing.read_receipts(tmp_path)
    told = receipt["pull"]
    assert (told["source"], told["month"], told["rows"], told["latest"]) == (
        "drg",
        "2024-01",
        1,
        "2024-06-01 00:00:00",
    )
    assert told["query"].startswith("SELECT") and "fzjg" in told["query"] and "2024-01" in told["query"]
    assert len(receipt["source"]["sha256"]) == 64
