"""Candidate warehouse -> ordered Parquet per mart and one read-only DuckDB file, byte for byte repeatable.

Belongs here: which marts there are (read from dbt's manifest), how they are ordered and written.
Does not belong here: what a mart means or contains; nothing names a mart.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.content import DATA, DATABASE, content_hash
from expectations.verdict import write_durably

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "ColumnSpec",
    "ExportError",
    "MartFile",
    "MartSpec",
    "content_hash",
    "export_marts",
    "exported_specs",
    "mart_specs",
]

ROW_GROUP = 122_880
# Describes the export for the publisher, which writes it into the data package; not itself published
SPECS = "marts.json"


class ExportError(RuntimeError):
    """A mart cannot be exported as described; the message says which and why."""


@dataclass(frozen=True)
class ColumnSpec:
    """What dbt says about a column: Chinese title, full description, unit, why it should no longer be used."""

    name: str
    title_zh: str
    description: str
    unit: str
    deprecated: str = ""


@dataclass(frozen=True)
class MartSpec:
    """What dbt says about a mart: where it is in the candidate, its key in order, its columns, and whether everyone
    who may read anything may read all of it (`publishing.targets.access`)."""

    name: str
    schema: str
    title_zh: str
    description: str
    key: tuple[str, ...]
    columns: tuple[ColumnSpec, ...]
    access: str = ""
    deprecated: str = ""

    def column(self, name: str) -> ColumnSpec:
        """The description of one column."""
        for column in self.columns:
            if column.name == name:
                return column
        raise ExportError(f"{self.name}.{name} 在模型说明中没有描述")


@dataclass(frozen=True)
class MartFile:
    """One exported mart."""

    name: str
    path: Path
    rows: int
    bytes: int


def mart_specs(manifest_path: Path) -> list[MartSpec]:
    """The marts of dbt's manifest: models tagged `mart` or living in a folder `marts`, by name."""
    nodes = json.loads(manifest_path.read_text(encoding="utf-8"))["nodes"].values()
    marts = [node for node in nodes if node["resource_type"] == "model" and _is_mart(node)]
    return sorted((_spec(node) for node in marts), key=lambda spec: spec.name)


def exported_specs(target: Path) -> list[MartSpec]:
    """The marts of an export, as they were described when it was made."""
    documents = json.loads((target / SPECS).read_text(encoding="utf-8"))
    return [
        MartSpec(
            **document
            | {
                "key": tuple(document["key"]),
                "columns": tuple(ColumnSpec(**column) for column in document["columns"]),
            }
        )
        for document in documents
    ]


def _is_mart(node: dict[str, Any]) -> bool:
    return "mart" in node["tags"] or "marts" in node["fqn"][:-1]


def _spec(node: dict[str, Any]) -> MartSpec:
    meta = node["config"].get("meta", {})
    key = meta.get("key")
    if not key:
        raise ExportError(f"{node['name']} 没有声明主键（config.meta.key）")
    columns = tuple(
        ColumnSpec(
            name=column["name"],
            title_zh=_title(column["description"]),
            description=column["description"].strip(),
            unit=_meta(column).get("unit", ""),
            deprecated=_meta(column).get("deprecated", ""),
        )
        for column in node["columns"].values()
    )
    return MartSpec(
        name=node["alias"],
        schema=node["schema"],
        title_zh=_title(node["description"]),
        description=node["description"].strip(),
        key=tuple(key),
        columns=columns,
        access=meta.get("access", ""),
        deprecated=meta.get("deprecated", ""),
    )


def _meta(column: dict[str, Any]) -> dict[str, str]:
    meta: dict[str, str] = (column.get("config") or {}).get("meta", {})
    return meta


def _title(description: str) -> str:
    """Descriptions are Chinese first: the title is what stands before the first stop or bracket."""
    return re.split(r"[。；：，（(/|]|[.;:] ", " ".join(description.split()), maxsplit=1)[0].strip()


def export_marts(candidate_db: Path, target: Path, marts: list[MartSpec]) -> list[MartFile]:
    """Write every mart to target/data/<mart>.parquet, ordered by its key, and all to target/marts.duckdb.

    An earlier export in the same folder is replaced, so that nothing stale can be judged or published.
    """
    files = export_parquet(candidate_db, target, marts)
    (target / DATABASE).unlink(missing_ok=True)
    _build_database(target, marts)
    specs = json.dumps([asdict(mart) for mart in marts], ensure_ascii=False, indent=1)
    write_durably(target / SPECS, specs.encode())
    return files


def export_parquet(candidate_db: Path, target: Path, marts: list[MartSpec]) -> list[MartFile]:
    """Write every mart to target/data/<mart>.parquet, ordered by its key, and nothing else."""
    import duckdb

    if not marts:
        raise ExportError("没有可导出的数据集市表")
    shutil.rmtree(target / DATA, ignore_errors=True)
    (target / DATA).mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach {_text(candidate_db)} as candidate (read_only)")
        return [_export_parquet(connection, mart, target / DATA / f"{mart.name}.parquet") for mart in marts]


def _export_parquet(connection: duckdb.DuckDBPyConnection, mart: MartSpec, path: Path) -> MartFile:
    """An ordered query gives the same bytes at any number of threads: row groups have a fixed size."""
    relation = f"candidate.{_name(mart.schema)}.{_name(mart.name)}"
    present = {row[0] for row in connection.execute(f"describe {relation}").fetchall()}
    if missing := [column for column in mart.key if column not in present]:
        raise ExportError(f"{mart.name} 缺少主键列：{'、'.join(missing)}")
    order = ", ".join(_name(column) for column in mart.key)
    connection.execute(
        f"copy (select * from {relation} order by {order}) to {_text(path)} "
        f"(format parquet, compression zstd, row_group_size {ROW_GROUP})"
    )
    rows = connection.execute(f"select count(*) from read_parquet({_text(path)})").fetchall()[0][0]
    return MartFile(mart.name, path, rows, path.stat().st_size)


def _build_database(target: Path, marts: Iterable[MartSpec]) -> None:
    """Tables of ENUM columns in schema `store`, and plain VARCHAR views with Chinese comments for readers.

    Text segments and compressed segments of a DuckDB file keep uninitialised bytes and would differ from run
    to run. ENUM columns are numbers with one ordered dictionary; without compression, with one thread and a
    fixed file name the whole file is repeatable. It is larger than the Parquet files with the same rows.
    """
    import duckdb

    with duckdb.connect(target / DATABASE, config={"threads": 1}) as connection:
        connection.execute("set force_compression = 'uncompressed'")
        connection.execute("create schema store")
        for mart in marts:
            _store(connection, mart, target / DATA / f"{mart.name}.parquet")
        connection.execute("force checkpoint")


def _store(connection: duckdb.DuckDBPyConnection, mart: MartSpec, path: Path) -> None:
    source, table, view = f"read_parquet({_text(path)})", f"store.{_name(mart.name)}", _name(mart.name)
    stored, shown = [], []
    columns = connection.execute(f"describe select * from {source}").fetchall()
    for column, kind, *_ in columns:
        name = _name(column)
        if kind not in ("VARCHAR", "VARCHAR[]"):
            stored.append(name)
            shown.append(name)
            continue
        values = name if kind == "VARCHAR" else f"unnest({name})"
        words = connection.execute(
            f"select distinct word from (select {values} as word from {source}) where word is not null order by word"
        ).fetchall()
        # an ENUM needs one value at least; a column without any stays empty whatever the dictionary says
        dictionary = ", ".join(_text(word) for (word,) in words) or "''"
        enum = f"store.{_name(f'{mart.name}__{column}')}"
        connection.execute(f"create type {enum} as enum ({dictionary})")
        stored.append(f"cast({name} as {enum}{kind.removeprefix('VARCHAR')}) as {name}")
        shown.append(f"cast({name} as {kind}) as {name}")
    connection.execute(f"create table {table} as select {', '.join(stored)} from {source}")
    connection.execute(f"create view main.{view} as select {', '.join(shown)} from {table}")
    connection.execute(f"comment on view main.{view} is {_text(mart.description)}")
    for column, *_ in columns:
        text = _text(mart.column(column).description)
        connection.execute(f"comment on column main.{view}.{_name(column)} is {text}")


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
