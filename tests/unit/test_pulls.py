"""Pulling from real databases: what is delivered, when a month is due, and what happens when something breaks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from support.front_page import clean_front_page, front_page_csv, put
from support.mariadb import MariaDB
from support.postgres import Postgres
from support.tables import Row, connected, fill, run

from expectations import holding
from expectations.decisions import NO_DECISIONS
from sources import candidate, intake, landing
from sources.candidate import HeldBack
from sources.databases import journal, stream, writing
from sources.databases import pull as pulling
from sources.databases.check import check
from sources.databases.config import Pull, Source
from sources.databases.pull import PullReport, pull

KEY = bytes(range(32))
ONE, OTHER = "12990102MB0000001L", "12990102MB0000002L"
# SQLite keeps times as text, and SQLAlchemy would write microseconds into it
MOMENT = sa.DateTime().with_variant(sqlite.DATETIME(truncate_microseconds=True), "sqlite")
STAMPS = {"出院时间": MOMENT, "住院次数": sa.Integer(), "修改时间": MOMENT, "DRG编码": sa.String(20)}


def case(serial: int, discharged: str = "2024-01-10 10:00:00", *, hospital: str = ONE, **more: Any) -> Row:
    """A line of the grouper's result, last changed long ago."""
    at = datetime.fromisoformat(discharged)
    row = {"机构代码": hospital, "病案号": f"R{serial:05d}", "住院次数": 1, "出院时间": at, "DRG编码": "FM19"}
    return row | {"修改时间": datetime(2024, 6, 1)} | more


def source(url: str, **settings: Any) -> Source:
    plain = {
        "connection": "his",
        "layout": "drg_result",
        "update_column": "修改时间",
        "attempts": 1,
        "pause_seconds": 0,
    }
    if "query" not in settings:
        plain["table"] = "fzjg"
    return Source("drg", Pull.model_validate(plain | settings), sa.make_url(url))


def delivered(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Month → what its file holds now."""
    files = sorted((home / "inbox" / "drg" / "db-his" / "drg").glob("*.parquet"))
    return {file.stem: duckdb.sql(f"select * from '{file}'").fetchall() for file in files}


def records(home: Path) -> dict[str, list[str]]:
    return {month: [row[1] for row in rows] for month, rows in delivered(home).items()}


def in_force(
    home: Path, dataset: str = "drg_result", columns: str = "count(*)", held_back: Collection[HeldBack] = ()
) -> list[tuple[Any, ...]]:
    """Land what is in the inbox and read it as the warehouse does."""
    intake.record(home, intake.scan(home))
    report = landing.land(home, dataset, key=KEY)
    assert report.files_refused == 0, report.messages
    database = home / "work" / "candidate.duckdb"
    database.unlink(missing_ok=True)
    candidate.prepare(home, database, held_back=held_back)
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute(f"select {columns} from landing.{dataset} order by all").fetchall()


def must_succeed(report: PullReport) -> PullReport:
    assert report.problem is None, report.problem
    return report


# ------------------------------------------------------------------------------------------------ what is delivered


def test_every_database_delivers_the_same_bytes(database: str, tmp_path: Path) -> None:
    """Typed columns, rows in any order: one content has one hash, which is written down here."""
    rows = [case(n, f"2024-0{1 + n % 2}-1{n % 7} 08:30:00", 未入组原因=None if n % 3 else "") for n in range(20, 0, -1)]
    fill(database, "fzjg", rows, STAMPS)
    report = must_succeed(pull(tmp_path, source(database)))
    assert (report.months, report.rows) == (["2024-01", "2024-02"], 20)
    held = delivered(tmp_path)
    assert held["2024-02"][0] == (ONE, "R00001", "1", "2024-02-11 08:30:00", "FM19", None)
    content = hashlib.sha256(repr(held).encode()).hexdigest()
    assert content[:16] == "71a8239e65cd32c3"
    files = sorted((tmp_path / "inbox").rglob("*.parquet"))
    assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] == [
        record.sha256 for record in journal.latest(tmp_path, "drg").values()
    ]


def test_a_file_and_every_database_land_alike(database: str, tmp_path: Path) -> None:
    """Front pages in typed columns, with the codes in lower case and padding, against the CSV of the same cells."""
    pages = [
        clean_front_page(
            organisation=ONE,
            record=f"R{n:05d}",
            admitted=datetime(2024, 1, 5, 8),
            discharged=datetime(2024, 1, 10 + n % 9, 10, n % 60),
            department="0304",
            diagnosis="I21.001",
            serial=n,
            address="云岫省岫宁市东岫区示例路1号",
            operations=("36.0600x004", "00.6600")[: n % 3],
        )
        for n in range(1, 30)
    ]
    put(tmp_path / "file" / "inbox" / "hqms" / "h" / "hqmsts_2024M01.csv", front_page_csv(pages))
    codes = [code for code in dict.fromkeys(code for page in pages for code in page) if code != "B17"]
    kinds: dict[str, Any] = {"b12": MOMENT, "b15": MOMENT, "a13": sa.Date(), "a14": sa.Integer()}
    kinds |= {code.lower(): sa.Numeric(12, 2) for code in codes if code.startswith("D")}
    kinds |= {"a48": sa.String(40), "b16c": sa.CHAR(10)}
    convert: dict[type, Callable[[str], Any]] = {
        sa.DateTime: datetime.fromisoformat,
        sa.Date: date.fromisoformat,
        sa.Integer: int,
        sa.Numeric: Decimal,
    }
    stored = [
        {
            code.lower(): None if cell == "-" else convert.get(type(kinds.get(code.lower())), str)(cell)
            for code in codes
            for cell in [page.get(code, "-")]
        }
        for page in pages
    ]
    fill(database, "fzjg", stored, kinds)
    must_succeed(pull(tmp_path / "db", source(database, layout="hqms_abcd", update_column=None)))
    everything = "* exclude (source_id, source_row)"
    files = in_force(tmp_path / "file", "hqms_front_page", everything)
    assert files == in_force(tmp_path / "db", "hqms_front_page", everything)
    assert len(files) == 29


def test_what_the_contract_drops_unseen_is_not_asked_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    page = clean_front_page(
        organisation=ONE,
        record="R1",
        admitted=datetime(2024, 1, 5),
        discharged=datetime(2024, 1, 6),
        department="0304",
        diagnosis="I10",
        serial=1,
    )
    fill(url, "fzjg", [page])
    must_succeed(pull(tmp_path, source(url, layout="hqms_abcd", update_column=None)))
    (file,) = (tmp_path / "inbox").rglob("*.parquet")
    columns = set(duckdb.sql(f"select * from '{file}'").columns)
    assert {"A01", "A48", "A26", "A13"} <= columns
    assert not columns & {"A11", "A27", "A32", "A35", "B25"}, "names and telephones"


def test_a_pulled_file_is_for_its_owner_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    fill(url, "fzjg", [case(1)], STAMPS)
    must_succeed(pull(tmp_path, source(url)))
    (file,) = (tmp_path / "inbox").rglob("*.parquet")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("layout", "names", "columns"),
    [
        ("hqms_pinyin", ["zzjgdm", "bah", "zycs", "zyzd_jbbm", "lyfs", "zfy", "cysj"], {}),
        ("hqms_p", ["P900", "p3", "P2", "P22", "P25", "P321", "P741", "P782"], {}),
        ("hqms_abcd", ["组织机构代码", "病案号", "住院次数", "入院时间", "出院时间", "c03c", "住院总费用"], {}),
        ("hqms_abcd", ["yljgdm", "zyh", "cs", "rq1", "rq2", "zd", "fy"], "A01 A48 A49 B12 B15 C03C D01"),
    ],
)
def test_columns_are_known_by_code_by_title_or_by_the_settings(
    tmp_path: Path, layout: str, names: list[str], columns: Any
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    fill(url, "fzjg", [dict.fromkeys(names, "2024-01-01")])
    if columns:
        columns = dict(zip(names, columns.split(), strict=True))
    checked = check(tmp_path, source(url, layout=layout, update_column=None, columns=columns))
    assert checked.problem is None
    assert set(checked.columns) == set(names)


def test_a_query_may_stand_in_for_a_table(database: str, tmp_path: Path) -> None:
    fill(database, "cases", [case(1), case(2, DRG编码="作废"), case(3, "2024-02-01 00:00:00")], STAMPS)
    quote = "`" if database.startswith("mysql") else '"'
    query = f"select * from cases where {quote}DRG编码{quote} not like '作%' and '10:30' <> ':x';"
    must_succeed(pull(tmp_path, source(database, query=query)))
    assert records(tmp_path) == {"2024-01": ["R00001"], "2024-02": ["R00003"]}


def test_rows_without_a_readable_month_are_delivered_too(database: str, tmp_path: Path) -> None:
    """Nothing may fall between two months: landing quarantines them, where somebody sees them."""
    fill(database, "fzjg", [case(1), case(2) | {"出院时间": None}], STAMPS)
    must_succeed(pull(tmp_path, source(database)))
    assert records(tmp_path) == {"2024-01": ["R00001"], "undated": ["R00002"]}
    assert in_force(tmp_path) == [(1,)]
    (faults,) = [r["quarantine"] for r in landing.read_receipts(tmp_path) if r["quarantine"]]
    assert [(fault["field"], fault["reason"]) for fault in faults] == [("出院时间", "required_missing")]


def test_months_are_read_out_of_text_in_any_spelling(database: str, tmp_path: Path) -> None:
    spellings = [
        "2024-01-31",
        "20240131",
        "2024/1/31",
        "2024年1月31日",
        "2024/01/31 10:00",
        "2024-11-01",
        "2024/1",
        "x",
    ]
    rows = [case(n) | {"出院时间": text} for n, text in enumerate(spellings)]
    fill(database, "fzjg", rows, STAMPS | {"出院时间": sa.String(30)})
    must_succeed(pull(tmp_path, source(database)))
    assert records(tmp_path) == {
        "2024-01": ["R00000", "R00001", "R00002", "R00003", "R00004", "R00006"],
        "2024-11": ["R00005"],
        "undated": ["R00007"],
    }


def test_a_table_without_months_is_one_file(database: str, tmp_path: Path) -> None:
    rows = [{"机构代码": ONE, "专科代码": "0304", "发生日期": "2024-01-01", "事故等级": "1"}]
    fill(database, "fzjg", rows)
    plain = source(database, layout="accident", update_column=None)
    assert must_succeed(pull(tmp_path, plain)).months == ["all"]
    assert must_succeed(pull(tmp_path, plain)).same == ["all"]
    assert in_force(tmp_path, "accident") == [(1,)]


# ------------------------------------------------------------------------------------------------ values


def test_postgresql_values(postgres: Postgres, tmp_path: Path) -> None:
    """A time with a zone is Beijing's, a truth value a digit, padding nothing, a line break a blank."""
    url = postgres.database()
    run(
        url,
        "create table fzjg as select 'H'::char(8) as 机构代码, E'甲\\r\\n乙 '::text as 病案号, true as 住院次数, "
        "timestamptz '2024-01-31 17:00:00+00' as 出院时间, 12.50::numeric(8,2) as \"DRG编码\", ''::text as 方案版本, "
        "'-'::text as 未入组原因",
    )
    must_succeed(pull(tmp_path, source(url, update_column=None)))
    assert delivered(tmp_path) == {"2024-02": [("H", "甲 乙", "1", "2024-02-01 01:00:00", "12.50", None, None)]}


def test_days_that_no_calendar_has_belong_to_no_month(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.database()
    days = "'infinity', '-infinity', '0044-03-15 BC', '1899-12-31', '2200-01-01', '2024-01-31'"
    run(
        url,
        "create table fzjg as select 'H' as 机构代码, n::text as 病案号, '1' as 住院次数, day as 出院时间, "
        "'F' as \"DRG编码\", '' as 方案版本, '' as 未入组原因 "
        f"from unnest(array[{days}]::timestamp[]) with ordinality as d (day, n)",
    )
    must_succeed(pull(tmp_path, source(url, update_column=None)))
    assert records(tmp_path) == {"2024-01": ["6"], "undated": ["1", "2", "3", "4", "5"]}


def test_a_row_that_the_database_cannot_compute_ends_the_pull_before_its_month(
    postgres: Postgres, tmp_path: Path
) -> None:
    """The error comes after thousands of rows, in the middle of what COPY sends."""
    url = postgres.database()
    fill(url, "fzjg", [case(1, "2024-01-01 00:00:00")], STAMPS)
    rows = "generate_series(1, 30000) as n"
    bad = f"select '{ONE}', 'S' || n, n / (30000 - n), timestamp '2024-02-01', 'F', timestamp '2024-06-01' from {rows}"
    query = f'select "机构代码", "病案号", "住院次数", "出院时间", "DRG编码", "修改时间" from fzjg union all {bad}'
    report = pull(tmp_path, source(url, query=query))
    assert report.problem is not None and "数据库报错" in report.problem
    assert list(delivered(tmp_path)) == ["2024-01"]


def test_mariadb_values(mariadb: MariaDB, tmp_path: Path) -> None:
    """Zero dates are none, a TIMESTAMP is Beijing's, and four-byte characters survive."""
    url = mariadb.database()
    with connected(url) as connection:
        connection.exec_driver_sql("set sql_mode = '', time_zone = '+00:00'")
        connection.exec_driver_sql(
            "create table fzjg (机构代码 char(8), 病案号 varchar(20), 住院次数 bit, 出院时间 timestamp null, "
            "DRG编码 decimal(8,2), 方案版本 datetime)"
        )
        connection.exec_driver_sql(
            "insert into fzjg values ('H', '𠮷', 1, '2024-01-31 17:00:00', 12.5, '0000-00-00 00:00:00'), "
            "('H', '二', 1, '0000-00-00 00:00:00', 0.1, '2024-01-01 00:00:00.25')"
        )
    must_succeed(pull(tmp_path, source(url, update_column=None)))
    assert delivered(tmp_path) == {
        "2024-02": [("H", "𠮷", "1", "2024-02-01 01:00:00", "12.50", None)],
        "undated": [("H", "二", "1", None, "0.10", "2024-01-01 00:00:00")],
    }


def test_gbk_that_a_column_takes_for_latin1_becomes_chinese_again(
    mariadb: MariaDB, postgres: Postgres, tmp_path: Path
) -> None:
    """Both servers hold the same bytes under the wrong name; a text that is right stays as it is."""
    text = "未入组：编码“无效”€ABC镕"
    stored = text.replace("€", "").encode("gbk")
    url = mariadb.database()
    run(
        url,
        "create table fzjg (机构代码 varchar(20), 病案号 varchar(20), 住院次数 int, 出院时间 datetime, "
        "DRG编码 varchar(9), 未入组原因 varchar(99) character set latin1)",
    )
    run(url, f"insert into fzjg values ('H', '对', 1, '2024-01-01', 'x', x'{stored.hex()}')")
    run(postgres.url(), "select 1")
    with sa.create_engine(postgres.url(), isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("drop database if exists latin")
        connection.exec_driver_sql("create database latin encoding 'LATIN1' locale 'C' template template0")
    run(
        postgres.url("latin"),
        "create table fzjg as select 'H'::text as zzjg, 'R1'::text as bah, 1 as cs, date '2024-01-01' as cysj, "
        f"'x'::text as drg, convert_from('\\x{stored.hex()}', 'LATIN1') as yy",
    )
    names = {
        "zzjg": "机构代码",
        "bah": "病案号",
        "cs": "住院次数",
        "cysj": "出院时间",
        "drg": "DRG编码",
        "yy": "未入组原因",
    }
    for home, where, columns in [("m", url, {}), ("p", postgres.url("latin"), names)]:
        must_succeed(pull(tmp_path / home, source(where, update_column=None, gbk_in_latin1=True, columns=columns)))
        ((*_, found),) = delivered(tmp_path / home)["2024-01"]
        assert found == text.replace("€", "")


def test_values_of_every_python_type_become_the_text_of_a_file() -> None:
    zone = source("sqlite://").zone
    told = {
        Decimal("1E+3"): "1000",
        Decimal("12.50"): "12.50",
        0.1: "0.1",
        1e-7: "0.0000001",
        3.0: "3",
        7: "7",
        True: "1",
        "": None,
        "-": None,
        "0000-00-00": None,
        b"\xe7\x94\xb2": "甲",
        "甲".encode("gb18030"): "甲",
        datetime(2024, 1, 1, 17, tzinfo=UTC): "2024-01-02 01:00:00",
        datetime(2024, 1, 1, 1, 2, 3, 500_000): "2024-01-01 01:02:03.5",
        date(2024, 1, 1): "2024-01-01",
    }
    assert [stream._texts([value, None], zone) for value in told] == [[text, None] for text in told.values()]


# ------------------------------------------------------------------------------------------------ what is due


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


# ------------------------------------------------------------------------------------------------ what breaks


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
