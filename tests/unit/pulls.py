"""A table of grouping results in a database, pulled and landed: what the tests of pulls share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from support.tables import Row

from sources import candidate, intake, landing
from sources.candidate import HeldBack
from sources.databases.config import Pull, Source
from sources.databases.pull import PullReport

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
