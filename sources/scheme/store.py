"""The store of imported editions: ``<home>/schemes/<edition_id>/``, a Parquet file per table and ``scheme.json``.

Belongs here: what is imported, and how the warehouse sees it.  Does not belong here: reading and judging a package
(:mod:`sources.scheme.package`, :mod:`sources.scheme.checks`).

An edition is never changed: numbers that were published by it must come out again.  It is renamed into place whole,
so an import that is killed leaves no edition, and what it did leave goes with the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock

from sources.expressions import quote
from sources.outputs import write_json
from sources.scheme.package import Package, SchemeProblem
from sources.scheme.tables import PACKAGE, STORED

DESCRIPTION = "scheme.json"
_COMING = ".coming"
_READ_ONLY = 0o444


@dataclass(frozen=True)
class Imported:
    """What came of an import: the edition's description, and whether it was there before."""

    description: dict[str, Any]
    is_new: bool


def store_folder(home: Path) -> Path:
    return home / "schemes"


def edition_folder(home: Path, edition_id: str) -> Path:
    """The folder of an imported edition; raises SchemeProblem with what there is instead."""
    editions = [description["edition_id"] for description in installed(home)]
    if edition_id not in editions:
        there = "、".join(editions) or "无"
        raise SchemeProblem(f"没有导入过方案 {edition_id}（已有：{there}）。请先运行 zhuanke scheme import。")
    return store_folder(home) / edition_id


def installed(home: Path) -> list[dict[str, Any]]:
    """The description of every imported edition, by edition_id."""
    paths = sorted(store_folder(home).glob(f"[!.]*/{DESCRIPTION}"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def in_use(editions: list[dict[str, Any]], choice: str, day: date) -> str | None:
    """The edition that groups the discharges of a day: ``latest``, ``by_date``, or the one that is named."""
    begun = sorted(editions, key=lambda edition: (edition["effective_from"], edition["edition_id"]))
    if choice == "by_date":
        # an edition holds until the next one begins, even where its own end was left open
        begun = [edition for edition in begun if edition["effective_from"] <= day.isoformat()]
        if begun and begun[-1]["effective_to"] and begun[-1]["effective_to"] <= day.isoformat():
            return None
    elif choice != "latest":
        begun = [edition for edition in begun if edition["edition_id"] == choice]
    return begun[-1]["edition_id"] if begun else None


def views(home: Path) -> dict[str, str]:
    """Per stored table: the query that shows the rows of all imported editions, typed and empty without any."""
    editions = [store_folder(home) / description["edition_id"] for description in installed(home)]
    return {table: _view([folder / f"{table}.parquet" for folder in editions], STORED[table]) for table in STORED}


def _view(paths: list[Path], columns: dict[str, str]) -> str:
    if not paths:
        nothing = ", ".join(f"null::{kind} as {name}" for name, kind in columns.items())
        return f"select {nothing} where false"
    files = ", ".join(quote(str(path)) for path in paths)
    return f"select {', '.join(columns)} from read_parquet([{files}], hive_partitioning = false)"


def describe(package: Package) -> dict[str, Any]:
    """What a package without errors says of itself: the edition, its owner, its files and its content by hash."""
    columns = [column.name for column in PACKAGE[0].columns]
    texts = package.con.execute(f"select {', '.join(columns)} from received.scheme").fetchall()[0]
    scheme = dict(zip(columns, texts, strict=True))
    return {
        "edition_id": f"{scheme['scheme_id']}-{scheme['edition']}",
        **scheme,
        "files": package.files,
        "rows": {file.table: _count(package, file.table) for file in PACKAGE},
        "content": _content_hash(package),
    }


def _count(package: Package, table: str) -> int:
    return int(package.con.execute(f"select count(*) from {table}").fetchall()[0][0])


def _content_hash(package: Package) -> dict[str, str]:
    """Hashes of the rows as typed: encodings, line ends, order of rows and repeated rows make no difference."""
    sha256, sm3 = hashlib.sha256(), hashlib.new("sm3")
    for file in PACKAGE:
        columns = ", ".join(f"{column.name}::varchar" for column in file.columns)
        query = f"select distinct to_json([{columns}])::varchar as line from {file.table} order by line"
        lines = [file.table, *(line for (line,) in package.con.execute(query).fetchall()), ""]
        content = "\n".join(lines).encode()
        sha256.update(content)
        sm3.update(content)
    return {"sha256": sha256.hexdigest(), "sm3": sm3.hexdigest()}


def import_package(home: Path, package: Package) -> Imported:
    """Keep a package without errors for good; the same content again changes nothing, other content is refused."""
    description = describe(package)
    store = store_folder(home)
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / ".lock"):
        for there in installed(home):
            if there["edition_id"] == description["edition_id"]:
                if there["content"] == description["content"]:
                    return Imported(there, is_new=False)
                raise SchemeProblem(
                    f"已导入过 {there['edition_id']}，内容与此包不同，拒绝覆盖。"
                    "已发布的数据须能重算：请给改动后的方案新的 edition。"
                )
        coming = store / _COMING
        shutil.rmtree(coming, ignore_errors=True)
        coming.mkdir()
        for table, query in stored_queries(description).items():
            order = ", ".join(STORED[table])
            target = coming / f"{table}.parquet"
            package.con.execute(f"copy ({query} order by {order}) to {quote(str(target))} (format parquet)")
        write_json(coming / DESCRIPTION, description)
        _make_durable(coming)
        coming.rename(store / description["edition_id"])
        _sync(store)
    return Imported(description, is_new=True)


def stored_queries(description: dict[str, Any]) -> dict[str, str]:
    """Per stored table: the query over a package's typed tables that gives its rows, each once."""
    own = {table: [name for name in columns if name != "edition_id"] for table, columns in STORED.items()}
    content = ", ".join(quote(description["content"][name]) for name in ("sha256", "sm3"))
    queries = {
        table: f"select {', '.join(columns)} from {table}"
        for table, columns in own.items()
        if table not in ("scheme", "complication")
    } | {
        "scheme": f"select * exclude (row), {content} from scheme",
        "complication": "select code, 'mcc', exclusion_table from mcc"
        " union all select code, 'cc', exclusion_table from cc",
        "code_list": "select list_id, code from code_list where code is not null",
        "edition_code": "select kind, code, name_zh from known_code",
        "mdc": "select * exclude (row) replace (coalesce(requires_valid_procedure, false) as requires_valid_procedure)"
        " from mdc",
    }
    edition = quote(description["edition_id"])
    return {
        table: f"select distinct {edition} as edition_id, * from ({queries[table]}) as stored ({', '.join(columns)})"
        for table, columns in own.items()
    }


def _make_durable(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(_READ_ONLY)
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
