"""datapackage.json: what is in a release or certificate, as a Frictionless Data Package (v2).

Belongs here: describing files with schema, keys, units, size and hashes (SHA-256, and SM3 beside it).
Does not belong here: when a release is made or who made it; equal releases have equal descriptions.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from expectations.content import DATA, DATABASE
from publishing.export import ColumnSpec, MartSpec

DATAPACKAGE = "datapackage.json"
VERDICT = "verdict.json"
PROVENANCE = "provenance.json"
README = "README.txt"
DATA_DOCS = "data_docs.html"
PAGE = "index.html"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
RESOURCE_PROFILE = "https://datapackage.org/profiles/2.0/dataresource.json"

# What stands beside the marts of a release
COMPANIONS = {
    DATABASE: "全部数据集市表（DuckDB 只读库）",
    VERDICT: "质量门裁决",
    PROVENANCE: "来源与版本",
    README: "阅读说明",
    DATA_DOCS: "数据文档：逐表逐项的验证结果",
    PAGE: "发布版首页",
}
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".duckdb": "application/vnd.duckdb",
    ".html": "text/html",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sql": "application/sql",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yml": "application/yaml",
}
TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
    "FLOAT": "number",
    "DOUBLE": "number",
}
BLOCK = 1 << 20


def canonical(document: object) -> bytes:
    """JSON with sorted keys, UTF-8, one trailing newline: equal content gives equal bytes."""
    return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def digests(path: Path) -> dict[str, Any]:
    """Size, SHA-256 and SM3 of a file in one reading."""
    sha256, sm3, size = hashlib.sha256(), hashlib.new("sm3"), 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            sha256.update(block)
            sm3.update(block)
            size += len(block)
    return {"bytes": size, "hash": f"sha256:{sha256.hexdigest()}", "sm3": sm3.hexdigest()}


def release_package(
    folder: Path, release_id: str, marts: list[MartSpec], notices: Sequence[str] = ()
) -> dict[str, Any]:
    """Describe every file of a release folder except the description itself; `notices`: what a reader must know of
    decisions under which it was published.
    """
    described = {
        "title": f"专科指标发布版 {release_id}",
        "description": f"临床专科指标，经质量门裁决后发布；来源见 {PROVENANCE}，裁决见 {VERDICT}。",
        "version": release_id,
        "provenance": PROVENANCE,
        "notices": list(notices),
    }
    titles = {name: title for name, title in COMPANIONS.items() if (folder / name).exists()}
    return data_package(folder, release_id, marts, titles, described)


def data_package(
    folder: Path, package_id: str, marts: list[MartSpec], companions: Mapping[str, str], described: Mapping[str, Any]
) -> dict[str, Any]:
    """Marts and the files that stand beside them (path and Chinese title), with what the package says of itself."""
    return {
        "$schema": PROFILE,
        "name": package_id.lower(),
        "id": package_id,
        **described,
        "resources": [
            *(_mart(folder, mart) for mart in sorted(marts, key=lambda mart: mart.name)),
            *(_companion(folder, name, title) for name, title in companions.items()),
        ],
    }


def described_marts(package: Mapping[str, Any]) -> list[MartSpec]:
    """The marts of a data package as it describes them: what a copy of them is described by."""
    return [
        MartSpec(
            name=resource["name"],
            schema="",
            title_zh=resource["title"],
            description=resource["description"],
            key=tuple(resource["schema"]["primaryKey"]),
            columns=tuple(
                ColumnSpec(
                    field["name"],
                    field["title"],
                    field["description"],
                    field.get("unit", ""),
                    field.get("deprecated", ""),
                )
                for field in resource["schema"]["fields"]
            ),
            access=resource.get("access", ""),
            deprecated=resource.get("deprecated", ""),
        )
        for resource in package["resources"]
        if "schema" in resource
    ]


def _mart(folder: Path, mart: MartSpec) -> dict[str, Any]:
    path = f"{DATA}/{mart.name}.parquet"
    schema, rows = _schema(folder / path, mart)
    return {
        "$schema": RESOURCE_PROFILE,
        "name": mart.name,
        "title": mart.title_zh,
        "description": mart.description,
        "path": path,
        "format": "parquet",
        "mediatype": MEDIA_TYPES[".parquet"],
        "rows": rows,
        "schema": schema,
        **_said(access=mart.access, deprecated=mart.deprecated),
        **digests(folder / path),
    }


def _said(**words: str) -> dict[str, str]:
    """What has something to say."""
    return {name: word for name, word in words.items() if word}


def _companion(folder: Path, name: str, title: str) -> dict[str, Any]:
    suffix = Path(name).suffix
    return {
        "name": re.sub(r"[./]", "-", name).lower(),
        "title": title,
        "path": name,
        "format": suffix.removeprefix("."),
        "mediatype": MEDIA_TYPES.get(suffix, "application/octet-stream"),
        **digests(folder / name),
    }


def _schema(path: Path, mart: MartSpec) -> tuple[dict[str, Any], int]:
    """Types come from the file itself, words from dbt's model description."""
    import duckdb

    with duckdb.connect() as connection:
        relation = connection.read_parquet(str(path))
        columns = list(zip(relation.columns, map(str, relation.types), strict=True))
        rows = connection.execute("select count(*) from relation").fetchall()[0][0]
    fields = []
    for name, kind in columns:
        spec = mart.column(name)
        field = {
            "name": name,
            "type": _type(kind),
            "physicalType": kind,
            "title": spec.title_zh,
            "description": spec.description,
        }
        fields.append(field | _said(unit=spec.unit, deprecated=spec.deprecated))
    return {"fields": fields, "primaryKey": list(mart.key)}, rows


def _type(kind: str) -> str:
    if kind.endswith("[]"):
        return "array"
    if kind.startswith("DECIMAL"):
        return "number"
    return TYPES.get(kind, "integer" if kind.endswith("INT") or kind == "INTEGER" else "any")
