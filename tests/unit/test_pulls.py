"""Pulling from real databases: what is delivered, and what becomes of values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from pulls import MOMENT, ONE, STAMPS, case, delivered, in_force, must_succeed, records, source
from support.front_page import clean_front_page, front_page_csv, put
from support.mariadb import MariaDB
from support.postgres import Postgres
from support.tables import connected, fill, run

from sources import landing
from sources.databases import journal, stream
from sources.databases.check import check
from sources.databases.pull import pull

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
