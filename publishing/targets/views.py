"""The views that readers use: stable names and columns over whatever structure the current release has.

Belongs here: the register of all columns that the interface ever had, and making the views from it.
Does not belong here: the tables behind them (`layout`), when they are replaced (`sql`).

The interface only grows. A column that a release no longer has stays in its view, empty, and is listed in the view
`deprecations`; so does a view whose mart is gone. What dbt declares as deprecated (`config.meta.deprecated`) is
listed there ahead of time.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from publishing.targets.engines import Session
from publishing.targets.layout import RELEASE_ID, Content

RELEASE = "release"
DEPRECATIONS = "deprecations"
GONE = "新版本不再提供此列，值为空"


def replace(at: Session, structure: str, content: Content | None) -> None:
    """Make every view over the tables of a structure; the content, if it is new, extends the interface first."""
    changed = _register(at, content) if content is not None else set()
    view_names = _present(at)
    if view_names:
        at.ability.before_views(at.connection, sorted(view_names))
    interface: dict[str, list[sa.Row[Any]]] = {}
    ordered = sa.select(at.layout.interface).order_by(at.layout.interface.c.table_name, at.layout.interface.c.position)
    for row in at.connection.execute(ordered):
        interface.setdefault(row.table_name, []).append(row)
    comments = {mart.name: mart.comment for mart in content.marts} if content is not None else {}
    for name, columns in interface.items():
        view = at.name(at.layout.view(name))
        anew = name in changed and view in view_names
        _make(at, view, _query(at, structure, name, columns), anew=anew)
        if name in comments:
            told = {RELEASE_ID: "发布版编号。 Release.", **{row.column_name: row.comment_text for row in columns}}
            at.ability.describe_view(at.connection, view, comments[name], told)
    _make_companions(at)


def _register(at: Session, content: Content) -> set[str]:
    """Extend the register by the columns of a release; the views with a column whose type changed."""
    table, changed = at.layout.interface, set()
    known = {(row.table_name, row.column_name): row for row in at.connection.execute(sa.select(table))}
    last: dict[str, int] = {}
    for row in known.values():
        last[row.table_name] = max(row.position, last.get(row.table_name, 0))
    present = set()
    for mart in content.marts:
        for column in mart.columns:
            key = (mart.name, column.name)
            present.add(key)
            kind = column.sql_type(in_key=column.name in mart.key).compile(dialect=at.connection.dialect)
            before = known.get(key)
            facts = {
                "sql_type": str(kind),
                "comment_text": column.comment,
                "deprecated_since": (before and before.deprecated_since) or content.release_id
                if column.deprecated
                else None,
                "note_zh": column.deprecated or None,
            }
            if before is None:
                last[mart.name] = last.get(mart.name, 0) + 1
                place = {"table_name": mart.name, "column_name": column.name, "position": last[mart.name]}
                at.connection.execute(sa.insert(table).values(first_release=content.release_id, **place, **facts))
                continue
            if before.sql_type != str(kind):
                changed.add(mart.name)
            at.connection.execute(sa.update(table).where(_is(table, key)).values(**facts))
    for key, row in known.items():
        if key not in present and row.note_zh != GONE:
            gone = {"deprecated_since": content.release_id, "note_zh": GONE}
            at.connection.execute(sa.update(table).where(_is(table, key)).values(**gone))
    return changed


def _is(table: sa.Table, key: tuple[str, str]) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.table_name == key[0], table.c.column_name == key[1])


def _query(at: Session, structure: str, name: str, columns: list[sa.Row[Any]]) -> str:
    table = at.layout.data_table(structure, name)
    inspector = sa.inspect(at.connection)
    exists = inspector.has_table(table.name, schema=table.schema)
    held = {
        column["name"]: column["type"].compile(dialect=at.connection.dialect)
        for column in (inspector.get_columns(table.name, schema=table.schema) if exists else [])
    }
    shown = []
    for row in columns:
        name, kind = at.quote(row.column_name), held.get(row.column_name)
        value = name if kind is not None else "null"
        shown.append(name if kind == row.sql_type else f"{at.ability.shown(value, row.sql_type)} as {name}")
    pointer = at.name(at.layout.pointer)
    if exists:
        source, release = at.name(table), RELEASE_ID
        condition = f"{RELEASE_ID} = (select current_release from {pointer} where id = 1)"
    else:
        source, release, condition = pointer, f"current_release as {RELEASE_ID}", "1 = 0"
    return f"select {', '.join([release, *shown])} from {source} where {condition}"


def _make(at: Session, view: str, query: str, *, anew: bool) -> None:
    for statement in at.ability.view_statements(view, query, anew=anew):
        at.run(statement)


def _make_companions(at: Session) -> None:
    """Two views that describe the interface itself."""
    release, interface, pointer = at.layout.release, at.layout.interface, at.layout.pointer
    current = f"(select current_release from {at.name(pointer)} where id = 1)"
    shown = {
        RELEASE: (
            release,
            ("release_id", "loaded_at", "datapackage_sha256"),
            f"release_id = {current}",
            "读者所见的发布版。 The release in use.",
        ),
        DEPRECATIONS: (
            interface,
            ("table_name", "column_name", "deprecated_since", "note_zh"),
            "deprecated_since is not null",
            "已停用或预告停用的列。 Columns that are, or will be, no longer filled.",
        ),
    }
    for name, (table, columns, condition, comment) in shown.items():
        view = at.name(at.layout.view(name))
        _make(at, view, f"select {', '.join(columns)} from {at.name(table)} where {condition}", anew=False)
        comments = {column: str(table.c[column].comment) for column in columns}
        at.ability.describe_view(at.connection, view, comment, comments)


def _present(at: Session) -> set[str]:
    inspector = sa.inspect(at.connection)
    if at.ability.has_schemas:
        group = at.layout.readers_group
        return {f"{at.quote(group)}.{at.quote(name)}" for name in inspector.get_view_names(schema=group)}
    return {at.quote(name) for name in inspector.get_view_names() if name.startswith(f"{at.layout.readers_group}_")}
