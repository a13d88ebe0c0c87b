"""The months of a table: how many rows each has, when it was last changed, and the condition that selects it.

Belongs here: one grouped query per pull, and the reading of whatever a month column holds.  Does not belong here:
deciding which months are due (:mod:`sources.databases.pull`).

Every row belongs to exactly one month: rows without a readable one make up the month ``undated``, and a table without
a month column is one month called ``all``.  So nothing can fall between two months.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from sources.databases.faults import PullProblem

UNDATED, ALL = "undated", "all"
_FIRST, _LAST = date(1900, 1, 1), date(2200, 1, 1)
_POSTGRES_DATES = frozenset({"date", "timestamp", "timestamptz"})
_PREFIX = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})(?!\d)|[-/.年]?(\d{2}))")
_PREFIX_LENGTH = 7  # 2024-03, 2024/3/, 2024年3月, 2024031


@dataclass(frozen=True)
class Month:
    """One month as the database has it now; ``latest`` is the greatest stamp of the update column."""

    label: str
    rows: int
    latest: str | None
    condition: sa.ColumnElement[bool]


def survey(
    connection: sa.Connection,
    relation: sa.FromClause,
    month: sa.ColumnElement[Any] | None,
    update: sa.ColumnElement[Any] | None,
    kind: str | None = None,
    update_kind: str | None = None,
) -> list[Month]:
    """All months of a relation in order, ``undated`` last; kinds are types as the driver calls them."""
    stamp = _latest(update, update_kind)
    count: sa.ColumnElement[Any] = sa.func.count()
    if month is None:
        rows, latest = _rows(connection, sa.select(count, stamp).select_from(relation))[0]
        return [Month(ALL, int(rows), _text(latest), sa.true())]
    if kind in _POSTGRES_DATES:  # a value of them may be infinite, which is no value of Python's
        return _by_calendar(connection, relation, month, count, stamp)
    present = month.is_not(None)
    sample = connection.execute(sa.select(month).select_from(relation).where(present).limit(1)).scalar()
    if isinstance(sample, date):  # of which datetime is one
        return _by_calendar(connection, relation, month, count, stamp)
    if isinstance(sample, int):
        return _by_prefix(connection, relation, sa.cast(month, sa.String(20)), count, stamp)
    if isinstance(sample, str):
        return _by_prefix(connection, relation, month, count, stamp)
    if sample is None:
        whole = survey(connection, relation, None, update, update_kind=update_kind)
        return [replace(each, label=UNDATED) for each in whole if each.rows]
    raise PullProblem("month", f"月份列 {month} 的类型不是日期、文本或整数，无法按月拉取。")


def _latest(update: sa.ColumnElement[Any] | None, kind: str | None) -> sa.ColumnElement[Any]:
    if update is None:
        return sa.null()
    # what is changed at infinity would hide every later change, and is no value of Python's
    return sa.func.max(sa.case((sa.func.isfinite(update), update)) if kind in _POSTGRES_DATES else update)


def _by_calendar(
    connection: sa.Connection,
    relation: sa.FromClause,
    month: sa.ColumnElement[Any],
    count: sa.ColumnElement[Any],
    stamp: sa.ColumnElement[Any],
) -> list[Month]:
    months, undated = [], _Sum()
    for y, m, rows, latest in _counted_by_calendar(connection, relation, month, count, stamp):
        # MySQL's zero dates have month 0
        if y is None or not m or not _FIRST.year <= y < _LAST.year:
            undated.add(rows, latest)
            continue
        first, following = date(int(y), int(m), 1), date(int(y) + int(m) // 12, int(m) % 12 + 1, 1)
        months.append(Month(f"{first:%Y-%m}", rows, _text(latest), sa.and_(month >= first, month < following)))
    outside = sa.or_(month.is_(None), month < _FIRST, month >= _LAST)
    return [*sorted(months, key=lambda each: each.label), *undated.month(outside)]


def _counted_by_calendar(
    connection: sa.Connection,
    relation: sa.FromClause,
    month: sa.ColumnElement[Any],
    count: sa.ColumnElement[Any],
    stamp: sa.ColumnElement[Any],
) -> Iterator[tuple[Any, Any, int, Any]]:
    """Year, month, rows and latest change, in any order; NULL where there is no such year."""
    if connection.dialect.name != "postgresql":
        numbers = sa.extract("year", month), sa.extract("month", month)
        yield from _rows(connection, sa.select(*numbers, count, stamp).select_from(relation).group_by(*numbers))
        return
    # PostgreSQL extracts a NUMERIC, which costs it more than all else here; an infinite day has no month
    first = sa.case((sa.and_(month >= _FIRST, month < _LAST), sa.func.date_trunc("month", month)))
    query = sa.select(first.label("first"), count, stamp).select_from(relation).group_by(sa.text("first"))
    for day, rows, latest in _rows(connection, query):
        yield day and day.year, day and day.month, rows, latest


def _by_prefix(
    connection: sa.Connection,
    relation: sa.FromClause,
    month: sa.ColumnElement[Any],
    count: sa.ColumnElement[Any],
    stamp: sa.ColumnElement[Any],
) -> list[Month]:
    """Months out of texts: the first characters decide, in any of the usual spellings, also mixed."""
    cut = sa.func.substring if connection.dialect.name == "mssql" else sa.func.substr
    prefix = cut(month, 1, _PREFIX_LENGTH)
    query = sa.select(prefix, count, stamp).select_from(relation).group_by(prefix)
    found: dict[str, _Sum] = defaultdict(_Sum)
    for text, rows, latest in _rows(connection, query):
        found[_month_of(text)].add(rows, latest, text)
    undated = found.pop(UNDATED, _Sum())
    months = [
        month for label, each in sorted(found.items()) for month in each.month(prefix.in_(sorted(each.prefixes)), label)
    ]
    return [*months, *undated.month(sa.or_(prefix.is_(None), prefix.in_(sorted(undated.prefixes))))]


def _month_of(text: str | None) -> str:
    matched = _PREFIX.match((text or "").strip())
    number = int(matched[2] or matched[3]) if matched else 0
    if not matched or not 1 <= number <= 12 or not _FIRST.year <= int(matched[1]) < _LAST.year:
        return UNDATED
    return f"{matched[1]}-{number:02d}"


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[Any]:
    return list(connection.execute(query).all())


class _Sum:
    """Rows of one month that a grouped query returned in several pieces."""

    def __init__(self) -> None:
        self.rows = 0
        self.latest: str | None = None
        self.prefixes: set[str] = set()

    def add(self, rows: int, latest: Any, prefix: str | None = None) -> None:
        self.rows += rows
        self.latest = max(filter(None, (self.latest, _text(latest))), default=None)
        if prefix is not None:
            self.prefixes.add(prefix)

    def month(self, condition: sa.ColumnElement[bool], label: str = UNDATED) -> list[Month]:
        return [Month(label, self.rows, self.latest, condition)] if self.rows else []


def _text(stamp: Any) -> str | None:
    if isinstance(stamp, datetime):
        return stamp.isoformat(sep=" ")
    return None if stamp is None else str(stamp)
