"""What happens when a pull breaks, or finds another table than it knew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pulls import ONE, STAMPS, case, delivered, in_force, must_succeed, source
from support.front_page import put
from support.postgres import Postgres
from support.tables import fill, run

from sources import intake
from sources.databases import pull as pulling
from sources.databases import stream, writing
from sources.databases.pull import pull

BIG = 40_000
MONTHS = [f"2024-{month:02d}" for month in range(1, 7)]


@pytest.fixture
def half_a_year(postgres: Postgres) -> str:
    url = postgres.database()
    fill(url, "fzjg", [case(n, f"{month}-01 00:00:00") for month in MONTHS for n in range(300)], STAMPS)
    # the third month is larger than what is read ahead, so that a break in it is a break in the middle of the rows
    names = '"机构代码", "病案号", "住院次数", "出院时间", "DRG编码", "修改时间"'
    big = f"select '{ONE}', 'S' || n, 1, timestamp '2024-03-02', 'FM19', timestamp '2024-06-01'"
    run(url, f"insert into fzjg ({names}) {big} from generate_series(1, {BIG}) n")
    return url


@pytest.fixture
def undisturbed(half_a_year: str, tmp_path: Path) -> dict[str, Any]:
    must_succeed(pull(tmp_path / "undisturbed", source(half_a_year)))
    return delivered(tmp_path / "undisturbed")


def break_in(monkeypatch: pytest.MonkeyPatch, month: int, harm: Callable[[], None]) -> None:
    """Do `harm` once, when the first rows of the n-th month have been read and more are to come."""
    real, left = stream.batches, [month]

    def batches(*arguments: Any) -> Iterator[Any]:
        left[0] -= 1
        for batch in real(*arguments):
            yield batch
            if left[0] == 0:
                left[0] = -1
                harm()

    monkeypatch.setattr(pulling.stream, "batches", batches)
    monkeypatch.setattr(stream, "_ROWS", 100)


def test_a_server_killed_in_a_month_leaves_whole_months_and_the_next_pull_goes_on(
    postgres: Postgres, half_a_year: str, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        break_in(patched, 3, postgres.kill)
        report = pull(tmp_path, source(half_a_year))
    postgres.restart()
    assert report.problem is not None and "连接中断" in report.problem
    assert report.months == MONTHS[:2] == list(delivered(tmp_path))
    assert must_succeed(pull(tmp_path, source(half_a_year))).months == MONTHS[2:]
    assert delivered(tmp_path) == undisturbed
    assert in_force(tmp_path) == [(1_800 + BIG,)]


def test_a_lost_connection_is_tried_again_within_the_same_pull(
    postgres: Postgres, half_a_year: str, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restarted() -> None:
        postgres.kill()
        postgres.restart()

    break_in(monkeypatch, 3, restarted)
    told: list[str] = []
    report = must_succeed(pull(tmp_path, source(half_a_year, attempts=3), tell=told.append))
    assert report.months == MONTHS
    assert delivered(tmp_path) == undisturbed
    assert any("稍后重试" in line for line in told)


def test_a_row_updated_during_the_pull_is_seen_as_it_was_and_comes_with_the_next(
    half_a_year: str, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = "update fzjg set \"DRG编码\" = 'FM21', 修改时间 = '2024-07-01' where 病案号 = 'R00007'"
    with monkeypatch.context() as patched:
        break_in(patched, 3, lambda: run(half_a_year, update))
        assert must_succeed(pull(tmp_path, source(half_a_year))).months == MONTHS
    assert delivered(tmp_path) == undisturbed
    assert must_succeed(pull(tmp_path, source(half_a_year))).months == MONTHS
    assert in_force(tmp_path, columns="count(*), count(*) filter (drg_code = 'FM21')") == [(1_800 + BIG, 6)]


def test_a_transaction_rolled_back_was_never_there(half_a_year: str, tmp_path: Path) -> None:
    must_succeed(pull(tmp_path, source(half_a_year)))
    with sa.create_engine(half_a_year, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql("insert into fzjg select * from fzjg")
        assert must_succeed(pull(tmp_path, source(half_a_year))).months == []
        connection.rollback()
    assert must_succeed(pull(tmp_path, source(half_a_year))).months == []
    assert in_force(tmp_path) == [(1_800 + BIG,)]


def test_a_locked_table_is_told_and_not_waited_for_without_end(half_a_year: str, tmp_path: Path) -> None:
    with sa.create_engine(half_a_year, poolclass=sa.NullPool).connect() as connection:
        connection.exec_driver_sql("lock table fzjg in access exclusive mode")
        report = pull(tmp_path, source(half_a_year, lock_seconds=1))
    assert report.problem is not None and "表锁" in report.problem
    assert must_succeed(pull(tmp_path, source(half_a_year))).months == MONTHS


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('alter table fzjg drop column "方案版本"', "列 方案版本 不见了"),
        ('alter table fzjg rename column "方案版本" to "版本号"', "列 方案版本 不见了"),
        ('alter table fzjg rename column "出院时间" to "日期"', "出院时间"),
        ('alter table fzjg alter column "住院次数" type text', "类型由 int4 变为 text"),
        ("drop table fzjg", "找不到该表"),
        ("revoke select on fzjg from reader", "没有读取"),
    ],
)
def test_a_changed_table_is_refused_until_somebody_agrees(
    postgres: Postgres, tmp_path: Path, change: str, says: str
) -> None:
    url = postgres.database()
    fill(url, "fzjg", [case(1, 方案版本="V1")], STAMPS)
    run(url, "do $$ begin create role reader login; exception when duplicate_object then end $$")
    run(url, "grant select on fzjg to reader")
    mine = source(url.replace("postgres@", "reader@"))
    must_succeed(pull(tmp_path, mine))
    before = delivered(tmp_path)
    run(url, change)
    problem = pull(tmp_path, mine).problem
    assert problem is not None and says in problem
    assert delivered(tmp_path) == before
    if "不见了" in says or "类型" in says:
        must_succeed(pull(tmp_path, mine, accept_columns=True, reconcile=True))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"query": "select cast('张三' as integer) as x"}, "数据库报错"),
        ({"query": "select 机密 from fzjg"}, "列不存在"),
        ({"query": "selekt 机密"}, "不是该数据库能执行的查询"),
        ({"month_column": "无此列"}, "无此列"),
        ({"columns": {"无此列": "出院时间"}}, "无此列"),
        ({"columns": {"病案号": "没有的代码"}}, "没有这一列"),
        ({"layout": "accident"}, "专科代码"),
    ],
)
def test_problems_are_told_in_chinese_without_values_or_secrets(
    postgres: Postgres, tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    url = postgres.database()
    fill(url, "fzjg", [case(1)], STAMPS)
    problem = pull(tmp_path, source(url.replace("postgres@", "postgres:机密@"), **settings)).problem
    assert problem is not None and says in problem
    assert not {"机密", "张三", "host="} & set(problem.split("：")) and "机密" not in problem and "张三" not in problem


def test_a_host_that_does_not_answer_is_tried_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    url = "postgresql+psycopg://reader:机密@127.0.0.1:9/his"
    report = pull(tmp_path, source(url, attempts=3), tell=told.append)
    assert report.problem is not None and "无法建立" in report.problem
    assert len(told) == 2
    assert "机密" not in report.problem + "".join(told)


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path) -> None:
    problem = pull(tmp_path, source("oracle+oracledb://reader@db/his")).problem
    assert problem is not None and "zhuanke[oracle]" in problem


def test_a_half_written_month_is_no_file_of_the_inbox(tmp_path: Path) -> None:
    """What a killed process leaves: the part is not looked at, and the next pull writes the month anew."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    fill(url, "fzjg", [case(1)], STAMPS)
    part = put(tmp_path / "inbox" / "drg" / "db-his" / "drg" / ".2024-01.parquet.part", b"PAR1 half")
    assert not intake.scan(tmp_path).has_news
    must_succeed(pull(tmp_path, source(url)))
    assert not part.exists()
    assert in_force(tmp_path) == [(1,)]


def test_a_month_too_large_for_memory_becomes_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of one key and cells without a value among them, in any order, in batches of which one is too much."""
    cases = [case(n % 40, DRG编码=None if n % 7 == 0 else f"FM{n % 9}9") for n in range(90)]
    monkeypatch.setattr(stream, "_ROWS", 40)
    files = []
    for limit, rows in ((writing._HELD_BYTES, cases), (1, cases[::-1])):
        monkeypatch.setattr(writing, "_HELD_BYTES", limit)
        home = tmp_path / str(limit)
        home.mkdir()
        fill(url := f"sqlite:///{home / 'a.db'}", "fzjg", rows, STAMPS)
        must_succeed(pull(home, source(url)))
        files.append((home / "inbox/drg/db-his/drg/2024-01.parquet").read_bytes())
    assert files[0] == files[1]
