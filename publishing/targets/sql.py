"""A copy of each release in a database, for readers that do not read files.

Belongs here: the steps of a push, their order, rolling back, and what a target says of itself.
Does not belong here: shapes (`layout`), engines (`engines`), who sees what (`access`).

Order of steps: `_prepare` makes tables that nobody reads yet; `_load` adds the release's rows, `_verify` compares
counts and contents in the database with the release's files, `_switch` points readers at them, and these three are
one transaction; `_tidy` removes releases that are neither current nor previous. A kill between or within any of them
leaves readers on the old or the new release, whole; the next push needs no repair.

Only a release with another structure (new software) replaces views (`views`). On PostgreSQL that belongs to the same
transaction and waits for readers instead of stopping them; MySQL has no transactions over views, so there a reader
may see empty views for the moment in which they change.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from expectations.content import sha256_file
from publishing.targets import access, views
from publishing.targets.engines import Session, engine_for, source_checksum
from publishing.targets.layout import RELEASE_ID, Content, Layout, TargetProblem, read_content

Outcome = Literal["pushed", "up_to_date", "held_back"]
Tables = dict[str, sa.Table]


@dataclass(frozen=True)
class Pushed:
    """What came of a push."""

    outcome: Outcome
    release_id: str
    rows: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class TargetStatus:
    """What a target says of itself."""

    current: str | None = None
    previous: str | None = None
    held_back: str | None = None
    loaded_at: str | None = None
    rows: int = 0


class Mirror:
    """One target database."""

    def __init__(self, url: sa.URL, prefix: str = "zhuanke", reader: str | None = None) -> None:
        self._url = url
        self._reader = reader
        try:
            self._engine, self._ability = engine_for(url)
        except (NoSuchModuleError, ImportError) as error:
            raise TargetProblem(f"目标库 {url.get_backend_name()} 的驱动未安装：{error}") from error
        self._layout = Layout(prefix, has_schemas=self._ability.has_schemas)

    def push(self, folder: Path, *, automatic: bool = False) -> Pushed:
        """Bring a release to readers; an automatic push leaves alone what was rolled back."""
        started = time.monotonic()
        content = read_content(folder)
        for mart in content.marts:
            if sha256_file(mart.path) != mart.sha256:
                raise TargetProblem(f"发布版 {folder.name} 已损坏，不推送：{mart.path.name} 与清单不符")
        with self._connected() as connection:
            self._ability.lock(connection, self._layout.prefix)
            at = self._session(connection)
            with connection.begin():
                tables = _prepare(at, content, self._reader)
            with connection.begin():
                pointer, held = _pointer(at), _held(at)
            if automatic and pointer.held_back == content.release_id:
                return Pushed("held_back", content.release_id)
            known = held.get(content.release_id)
            if known is not None and known.datapackage_sha256 != content.datapackage_sha256:
                raise TargetProblem(f"目标库已有同号发布版 {content.release_id} 而内容不同，不推送")
            is_news = pointer.current_release != content.release_id
            if is_news:
                with connection.begin():
                    if known is None:
                        _load(at, content, tables)
                        _verify(at, content, tables)
                    _switch(at, content.release_id, content)
            with connection.begin():
                _tidy(at)
        if is_news:
            self._ability.after_load(self._engine, [self._named(table) for table in tables.values()])
        rows = sum(mart.rows for mart in content.marts)
        return Pushed("pushed" if is_news else "up_to_date", content.release_id, rows, time.monotonic() - started)

    def rollback(self) -> str:
        """Bring the previous release back to readers; the one they leave is not pushed again by itself."""
        with self._connected() as connection:
            self._ability.lock(connection, self._layout.prefix)
            at = self._session(connection)
            with connection.begin():
                self._require_made(connection)
                pointer = _pointer(at)
                if pointer.previous_release is None:
                    raise TargetProblem("目标库中没有可退回的上一个发布版")
                _switch(at, pointer.previous_release, None)
        return str(pointer.previous_release)

    def status(self) -> TargetStatus:
        """What readers see."""
        with self._connected() as connection, connection.begin():
            if not self._is_made(connection):
                return TargetStatus()
            at = self._session(connection)
            pointer, held = _pointer(at), _held(at)
            current = held.get(pointer.current_release)
            return TargetStatus(
                current=pointer.current_release,
                previous=pointer.previous_release,
                held_back=pointer.held_back,
                loaded_at=current.loaded_at if current else None,
                rows=current.row_count if current else 0,
            )

    def faults(self, folder: Path) -> list[str]:
        """How the rows held of a release differ from its files, by counting and hashing both again."""
        content = read_content(folder)
        with self._connected() as connection, connection.begin():
            self._require_made(connection)
            if content.release_id not in _held(self._session(connection)):
                raise TargetProblem(f"目标库中没有发布版 {content.release_id}")
            return _differences(self._session(connection), content, self._layout.data(content))

    def grant(self, role: str, scope: access.Scope, scope_id: str = "") -> None:
        """Let a database role read the whole province, a city or one hospital."""
        with self._granting() as at:
            access.admit(at, role, scope, scope_id)
            access.grant_reading(at, _groups(at), [role])

    def revoke(self, role: str) -> None:
        """Take everything from a database role."""
        with self._granting() as at:
            access.dismiss(at, role, _groups(at))

    def grants(self) -> list[tuple[str, access.Scope, str]]:
        """Which role sees what."""
        with self._granting() as at:
            table = self._layout.access
            rows = at.connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all()
            return [(row.role_name, row.scope, row.scope_id) for row in rows]

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """A connection; whatever the database says against it is told without the password."""
        try:
            with self._engine.connect() as connection:
                self._ability.check(connection)
                connection.rollback()
                yield connection
        except SQLAlchemyError as error:
            said = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
            reason = said[0] if said else type(error).__name__
            if self._url.password:
                reason = reason.replace(str(self._url.password), "***")
            raise TargetProblem(f"目标库 {self._url.render_as_string(hide_password=True)}：{reason}") from None

    @contextmanager
    def _granting(self) -> Iterator[Session]:
        if not self._ability.has_policies:
            raise TargetProblem("按机构授权只支持 PostgreSQL；其他数据库请由管理员授予视图的只读权限")
        with self._connected() as connection, connection.begin():
            self._require_made(connection)
            yield self._session(connection)

    def _session(self, connection: sa.Connection) -> Session:
        return Session(connection, self._layout, self._ability)

    def _is_made(self, connection: sa.Connection) -> bool:
        table = self._layout.pointer
        return sa.inspect(connection).has_table(table.name, schema=table.schema)

    def _require_made(self, connection: sa.Connection) -> None:
        if not self._is_made(connection):
            raise TargetProblem("目标库中还没有发布版；请先执行 zhuanke target push")

    def _named(self, table: sa.Table) -> str:
        return self._engine.dialect.identifier_preparer.format_table(table)


# --- the steps of a push


def _prepare(at: Session, content: Content, reader: str | None) -> Tables:
    """Make what is not there yet: the control tables, and the tables of this release's structure."""
    tables = at.layout.data(content)
    if at.ability.has_schemas:
        for group in (at.layout.prefix, at.layout.readers_group, at.layout.data_group(content.structure)):
            at.run(f"create schema if not exists {group}")
    at.layout.create_control(at.connection)
    if at.connection.execute(sa.select(at.layout.pointer)).first() is None:
        at.connection.execute(sa.insert(at.layout.pointer).values(id=1))
    if at.ability.has_policies:
        access.create_functions(at)
    inspector = sa.inspect(at.connection)
    present = set(inspector.get_table_names(schema=next(iter(tables.values())).schema))
    for mart in content.marts:
        if (table := tables[mart.name]).name not in present:
            table.create(at.connection)
            if at.ability.has_policies:
                access.protect(at, mart, table)
    if reader is not None and at.ability.has_policies:
        access.admit(at, reader, "province", "")
        access.grant_reading(at, _groups(at), [reader])
    return tables


def _load(at: Session, content: Content, tables: Tables) -> None:
    for mart in content.marts:
        at.ability.load(at.connection, tables[mart.name], content, mart)
    hospitals = tables.get("dim_hospital")
    if at.ability.has_policies and hospitals is not None and "division" in hospitals.c:
        access.note_places(at, hospitals, content.release_id)
    at.connection.execute(
        sa.insert(at.layout.release).values(
            release_id=content.release_id,
            structure=content.structure,
            datapackage_sha256=content.datapackage_sha256,
            row_count=sum(mart.rows for mart in content.marts),
            loaded_at=datetime.now().astimezone().isoformat(timespec="seconds"),
        )
    )


def _verify(at: Session, content: Content, tables: Tables) -> None:
    if differences := _differences(at, content, tables):
        raise TargetProblem(f"装入目标库的内容与发布版不符，未切换：{'；'.join(differences)}")


def _differences(at: Session, content: Content, tables: Tables) -> list[str]:
    found = []
    for mart in content.marts:
        expected = source_checksum(content, mart)
        held = at.ability.checksum(at.connection, tables[mart.name], mart, content.release_id)
        if held.rows != expected.rows:
            found.append(f"{mart.name} 行数 {held.rows}，应为 {expected.rows}")
        elif held != expected:
            found.append(f"{mart.name} 行数相同而内容不同")
    return found


def _switch(at: Session, release_id: str, content: Content | None) -> None:
    """Point readers at a release that is held; without its content it is a rollback."""
    pointer, held = _pointer(at), _held(at)
    current, wanted = held.get(pointer.current_release), held[release_id]
    if current is None or current.structure != wanted.structure:
        views.replace(at, wanted.structure, content)
        if at.ability.has_policies:
            roles = access.granted_roles(at)
            access.grant_reading(at, _groups(at), roles)
    at.connection.execute(
        sa.update(at.layout.pointer).values(
            current_release=release_id,
            previous_release=pointer.current_release,
            held_back=pointer.current_release if content is None else None,
        )
    )


def _tidy(at: Session) -> None:
    """Remove releases that nobody can go back to, and structures without a release."""
    pointer, held = _pointer(at), _held(at)
    names = _structures(at)
    for release in held.values():
        if release.release_id in (pointer.current_release, pointer.previous_release):
            continue
        for table in names[release.structure]:
            at.run(f"delete from {table} where {RELEASE_ID} = '{release.release_id}'")
        for control in (at.layout.place, at.layout.release):
            at.connection.execute(sa.delete(control).where(control.c.release_id == release.release_id))
    in_use = {release.structure for release in _held(at).values()}
    for structure, tables in names.items():
        if structure not in in_use:
            at.ability.drop_structure(at.connection, at.layout.data_group(structure), tables)


# --- what a target holds


def _pointer(at: Session) -> sa.Row[Any]:
    return at.connection.execute(sa.select(at.layout.pointer)).one()


def _held(at: Session) -> dict[str, sa.Row[Any]]:
    return {row.release_id: row for row in at.connection.execute(sa.select(at.layout.release))}


def _groups(at: Session) -> list[str]:
    """The schemas that readers reach into: the views and the tables behind them."""
    structures = sorted({row.structure for row in _held(at).values()})
    return [at.layout.readers_group, *map(at.layout.data_group, structures)]


def _structures(at: Session) -> dict[str, list[str]]:
    """The tables of every structure in the database, as SQL names them."""
    inspector, quote = sa.inspect(at.connection), at.quote
    found: dict[str, list[str]] = {}
    if at.ability.has_schemas:
        for schema in inspector.get_schema_names():
            if structure := at.layout.structure_of(schema):
                tables = inspector.get_table_names(schema=schema)
                found[structure] = [f"{quote(schema)}.{quote(table)}" for table in tables]
    else:
        for table in inspector.get_table_names():
            if structure := at.layout.structure_of(table):
                found.setdefault(structure, []).append(quote(table))
    return found
