"""What changed from one release to the next, in counts.

Belongs here: comparing two release folders by the keys of their marts.
Does not belong here: saying why a number moved.
The difference lies beside the release, not in it: the predecessor is history, not an input.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from publishing.manifest import DATAPACKAGE

INDICATOR = "indicator_id"


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
