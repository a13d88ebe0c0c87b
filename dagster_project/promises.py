"""What dbt's tests promise of every table, asked of a finished candidate over one connection.

Belongs here: reading the tests from the compiled manifest, putting them into Chinese words, counting what breaks them.
Does not belong here: what is promised (the YAML beside the models) and in which SQL (dbt/macros/tests), when it is
asked (`defs.promises`). dbt itself spends a tenth of a second around every test, most of which are done in one
hundredth of that; `dbt test` still asks the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.settings import Settings

if TYPE_CHECKING:
    import duckdb

WORDS = {
    "accepted_range": "{column_name} 应在 {minimum} 至 {maximum} 之间",
    "accepted_values": "{column_name} 只应取 {values}",
    "holds": "每行应满足 {condition}",
    "not_negative": "{column_name} 不应为负",
    "not_null": "{column_name} 不应为空",
    "relationships": "{column_name} 应见于 {to}.{field}",
    "sums_match": "{expression} 应等于 {other} 的 {other_expression}",
    "unique": "{column_name} 不应重复",
    "unique_combination": "{columns} 合起来不应重复，也不应为空",
}
_REFERENCE = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True)
class Promise:
    """One test of a table: the rows that its query finds break it."""

    table: str
    words: str
    query: str


@dataclass(frozen=True)
class Broken:
    """A promise that does not hold: so many findings, or the kind of error that kept it from being asked."""

    promise: Promise
    found: int = 0
    error: str = ""

    def __str__(self) -> str:
        """Table, columns and how often; never a value."""
        fault = f"无法核对（{self.error}）" if self.error else f"{self.found:,} 处不符"
        return f"{self.promise.table}：{self.promise.words}；{fault}"


def promises(nodes: Mapping[str, Any]) -> dict[str, list[Promise]]:
    """Table -> its promises, from the nodes of a compiled manifest."""
    tests = [node for node in nodes.values() if node["resource_type"] == "test"]
    tests.sort(key=lambda test: (test["attached_node"], test["unique_id"]))
    by_table: dict[str, list[Promise]] = {}
    for test in tests:
        table = nodes[test["attached_node"]]["name"]
        by_table.setdefault(table, []).append(_promise(table, test))
    return by_table


def _promise(table: str, test: Mapping[str, Any]) -> Promise:
    about = test["test_metadata"]
    given = {name: _shown(value) for name, value in about["kwargs"].items()}
    return Promise(table, WORDS[about["name"]].format(**given), test["compiled_code"])


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    return " ".join(_REFERENCE.sub(r"\1", str(value)).split())


def broken(settings: Settings, database: Path, asked: Sequence[Promise]) -> list[Broken]:
    """Those of the promises that the candidate does not keep, in their order."""
    import duckdb

    limits: dict[str, str | bool | int | float | list[str]] = {
        "threads": settings.threads,
        "memory_limit": settings.memory_limit,
        "temp_directory": str(database.parent / "spill"),
    }
    with duckdb.connect(str(database), read_only=True, config=limits) as connection:
        # it would draw into the log
        connection.execute("set enable_progress_bar = false")
        answers = [(promise, *_ask(connection, promise)) for promise in asked]
    return [Broken(promise, found, error) for promise, found, error in answers if found or error]


def _ask(connection: duckdb.DuckDBPyConnection, promise: Promise) -> tuple[int, str]:
    import duckdb

    try:
        [(found,)] = connection.execute(f"select count(*) from (\n{promise.query}\n)").fetchall()
    except duckdb.Error as error:  # its message may quote a value
        return 0, type(error).__name__
    return found, ""
