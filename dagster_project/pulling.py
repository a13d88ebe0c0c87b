"""The pulls of an installation: each with the URL of its connection, one after the other.

Belongs here: joining `[pulls.…]` with `[connections.…]`, and going on when one of them fails.
Does not belong here: pulling (`sources.databases`), the lock on the home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dagster_project.connections import ConnectionProblem
from dagster_project.settings import Settings, SettingsError
from sources.databases.check import Checked, check
from sources.databases.config import Source
from sources.databases.pull import PullReport, pull


def source_of(settings: Settings, name: str) -> Source:
    """One pull by its name; raises SettingsError or ConnectionProblem where it cannot be opened as it is set."""
    table = settings.pulls.get(name)
    if table is None:
        raise SettingsError(
            f"没有名为 {name} 的拉取，已有 {'、'.join(settings.pulls) or '无'}（zhuanke.toml 的 [pulls.…]）。"
        )
    connection = settings.connections.get(table.connection)
    if connection is None:
        known = "、".join(settings.connections) or "无"
        raise SettingsError(f"拉取 {name} 用到的连接 {table.connection} 未设置，已有 {known}。")
    return Source(name, table, connection.resolved(table.connection))


def pull_all(
    settings: Settings,
    names: Sequence[str] = (),
    *,
    reconcile: bool = False,
    accept_columns: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[PullReport]:
    """Pull the named sources, else every one; each report comes as soon as its source is done."""
    for name in names or settings.pulls:
        try:
            source = source_of(settings, name)
        except (SettingsError, ConnectionProblem) as problem:
            yield PullReport(name, problem=str(problem))
            continue
        yield pull(
            settings.home,
            source,
            reconcile=reconcile,
            accept_columns=accept_columns,
            threads=settings.threads,
            tell=tell,
        )


def check_all(settings: Settings, names: Sequence[str] = ()) -> Iterator[Checked]:
    """Look at the named sources, else at every one, without pulling."""
    for name in names or settings.pulls:
        try:
            yield check(settings.home, source_of(settings, name))
        except (SettingsError, ConnectionProblem) as problem:
            yield Checked(name, problem=str(problem))
