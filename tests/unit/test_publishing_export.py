"""The export: ordered Parquet and a DuckDB file, the same bytes whoever makes them and wherever."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hand_made_marts import KEYS, specs, warehouse

from expectations.content import DATA, DATABASE, content_hash
from publishing.export import (
    ColumnSpec,
    ExportError,
    MartSpec,
    export_marts,
    exported_specs,
    mart_specs,
)

# every kind of column in more rows than one vector holds, with gaps, long texts and wide numbers
AWKWARD = """
create table awkward as
    select 'H' || (i % 7) as hospital_id, i as number,
           case when i % 3 > 0 then cast(i as decimal(28, 8)) / 7 end as wide,
           case when i % 3 > 0 then cast(i as decimal(18, 8)) end as narrow,
           case when i % 5 > 0 then i % 2 = 0 end as flag,
           case when i % 5 > 0 then '原因说明文字较长以致不能内联存放' || (i % 100) end as reason,
           case when i % 4 > 0 then ['甲', '很长的一段文字' || (i % 9) || 'abcdefghijkl', null] end as subjects,
           cast(i as hugeint) as huge, date '2023-01-01' + cast(i % 365 as integer) as day,
           cast(null as varchar) as empty_text, cast(null as integer) as empty_number
    from range(20000) t (i) order by hash(i)
"""


def awkward_spec() -> MartSpec:
    names = ["hospital_id", "number", "wide", "narrow", "flag", "reason", "subjects", "huge", "day"]
    names += ["empty_text", "empty_number"]
    columns = tuple(ColumnSpec(name, f"列{name}", f"列{name}。 It's a column.", "") for name in names)
    return MartSpec("awkward", "main", "难表", "难表。 Awkward.", ("hospital_id", "number"), columns)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_parquet_is_ordered_by_the_full_key(tmp_path: Path) -> None:
    files = export_marts(warehouse(tmp_path / "c.duckdb"), tmp_path / "out", specs())
    assert [file.name for file in files] == sorted(KEYS)
    for file in files:
        key = ", ".join(KEYS[file.name])
        rows = duckdb.sql(f"select {key} from '{file.path}'").fetchall()
        assert rows == sorted(rows), file.name
        assert file.rows == len(rows) > 0
        assert file.bytes == file.path.stat().st_size


def test_order_of_rows_in_the_warehouse_is_forgotten(tmp_path: Path) -> None:
    turned = "create or replace table fct_indicator as from fct_indicator order by hash(columns(*))"
    export_marts(warehouse(tmp_path / "a.duckdb"), tmp_path / "a", specs())
    export_marts(warehouse(tmp_path / "b.duckdb", turned), tmp_path / "b", specs())
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b")


def test_two_builds_in_different_folders_are_byte_equal(tmp_path: Path) -> None:
    """Memory that was used before must not show in the file: the heap is filled with noise in between."""
    candidate = warehouse(tmp_path / "c.duckdb", AWKWARD)
    builds = []
    for name in ("a", "another/folder/b", "c"):
        noise = [os.urandom(1 << exponent) for exponent in range(8, 22)] * 20
        del noise
        export_marts(candidate, tmp_path / name, [*specs(), awkward_spec()])
        builds.append(bytes_of(tmp_path / name))
    assert builds[0] == builds[1] == builds[2]


def test_database_shows_what_parquet_holds_with_chinese_comments(tmp_path: Path) -> None:
    export_marts(warehouse(tmp_path / "c.duckdb", AWKWARD), tmp_path / "out", [*specs(), awkward_spec()])
    with duckdb.connect(tmp_path / "out" / DATABASE, read_only=True) as reader:
        for name in [*KEYS, "awkward"]:
            parquet = f"'{tmp_path / 'out' / DATA / name}.parquet'"
            assert (
                reader.execute(f"describe {name}").fetchall() == reader.execute(f"describe from {parquet}").fetchall()
            )
            for one, other in ((name, parquet), (parquet, name)):
                difference = f"select count(*) from (from {one} except all from {other})"
                assert reader.execute(difference).fetchall() == [(0,)], name
        comments = reader.execute(
            "select comment from duckdb_columns() where table_name = 'awkward' and schema_name = 'main'"
        ).fetchall()
        assert ("列wide。 It's a column.",) in comments
        views = reader.execute("select comment from duckdb_views() where view_name = 'awkward'").fetchall()
        assert views == [("难表。 Awkward.",)]


def test_second_export_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    candidate = warehouse(tmp_path / "c.duckdb")
    export_marts(candidate, tmp_path / "out", specs())
    fewer = [spec for spec in specs() if spec.name != "dim_window"]
    export_marts(candidate, tmp_path / "out", fewer)
    assert not (tmp_path / "out" / DATA / "dim_window.parquet").exists()
    assert exported_specs(tmp_path / "out") == fewer


def test_missing_key_column_is_named(tmp_path: Path) -> None:
    candidate = warehouse(tmp_path / "c.duckdb", "alter table dim_window rename window_id to window_key")
    with pytest.raises(ExportError, match="dim_window 缺少主键列：window_id"):
        export_marts(candidate, tmp_path / "out", specs())


def test_column_without_description_is_named(tmp_path: Path) -> None:
    candidate = warehouse(tmp_path / "c.duckdb", "alter table dim_window add column mystery integer")
    with pytest.raises(ExportError, match=r"dim_window\.mystery"):
        export_marts(candidate, tmp_path / "out", specs())


def node(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": "main",
        "fqn": ["zhuanke", "marts", name],
        "tags": [],
        "description": "专科指标：分子、分母与值。 Indicators.",
        "config": {"meta": {"key": ["a", "b"]}},
        "columns": {
            "a": {"name": "a", "description": "机构代码；REGION 为全省。 Code.", "config": {}},
            "b": {"name": "b", "description": "费用（分）。 Cost.", "config": {"meta": {"unit": "fen"}}},
        },
    } | changes


def manifest(folder: Path, *nodes: dict[str, Any]) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps({"nodes": {str(i): node for i, node in enumerate(nodes)}}), encoding="utf-8")
    return path


def test_marts_are_what_the_manifest_says(tmp_path: Path) -> None:
    found = mart_specs(
        manifest(
            tmp_path,
            node("fct_b"),
            node("fct_a", fqn=["zhuanke", "other", "fct_a"], tags=["mart"]),
            node("int_cell", fqn=["zhuanke", "intermediate", "int_cell"]),
            node("unique_fct_b", resource_type="test"),
        )
    )
    assert [spec.name for spec in found] == ["fct_a", "fct_b"]
    assert (found[1].title_zh, found[1].key) == ("专科指标", ("a", "b"))
    assert [(column.title_zh, column.unit) for column in found[1].columns] == [
        ("机构代码", ""),
        ("费用", "fen"),
    ]


def test_mart_without_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="fct_b 没有声明主键"):
        mart_specs(manifest(tmp_path, node("fct_b", config={"meta": {}})))
