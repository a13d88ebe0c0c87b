"""Pulling: from the months of a table to files in the inbox.

Belongs here: which months are due, one transaction for all of them, another attempt after a passing failure, and
delivering a month whole or not at all.  Does not belong here: SQL of months (:mod:`sources.databases.months`), rows
as texts (:mod:`sources.databases.stream`), and anything behind the inbox.

A month is delivered and noted before the next one begins, so a pull that dies goes on where it stopped.  A month is
due when it was never delivered, when its number of rows or its latest change differs from what was noted, and as long
as it may still receive changes that were committed late.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import tenacity

from sources.databases import journal, stream
from sources.databases.columns import Column, changes, key_columns, match, month_source, type_name
from sources.databases.config import Source, engine
from sources.databases.faults import PullProblem, explain
from sources.databases.months import ALL, UNDATED, Month, survey
from sources.databases.writing import MonthRows

# the reading transaction sees one state of the database, however long it takes
_ISOLATION = {
    "postgresql": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
    "mssql": "SNAPSHOT",
}
_LONGEST_PAUSE = 60


@dataclass
class PullReport:
    """What came of one source: months delivered and rows in them, months that were the same as before, messages."""

    source: str
    months: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    rows: int = 0
    messages: list[str] = field(default_factory=list)
    problem: str | None = None


@dataclass(frozen=True)
class Opened:
    """A source within its transaction: where the rows are, its columns and months."""

    connection: sa.Connection
    relation: sa.FromClause
    described: dict[str, str]  # every column of the relation → its type
    columns: list[Column]
    months: list[Month]
    zone: ZoneInfo
    gbk_in_latin1: bool


def pull(
    home: Path,
    source: Source,
    *,
    reconcile: bool = False,
    accept_columns: bool = False,
    threads: int = 2,
    tell: Callable[[str], None] = lambda _: None,
) -> PullReport:
    """Deliver every month of a source that is due; with `reconcile` every month is read and compared.

    A failure is told in the report, because other sources go on; what was delivered before it stays.
    """
    report = PullReport(source.name)
    pause = source.pull.pause_seconds
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(source.pull.attempts),
        wait=tenacity.wait_exponential(multiplier=pause, max=max(_LONGEST_PAUSE, pause)),
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, PullProblem) and error.passing),
        before_sleep=lambda state: tell(f"{source.name}：{_failure(state)}稍后重试"),
        reraise=True,
    )
    try:
        retrying(_attempt, home, source, report, reconcile, accept_columns, threads, tell)
    except PullProblem as problem:
        report.problem = problem.message
    return report


def _failure(state: tenacity.RetryCallState) -> str:
    return str(state.outcome.exception()) if state.outcome else ""


def _attempt(
    home: Path,
    source: Source,
    report: PullReport,
    reconcile: bool,
    accept_columns: bool,
    threads: int,
    tell: Callable[[str], None],
) -> None:
    with opened(source) as found:
        known = journal.latest(home, source.name)
        refuse_changes(source, found, known, accept_columns)
        months = [*found.months, *_emptied(found, known)]
        done = {*report.months, *report.same} if reconcile else set()
        due = [m for m in months if m.label not in done and (reconcile or is_due(source, m, known.get(m.label)))]
        with _Deliveries(home, source, found, known, report, threads) as deliveries:
            for number, month in enumerate(due, 1):
                tell(f"{source.name}：{month.label}（{number}/{len(due)}）")
                deliveries.add(month)


@contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """One read-only transaction on a source, all of whose queries see the same state.

    Every error of the database becomes a PullProblem, also one of the driver itself, which COPY calls directly.
    """
    gate = engine(source.url)
    try:
        with gate.connect() as connection:
            _prepare(connection, source)
            with connection.begin():
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("begin")  # its driver begins nothing for a mere query
                yield _look(connection, source)
    except (sa.exc.SQLAlchemyError, gate.dialect.loaded_dbapi.Error) as error:
        raise explain(error) from None


def _prepare(connection: sa.Connection, source: Source) -> None:
    """Isolation, time zone and patience of the session."""
    dialect = connection.dialect.name
    if level := _ISOLATION.get(dialect):
        connection.execution_options(isolation_level=level)
    zone, seconds = source.pull.timezone, source.pull.lock_seconds
    offset = datetime.now(source.zone).strftime("%z")
    statements = {
        "postgresql": [
            "set default_transaction_read_only = on",
            f"set timezone = '{zone}'",
            "set datestyle = 'ISO, YMD'",
            f"set lock_timeout = '{seconds}s'",
        ],
        "mysql": [f"set time_zone = '{offset[:3]}:{offset[3:]}'", f"set innodb_lock_wait_timeout = {seconds}"],
        "mssql": [f"set lock_timeout {seconds * 1000}"],
        "oracle": [f"alter session set time_zone = '{zone}'"],
        "sqlite": [f"pragma busy_timeout = {seconds * 1000}"],
    }
    for statement in statements.get("mysql" if dialect == "mariadb" else dialect, []):
        connection.exec_driver_sql(statement)
    connection.commit()


def _look(connection: sa.Connection, source: Source) -> Opened:
    pull = source.pull
    if pull.table:
        schema, _, table = pull.table.rpartition(".")
        relation: sa.FromClause = sa.table(table, schema=schema or None)
    else:
        # a colon is no parameter here
        relation = sa.text(str(pull.query).strip().rstrip(";").replace(":", r"\:")).columns().subquery("q")
    described = _describe(connection, relation)
    columns = match(source.contract, described, pull.columns)
    names = {column.source: column.name for column in columns}
    default = month_source(source.contract)
    month = _named(described, pull.month_column) or (names.get(default) if default else None)
    update = _named(described, pull.update_column)
    months = survey(
        connection,
        relation,
        stream.quoted(month) if month else None,
        stream.quoted(update) if update else None,
        described[month] if month else None,
        described[update] if update else None,
    )
    if pull.since:
        months = [m for m in months if m.label in (UNDATED, ALL) or m.label >= pull.since]
    return Opened(connection, relation, described, columns, months, source.zone, pull.gbk_in_latin1)


def _describe(connection: sa.Connection, relation: sa.FromClause) -> dict[str, str]:
    """Names and types of a relation's columns, as the driver reports them for a query without rows."""
    result = connection.execute(sa.select(sa.text("*")).select_from(relation).where(sa.false()))
    description = result.cursor.description if result.cursor else ()
    dialect = connection.dialect.name
    described = {str(item[0]): type_name(dialect, item[1]) for item in description}
    result.close()
    return described


def _named(described: dict[str, str], name: str | None) -> str | None:
    if name is None:
        return None
    found = next((each for each in described if each.upper() == name.upper()), None)
    if found is None:
        raise PullProblem("columns", f"设置中的月份列或更新列“{name}”在库中不存在。")
    return found


def refuse_changes(source: Source, found: Opened, known: dict[str, journal.Pulled], accept_columns: bool) -> None:
    """A column that went or became another type would land as emptiness or as other values: somebody must agree."""
    if not known or accept_columns:
        return
    last = max(known.values(), key=lambda record: record.at)
    if changed := changes(last.columns, found.columns):
        raise PullProblem(
            "columns",
            f"表结构与上次拉取时不同：{'；'.join(changed)}。请与数据库管理员核对；"
            f"若确已变更，请改好 columns 后运行 zhuanke source pull {source.name} --accept-columns。",
        )


def _emptied(found: Opened, known: dict[str, journal.Pulled]) -> list[Month]:
    """Months that had rows and have none now: they are delivered empty, or their rows would count for ever."""
    present = {month.label for month in found.months}
    gone = [record for label, record in sorted(known.items()) if label not in present and record.rows]
    if gone and not present:
        raise PullProblem(
            "empty", f"表中已没有任何行，而上次有 {sum(r.rows for r in gone)} 行。保留上次的数据；请核对。"
        )
    return [Month(record.month, 0, None, sa.false()) for record in gone]


def is_due(source: Source, month: Month, before: journal.Pulled | None) -> bool:
    """Whether a month must be read, given its last pull."""
    if before is None or (before.rows, before.latest) != (month.rows, month.latest):
        return True
    return not _is_settled(source, month, datetime.fromisoformat(before.at))


def _is_settled(source: Source, month: Month, pulled_at: datetime) -> bool:
    """Whether a month was read so long after its last change that a change committed late was in too."""
    if source.pull.update_column:
        last = _moment(month.latest)
        if last is None:
            return True
    elif month.label in (UNDATED, ALL):
        return False  # nothing says when it changed
    else:
        first = date.fromisoformat(f"{month.label}-01")
        last = datetime.combine((first + timedelta(days=31)).replace(day=1), datetime.min.time())
    last = last if last.tzinfo else last.replace(tzinfo=pulled_at.tzinfo)
    return pulled_at >= last + timedelta(days=source.pull.overlap_days)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


class _Deliveries:
    """Months one after the other into the inbox: one is written while the next one is read.

    They are noted in their order, each when it lies in the inbox, also when the reading of the next one fails.
    """

    def __init__(
        self,
        home: Path,
        source: Source,
        found: Opened,
        known: dict[str, journal.Pulled],
        report: PullReport,
        threads: int,
    ) -> None:
        self._home, self._source, self._found, self._threads = home, source, found, threads
        self._known, self._report = known, report
        self._key = key_columns(source.contract, found.columns)
        self._writer = ThreadPoolExecutor(1, "write")
        self._writing: Future[journal.Pulled] | None = None

    def __enter__(self) -> _Deliveries:
        return self

    def __exit__(self, *_: object) -> None:
        with self._writer:
            self._settle()

    def add(self, month: Month) -> None:
        """Read a month and have it written."""
        found = self._found
        coming = stream.batches(found.connection, found.relation, month.condition, found)
        rows = MonthRows(found.columns, self._key, coming)
        self._settle()
        if rows.is_whole:
            self._writing = self._writer.submit(self._deliver, month, rows)
        else:  # the rest comes through this connection, and belongs into this thread
            self._note(self._deliver(month, rows))

    def _deliver(self, month: Month, rows: MonthRows) -> journal.Pulled:
        return _deliver(self._home, self._source, self._found, month, rows, self._threads)

    def _settle(self) -> None:
        """Wait for the month that is being written, and note it."""
        if self._writing:
            writing, self._writing = self._writing, None
            self._note(writing.result())

    def _note(self, record: journal.Pulled) -> None:
        before, report = self._known.get(record.month), self._report
        if before and before.sha256 == record.sha256:
            report.same.append(record.month)
        else:
            report.months.append(record.month)
            report.rows += record.rows
        journal.append(self._home, record)


def _deliver(
    home: Path, source: Source, found: Opened, month: Month, content: MonthRows, threads: int
) -> journal.Pulled:
    """Write one month into the inbox; readers of the inbox see it whole or not at all."""
    folder = source.folder(home)
    for each in (folder.parent, folder):  # identities are in it, as in every received file
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{month.label}.parquet"
    part = target.with_name(f".{target.name}.part")
    work = home / "work"
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = content.write(part, work, threads)
    _flush(part)
    if rows != month.rows:
        raise PullProblem(
            "conflict", f"{month.label} 应有 {month.rows} 行，读到 {rows} 行：读取期间数据有变动。", passing=True
        )
    sha256 = _sha256(part)
    if target.exists() and _sha256(target) == sha256:
        part.unlink()
    else:
        part.replace(target)
        _flush(folder)
    names = sa.select(*(stream.quoted(column.name) for column in found.columns))
    selected = names.select_from(found.relation).where(month.condition)
    query = selected.compile(dialect=found.connection.dialect, compile_kwargs={"literal_binds": True})
    return journal.Pulled(
        source=source.name,
        month=month.label,
        rows=rows,
        latest=month.latest,
        sha256=sha256,
        path=target.relative_to(home / "inbox").as_posix(),
        query=" ".join(str(query).split()),
        columns={column.name: column.kind for column in found.columns},
        at=datetime.now(found.zone).isoformat(timespec="seconds"),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Have a file or the entries of a folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
