"""What a night computes of a month, kept for the nights after it.

Belongs here: schema `kept` of a candidate, which says where such files are, and of what each month is made; removing
files that nobody has wanted for days.  Does not belong here: which models are kept and how
(`dbt/macros/materializations/kept_by_month.sql`), and the rows in force (:mod:`sources.month_files`).

The name of a kept file holds a digest of all that it was made of: what has changed is not found, and computed again.
Coarse is right here: any change to SQL, seeds, landing or versions throws everything away.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from sources.month_files import Piece

_FOLDER = "kept"
_KEPT_SECONDS = 2 * 24 * 3600  # a run that failed may be continued
# all that becomes of landed rows, besides what dbt is told as variables
_CODE = ("dbt", "sources", "expectations/rules")


def offer(settings: Settings, database: Path, pieces: Mapping[tuple[str, str], list[Piece]]) -> None:
    """Write into a candidate where files are kept, and what there is to be kept: `pieces`, by dataset and month."""
    import duckdb

    folder = settings.cache / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute(
            """
            create schema kept;
            create table kept.basis (folder varchar, digest varchar);
            -- month: '' for what belongs to none; query: the rows of a month, and for none a query without rows
            create table kept.input (relation varchar, month varchar, digest varchar, query varchar);
            create table kept.used (model varchar, month varchar, path varchar)
            """
        )
        con.execute("insert into kept.basis values (?, ?)", [str(folder), _code()])
        con.executemany("insert into kept.input values (?, ?, ?, ?)", list(_inputs(settings.home, pieces)))


def tidy(settings: Settings, database: Path) -> None:
    """Remove what this candidate does not use, and no other has used for days."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as con:
        used = {Path(path) for (path,) in con.execute("select distinct path from kept.used").fetchall()}
    for path in used:
        path.touch()
    for path in (settings.cache / _FOLDER).iterdir():
        if path not in used and time.time() - path.stat().st_mtime > _KEPT_SECONDS:
            path.unlink()


def _inputs(home: Path, pieces: Mapping[tuple[str, str], list[Piece]]) -> Iterator[list[str | None]]:
    from sources import month_files
    from sources.contract import contracts_of
    from sources.landing import DATASETS
    from sources.scheme import store

    for dataset in DATASETS:
        months = {month: found for (of, month), found in pieces.items() if of == dataset}
        if contracts_of(dataset)[0].partition is None:
            always = [piece for found in months.values() for piece in found]
            yield [f"landing.{dataset}", "", month_files.digest(dataset, always), None]
            continue
        yield [f"landing.{dataset}", "", month_files.digest(dataset, []), month_files.query(dataset, [])]
        for month, found in months.items():
            rows = month_files.query(dataset, month_files.to_read(home, dataset, month, found))
            yield [f"landing.{dataset}", month, month_files.digest(dataset, found), rows]
    schemes = sorted((scheme["edition_id"], scheme["content"]["sha256"]) for scheme in store.installed(home))
    digest = hashlib.sha256(json.dumps(schemes).encode()).hexdigest()
    for table in store.views(home):
        yield [f"scheme.{table}", "", digest, None]


def _code() -> str:
    import duckdb

    from expectations.content import sha256_file
    from publishing.provenance import LOCK, folder_hash

    parts = [
        *(folder_hash(PROJECT_ROOT / folder) for folder in _CODE),
        sha256_file(Path(__file__)),
        sha256_file(PROJECT_ROOT / LOCK),
        duckdb.__version__,
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
