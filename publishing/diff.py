"""What changed from one release to the next: in counts, the first cell, or every cell.

Belongs here: comparing two folders of marts by the keys of their marts.
Does not belong here: saying why a number moved (that takes computing it again).
The difference lies beside the release, not in it: the predecessor is history, not an input.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publishing.manifest import DATAPACKAGE

if TYPE_CHECKING:
    import duckdb

INDICATOR = "indicator_id"
ROW = "（整行）"  # stands for the column where a whole row came or went


@dataclass(frozen=True)
class CellDifference:
    """The first cell of a mart that is not the same on both sides."""

    mart: str
    key: Mapping[str, Any]
    column: str
    before: Any
    after: Any


def release_diff(old: Path | None, new: Path) -> dict[str, Any]:
    """Rows added, removed and changed per mart, schema changes, and changed rows per indicator."""
    before, after = _marts(old) if old else {}, _marts(new)
    common = sorted(before.keys() & after.keys())
    return {
        "from": old.name if old else None,
        "to": new.name,
        "marts_added": sorted(after.keys() - before.keys()),
        "marts_removed": sorted(before.keys() - after.keys()),
        "marts": {name: _mart_diff(before[name], after[name]) for name in common},
    }


def _marts(folder: Path) -> dict[str, dict[str, Any]]:
    package = json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))
    return {
        resource["name"]: resource | {"file": folder / resource["path"]}
        for resource in package["resources"]
        if resource["format"] == "parquet"
    }


def _mart_diff(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    if old["hash"] == new["hash"]:
        return {"identical": True}
    before, after = _types(old), _types(new)
    key = new["schema"]["primaryKey"]
    result: dict[str, Any] = {
        "identical": False,
        "columns_added": sorted(after.keys() - before.keys()),
        "columns_removed": sorted(before.keys() - after.keys()),
        "columns_retyped": sorted(name for name in before.keys() & after.keys() if before[name] != after[name]),
        "key_changed": old["schema"]["primaryKey"] != key,
    }
    if result["key_changed"]:  # rows of different keys cannot be told apart from one another
        return result
    comparable = [name for name in after if name not in key and before.get(name) == after[name]]
    return result | _row_diff(old["file"], new["file"], key, comparable)


def _types(mart: dict[str, Any]) -> dict[str, str]:
    return {field["name"]: field["physicalType"] for field in mart["schema"]["fields"]}


def _row_diff(old: Path, new: Path, key: list[str], columns: list[str]) -> dict[str, Any]:
    """Count by the key; a row changed when any column that both sides have alike is distinct."""
    import duckdb

    both = " and ".join(f'old."{name}" is not distinct from new."{name}"' for name in key)
    changed = " or ".join(f'old."{name}" is distinct from new."{name}"' for name in columns) or "false"
    by_indicator = INDICATOR in key
    group = f"coalesce(new.{INDICATOR}, old.{INDICATOR})" if by_indicator else "null"
    with duckdb.connect() as connection:
        connection.read_parquet(str(old)).create_view("old_mart")
        connection.read_parquet(str(new)).create_view("new_mart")
        rows = connection.execute(
            f"""
            select {group} as indicator,
                   count(*) filter (where old.present is null),
                   count(*) filter (where new.present is null),
                   count(*) filter (where old.present and new.present and ({changed}))
            from (select true as present, * from old_mart) as old
            full join (select true as present, * from new_mart) as new on {both}
            group by indicator
            order by indicator
            """
        ).fetchall()
    result: dict[str, Any] = {
        "rows_added": sum(row[1] for row in rows),
        "rows_removed": sum(row[2] for row in rows),
        "rows_changed": sum(row[3] for row in rows),
    }
    if by_indicator:
        result["changed_by_indicator"] = {row[0]: row[3] for row in rows if row[3]}
    return result


def first_difference(
    mart: str, before: Path, after: Path | None, key: Sequence[str], *, part: bool = False
) -> CellDifference | None:
    """The first cell, in the order of the key, that differs; with `part`, rows that only `after` has do not count."""
    import duckdb

    if after is None or not after.exists():
        return CellDifference(mart, {}, ROW, "有此表", "没有此表")
    with duckdb.connect() as connection:
        connection.read_parquet(str(before)).create_view("before")
        connection.read_parquet(str(after)).create_view("after")
        old, new = _columns(connection, "before"), _columns(connection, "after")
        if odd := sorted(old.items() ^ new.items()):
            name = odd[0][0]
            return CellDifference(mart, {}, name, old.get(name, "没有此列"), new.get(name, "没有此列"))
        found = connection.execute(
            f"{_joined(key, old, 'left' if part else 'full')} order by {', '.join(map(_name, key))} limit 1"
        )
        names = [column[0] for column in found.description or []]
        rows = found.fetchall()
        if not rows:
            return None
        row = dict(zip(names, rows[0], strict=True))
        at = {name: row[name] for name in key}
        if not (row["in_before"] and row["in_after"]):
            return CellDifference(mart, at, ROW, *("有" if row[side] else "无" for side in ("in_before", "in_after")))
        where = " and ".join(f"{_name(name)} is not distinct from ${place}" for place, name in enumerate(key, 1))
        values = [
            dict(
                zip(old, connection.execute(f"from {side} where {where}", list(at.values())).fetchall()[0], strict=True)
            )
            for side in ("before", "after")
        ]
        column = next(name for name in old if values[0][name] != values[1][name])
        return CellDifference(mart, at, column, values[0][column], values[1][column])


def mart_files(folder: Path) -> dict[str, tuple[Path, tuple[str, ...]]]:
    """Mart -> its file and its key, as a release or certificate describes them."""
    return {name: (mart["file"], tuple(mart["schema"]["primaryKey"])) for name, mart in _marts(folder).items()}


def write_changes(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    before: Mapping[str, tuple[Path, tuple[str, ...]]],
    after: Mapping[str, tuple[Path, tuple[str, ...]]],
) -> None:
    """Table of every changed cell of the marts that both sides have under one key, which is told as JSON.

    A row that came or went is one change. Marts and columns of one side alone are told by `release_diff`.
    """
    connection.execute(
        f"create or replace table {table} "
        "(mart varchar, key varchar, column_name varchar, before varchar, after varchar)"
    )
    for mart in sorted(before.keys() & after.keys()):
        (old, key), (new, new_key) = before[mart], after[mart]
        if key == new_key and old.read_bytes() != new.read_bytes():
            for query in _changes(connection, mart, old, new, key):
                connection.execute(f"insert into {table} {query}")


def _changes(
    connection: duckdb.DuckDBPyConnection, mart: str, before: Path, after: Path, key: Sequence[str]
) -> Iterator[str]:
    connection.read_parquet(str(before)).create_view("before", replace=True)
    connection.read_parquet(str(after)).create_view("after", replace=True)
    old, new = _columns(connection, "before"), _columns(connection, "after")
    alike = dict(old.items() & new.items())
    pairs = _joined(key, alike, "full").replace(" from ", ", old, new from ", 1)
    connection.execute(f"create or replace temp table pair as {pairs}")
    at = "to_json({" + ", ".join(f"'{name}': {_name(name)}" for name in key) + "})"
    yield (
        f"select '{mart}', {at}, '{ROW}', case when in_before then '有' end, case when in_after then '有' end "
        "from pair where in_before is null or in_after is null"
    )
    for name in (name for name in new if name in old and name not in key):
        sides = (f"cast(pair.old.{_name(name)} as varchar)", f"cast(pair.new.{_name(name)} as varchar)")
        yield (
            f"select '{mart}', {at}, '{name}', {sides[0]}, {sides[1]} from pair "
            f"where in_before and in_after and {sides[0]} is distinct from {sides[1]}"
        )


def _joined(key: Sequence[str], columns: Any, join: str) -> str:
    """Keys of rows that are on one side alone, or differ in a column that both have alike."""
    names = [name for name in dict(columns) if name not in key]
    both = " and ".join(f"old.{_name(name)} is not distinct from new.{_name(name)}" for name in key)
    changed = " or ".join(f"old.{_name(name)} is distinct from new.{_name(name)}" for name in names) or "false"
    keys = ", ".join(f"coalesce(old.{_name(name)}, new.{_name(name)}) as {_name(name)}" for name in key)
    return (
        f"select {keys}, old.present as in_before, new.present as in_after "
        f"from (select true as present, * from before) as old "
        f"{join} join (select true as present, * from after) as new "
        f"on {both} where old.present is null or new.present is null or {changed}"
    )


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {relation}").fetchall()}


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def correction_effect(before: Path, after: Path) -> dict[str, list[dict[str, Any]]]:
    """What a correction changed for those who are ranked: indicators and total scores, before and after, with ranks."""
    import duckdb

    with duckdb.connect() as connection:
        for side, folder in (("old", before), ("new", after)):
            for mart in ("fct_indicator", "fct_score"):
                path = str(folder / "data" / f"{mart}.parquet")
                connection.read_parquet(path).create_view(f"{side}_{mart}")
        return {
            "indicators": _effect(
                connection,
                "fct_indicator",
                ["hospital_id", "specialty_code", "attribution", "window_id", "indicator_id"],
                ["numerator", "denominator", "value"],
            ),
            "ranks": _effect(
                connection,
                "fct_score",
                ["programme_id", "tier", "window_id", "specialty_code", "hospital_id", "level", "group_id", "part"],
                ["score", "rank"],
                "level = 'total'",
            ),
        }


def _effect(
    connection: duckdb.DuckDBPyConnection, mart: str, key: Sequence[str], shown: Sequence[str], where: str = "true"
) -> list[dict[str, Any]]:
    both = " and ".join(f"old.{name} is not distinct from new.{name}" for name in key)
    keys = ", ".join(f"coalesce(old.{name}, new.{name}) as {name}" for name in key)
    values = ", ".join(f"old.{name} as {name}_before, new.{name} as {name}_after" for name in shown)
    changed = " or ".join(f"old.{name} is distinct from new.{name}" for name in shown)
    found = connection.execute(
        f"select {keys}, {values} from (from old_{mart} where {where}) as old "
        f"full join (from new_{mart} where {where}) as new on {both} where {changed} order by {', '.join(key)}"
    )
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
