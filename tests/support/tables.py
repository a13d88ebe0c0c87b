"""Fills a table of any database from small rows, so that a test of a pull states only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

Row = Mapping[str, Any]


def fill(url: str, name: str, rows: Sequence[Row], types: Mapping[str, Any] | None = None) -> sa.Table:
    """A new table with these rows; every column is text unless `types` says otherwise."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    types = types or {}
    table = sa.Table(name, sa.MetaData(), *(sa.Column(c, types.get(c, sa.Text)) for c in columns))
    with connected(url) as connection:
        table.create(connection)
        if rows:
            connection.execute(table.insert(), [{c: row.get(c) for c in columns} for row in rows])
    return table


def connected(url: str) -> Any:
    """A connection whose changes are committed at the end of the block."""
    return sa.create_engine(url, poolclass=sa.NullPool).begin()


def run(url: str, statement: str) -> None:
    with connected(url) as connection:
        connection.exec_driver_sql(statement)
