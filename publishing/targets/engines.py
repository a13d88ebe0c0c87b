"""What differs between database engines: loading in bulk, hashing rows in place, locks, views.

Belongs here: one class per engine. Does not belong here: the order of steps (`sql`), which rows who may see (`access`).

Content is compared where it lies. The checksum of a table is the sum, over its rows, of two pieces of the MD5 of the
row's canonical text; it does not depend on the order of rows, needs no floating point, and every engine can compute
it. MD5 guards against accidents in transport, not against forgers: what a release is, its own hashes say.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import sqlalchemy as sa

from publishing.targets.layout import RELEASE_ID, Column, Content, Layout, Mart, TargetProblem

if TYPE_CHECKING:
    import pyarrow as pa

LOCK_SECONDS = 60
# shorter than PostgreSQL's deadlock_timeout of one second
LOCK_MILLISECONDS = 400
LOCK_ATTEMPTS = 60
LOCK_NOT_AVAILABLE = "55P03"
BATCH_ROWS = 20_000


class Checksum(NamedTuple):
    """Rows and content of one table."""

    rows: int
    content: str


class Hashing:
    """How an engine turns rows into a checksum; the expressions are DuckDB's, other engines override them."""

    def checksum_query(self, relation: str, mart: Mart, quote: Any, condition: str = "") -> str:
        """A query for the number of rows and the two sums."""
        parts = [self.field(self.text(quote(column.name), column)) for column in mart.columns]
        row = self.joined(parts)
        return (
            f"select count(*), coalesce(sum({self.piece('h', 1)}), 0), coalesce(sum({self.piece('h', 9)}), 0) "
            f"from (select md5({row}) as h from {relation} {condition}) as hashed"
        )

    def text(self, name: str, column: Column) -> str:
        """The canonical text of a value, the same in every engine."""
        if column.physical == "BOOLEAN":
            return f"cast(cast({name} as integer) as varchar)"
        if column.physical == "VARCHAR":
            return name
        return f"cast({name} as varchar)"

    def field(self, text: str) -> str:
        """A value with its length before it, so that no two rows share a text; a missing value is a dash."""
        joined = self.joined([f"cast({self.length(text)} as {self.text_type})", "':'", text])
        return f"case when {text} is null then '-' else {joined} end"

    text_type = "varchar"

    def length(self, text: str) -> str:
        return f"length({text})"

    def joined(self, parts: Sequence[str]) -> str:
        return "(" + " || ".join(parts) + ")"

    def piece(self, digest: str, start: int) -> str:
        """Eight hexadecimal digits as a number."""
        return f"cast('0x' || substr({digest}, {start}, 8) as bigint)"


def summed(row: Sequence[Any]) -> Checksum:
    """The answer to a checksum query."""
    rows, one, other = (int(value) for value in row)
    return Checksum(rows, f"{one:016x}{other:016x}")


def source_checksum(content: Content, mart: Mart) -> Checksum:
    """The checksum of the release's own file."""
    query = Hashing().checksum_query(_parquet(mart), mart, _quoted)
    return summed(content.files.execute(query).fetchall()[0])


def _parquet(mart: Mart) -> str:
    return "read_parquet('" + str(mart.path).replace("'", "''") + "')"


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _batches(content: Content, mart: Mart) -> Iterable[pa.RecordBatch]:
    """The rows of a mart with their release before them, in the order of the file."""
    columns = ", ".join(map(_quoted, mart.names))
    query = f"select '{content.release_id}' as {RELEASE_ID}, {columns} from {_parquet(mart)}"
    reader: Iterable[pa.RecordBatch] = content.files.sql(query).to_arrow_reader(BATCH_ROWS)
    return reader


class Engine(Hashing):
    """An engine that takes rows by ordinary inserts."""

    has_schemas: ClassVar[bool] = False
    has_policies: ClassVar[bool] = False

    def options(self) -> dict[str, Any]:
        """How to connect."""
        return {}

    def prepare(self, engine: sa.Engine) -> None:
        """What connections need."""

    def check(self, connection: sa.Connection) -> None:
        """Refuse what is too old."""

    def lock(self, connection: sa.Connection, name: str) -> None:
        """Be the only one who writes this target, until the connection ends, however it ends."""

    def load(self, connection: sa.Connection, table: sa.Table, content: Content, mart: Mart) -> None:
        """Insert the rows of a mart."""
        for batch in _batches(content, mart):
            if batch.num_rows:
                connection.execute(sa.insert(table), [self.row(row) for row in batch.to_pylist()])

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row as the driver takes it."""
        return row

    def checksum(self, connection: sa.Connection, table: sa.TableClause, mart: Mart, release_id: str) -> Checksum:
        """The checksum of a release's rows, computed in the database."""
        preparer = connection.dialect.identifier_preparer
        condition = f"where {preparer.quote(RELEASE_ID)} = '{release_id}'"
        query = self.checksum_query(preparer.format_table(table), mart, preparer.quote, condition)
        return summed(plainly(connection, query).one())

    def before_views(self, connection: sa.Connection, views: Sequence[str]) -> None:
        """What must be held before views are replaced."""

    def view_statements(self, view: str, query: str, *, anew: bool) -> list[str]:
        """Make a view, or replace it; `anew` where a column of it changed its type."""
        return [f"create or replace view {view} as {query}"]

    def shown(self, expression: str, kind: str) -> str:
        """A value as the interface shows it, whatever its type in the table behind."""
        return expression

    def describe_view(self, connection: sa.Connection, view: str, comment: str, columns: dict[str, str]) -> None:
        """Comments on a view and its columns, where an engine has them."""

    def drop_structure(self, connection: sa.Connection, group: str, tables: Sequence[str]) -> None:
        """Remove the tables of a structure that no release uses any more."""
        for table in tables:
            plainly(connection, f"drop table {table}")

    def after_load(self, engine: sa.Engine, tables: Iterable[str]) -> None:
        """Housekeeping after rows were added and removed."""


def plainly(connection: sa.Connection, statement: str) -> sa.CursorResult[Any]:
    """Run a statement as it stands: its text may hold percent signs and colons."""
    return connection.execution_options(no_parameters=True).exec_driver_sql(statement)


def literal(text: str) -> str:
    """A text constant."""
    return "'" + text.replace("'", "''") + "'"


class Postgres(Engine):
    """PostgreSQL 15 or later."""

    has_schemas = True
    has_policies = True

    def options(self) -> dict[str, Any]:
        return {"connect_args": {"connect_timeout": 10, "application_name": "zhuanke"}}

    def check(self, connection: sa.Connection) -> None:
        if (connection.dialect.server_version_info or (0,)) < (15,):
            raise TargetProblem("目标库需要 PostgreSQL 15 或更高版本：按机构授权依赖 security_invoker 视图")

    def lock(self, connection: sa.Connection, name: str) -> None:
        number = int.from_bytes(hashlib.sha256(f"zhuanke {name}".encode()).digest()[:8], signed=True)
        connection.execute(sa.text(f"set lock_timeout = '{LOCK_SECONDS}s'"))
        connection.execute(sa.select(sa.func.pg_advisory_lock(number)))
        connection.execute(sa.text("set lock_timeout = 0"))
        connection.commit()

    def load(self, connection: sa.Connection, table: sa.Table, content: Content, mart: Mart) -> None:
        """COPY of CSV that Arrow writes; text is quoted there and a missing value is not, so '' stays ''."""
        from pyarrow import csv

        preparer = connection.dialect.identifier_preparer
        columns = ", ".join(preparer.quote(name) for name in (RELEASE_ID, *mart.names))
        driver: Any = connection.connection.driver_connection
        options = csv.WriteOptions(include_header=False)
        with (
            driver.cursor() as cursor,
            cursor.copy(f"copy {preparer.format_table(table)} ({columns}) from stdin (format csv)") as copy,
        ):
            for batch in _batches(content, mart):
                block = io.BytesIO()
                csv.write_csv(batch, block, options)
                copy.write(block.getbuffer())

    def text(self, name: str, column: Column) -> str:
        if column.physical == "DATE":
            return f"to_char({name}, 'YYYY-MM-DD')"
        return super().text(name, column)

    def piece(self, digest: str, start: int) -> str:
        return f"('x' || substr({digest}, {start}, 8))::bit(32)::bigint"

    def before_views(self, connection: sa.Connection, views: Sequence[str]) -> None:
        """Hold all views at once, asking again and again for less time than the server takes to look for deadlocks:
        a reader may make the push wait, but never is a reader the one whose question is broken off."""
        for attempt in range(LOCK_ATTEMPTS):
            try:
                with connection.begin_nested():
                    plainly(connection, f"set local lock_timeout = '{LOCK_MILLISECONDS}ms'")
                    plainly(connection, f"lock table {', '.join(views)} in access exclusive mode")
                plainly(connection, "set local lock_timeout = 0")
                return
            except sa.exc.OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(min(0.05 * attempt, 1))
        raise TargetProblem("有读者的事务一直占用视图，表结构的变更未能生效；请结束长事务后重新推送")

    def view_statements(self, view: str, query: str, *, anew: bool) -> list[str]:
        # security_invoker: the rights of whoever asks count, and with them the policies on the tables behind
        statement = f"create or replace view {view} with (security_invoker = true) as {query}"
        return [f"drop view {view}", statement] if anew else [statement]

    def shown(self, expression: str, kind: str) -> str:
        return f"cast({expression} as {kind})"

    def describe_view(self, connection: sa.Connection, view: str, comment: str, columns: dict[str, str]) -> None:
        quote = connection.dialect.identifier_preparer.quote
        plainly(connection, f"comment on view {view} is {literal(comment)}")
        for name, text in columns.items():
            plainly(connection, f"comment on column {view}.{quote(name)} is {literal(text)}")

    def drop_structure(self, connection: sa.Connection, group: str, tables: Sequence[str]) -> None:
        plainly(connection, f"drop schema {group} cascade")

    def after_load(self, engine: sa.Engine, tables: Iterable[str]) -> None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in tables:
                plainly(connection, f"vacuum (analyze, skip_locked) {table}")


class MySQL(Engine):
    """MySQL 8 and MariaDB 10.6 or later."""

    text_type = "char"

    def options(self) -> dict[str, Any]:
        return {"connect_args": {"connect_timeout": 10, "charset": "utf8mb4"}}

    def lock(self, connection: sa.Connection, name: str) -> None:
        label = hashlib.sha256(name.encode()).hexdigest()[:32]
        if connection.execute(sa.select(sa.func.get_lock(f"zhuanke_{label}", LOCK_SECONDS))).scalar() != 1:
            raise TargetProblem("另一次推送仍在进行，请稍后再试")
        connection.commit()

    def text(self, name: str, column: Column) -> str:
        if column.physical == "DATE":
            return f"date_format({name}, '%Y-%m-%d')"
        return name if column.physical in ("VARCHAR", "BOOLEAN") else f"cast({name} as char)"

    def length(self, text: str) -> str:
        return f"char_length({text})"

    def joined(self, parts: Sequence[str]) -> str:
        return f"concat({', '.join(parts)})"

    def piece(self, digest: str, start: int) -> str:
        return f"cast(conv(substr({digest}, {start}, 8), 16, 10) as unsigned)"


class SQLite(Engine):
    """One file; decimals are text there, digit for digit, because SQLite knows only floating ones."""

    text_type = "text"

    def prepare(self, engine: sa.Engine) -> None:
        @sa.event.listens_for(engine, "connect")
        def connected(driver: Any, _: object) -> None:
            driver.isolation_level = None  # the driver's own transactions would leave DDL outside
            driver.create_function("md5", 1, _md5, deterministic=True)
            driver.create_function("number", 1, lambda digits: int(digits, 16), deterministic=True)
            driver.execute("pragma journal_mode = wal")  # readers and the writer do not wait for each other
            driver.execute(f"pragma busy_timeout = {LOCK_SECONDS * 1000}")

        @sa.event.listens_for(engine, "begin")
        def begun(connection: sa.Connection) -> None:
            connection.exec_driver_sql("begin immediate")

    def view_statements(self, view: str, query: str, *, anew: bool) -> list[str]:
        return [f"drop view if exists {view}", f"create view {view} as {query}"]

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in row.items()}

    def text(self, name: str, column: Column) -> str:
        return f"cast({name} as text)"

    def piece(self, digest: str, start: int) -> str:
        return f"number(substr({digest}, {start}, 8))"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


ENGINES: dict[str, type[Engine]] = {"postgresql": Postgres, "mysql": MySQL, "mariadb": MySQL, "sqlite": SQLite}


def engine_for(url: sa.URL) -> tuple[sa.Engine, Engine]:
    """A connection pool that keeps nothing open, and what its engine can do."""
    kind = ENGINES.get(url.get_backend_name())
    if kind is None:
        raise TargetProblem(f"不支持的目标库 {url.get_backend_name()}；支持 PostgreSQL、MySQL、MariaDB、SQLite")
    ability = kind()
    # values never appear in messages
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, **ability.options())
    ability.prepare(engine)
    return engine, ability


@dataclass(frozen=True)
class Session:
    """One connection to a target: what every step of a push works with."""

    connection: sa.Connection
    layout: Layout
    ability: Engine

    def run(self, statement: str) -> sa.CursorResult[Any]:
        """Run a statement as it stands."""
        return plainly(self.connection, statement)

    def name(self, table: sa.TableClause) -> str:
        """A table as SQL names it."""
        return self.connection.dialect.identifier_preparer.format_table(table)

    def quote(self, identifier: str) -> str:
        """An identifier as SQL names it."""
        return self.connection.dialect.identifier_preparer.quote(identifier)
