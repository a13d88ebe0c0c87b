"""The store of imported editions: ``<home>/schemes/<edition_id>/``, a Parquet file per table and ``scheme.json``.

Belongs here: what is imported, and how the warehouse sees it.  Does not belong here: reading and judging a package
(:mod:`sources.scheme.package`, :mod:`sources.scheme.checks`).

A folder without ``scheme.json`` is not an edition; imports are renamed into place, so there is none in between.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sources.expressions import quote
from sources.scheme.tables import STORED

DESCRIPTION = "scheme.json"


def store_folder(home: Path) -> Path:
    return home / "schemes"


def installed(home: Path) -> list[dict[str, Any]]:
    """The description of every imported edition, by edition_id."""
    return [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(store_folder(home).glob(f"[!.]*/{DESCRIPTION}"))
    ]


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
