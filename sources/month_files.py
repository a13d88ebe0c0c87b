"""Month files: all rows of a month that are in force, in one file, in an order that suits the models.

Belongs here: putting such files together, and finding the one that stands for given pieces.  Does not belong here:
which pieces are in force (:mod:`sources.candidate`), and landing.

A province lands a small file for every hospital and month, and DuckDB works in blocks of rows that never reach across
files: reading ten thousand of them costs several times as much as reading thirty-six.  So a month is put together
once, and again when anything that supplies it changes; its name says of what it was made.  The files are a cache: where
there is none, the landed files are read, with the same rows.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sources.expressions import landed_types, quote

_FOLDER = Path("cache") / "months"
# A month's cases of one principal diagnosis stand together: what the models look up for one is at hand for the next.
_ORDER = {"hqms_front_page": "diagnoses[1], organisation_id, source_id, source_row"}
_USUAL_ORDER = "source_id, source_row"
_KEPT_SECONDS = 2 * 24 * 3600  # a question that was asked before may still be reading


@dataclass(frozen=True, order=True)
class Piece:
    """Rows of one landed file: all of them, or those that meet a condition.  ``method`` is how the file was landed."""

    path: str
    condition: str
    method: str


def query(dataset: str, files: Iterable[tuple[Path, str]], *, as_landed: bool = False) -> str:
    """The rows of files, each under its condition, in the columns of the dataset or in those that the files have."""
    columns = "*" if as_landed else ", ".join(landed_types(dataset))
    options = f"hive_partitioning = false, union_by_name = {str(as_landed).lower()}"
    by_condition: defaultdict[str, list[str]] = defaultdict(list)
    for path, condition in files:
        by_condition[condition].append(quote(str(path)))
    parts = [
        f"select {columns} from read_parquet([{', '.join(sorted(paths))}], {options})"
        + (f" where {condition}" if condition else "")
        for condition, paths in by_condition.items()
    ]
    if not parts:
        nothing = ", ".join(f"null::{kind} as {name}" for name, kind in landed_types(dataset).items())
        parts.append(f"select {nothing} where false")
    return (" union all by name " if as_landed else " union all ").join(parts)


def to_read(home: Path, dataset: str, month: str, pieces: Collection[Piece]) -> list[tuple[Path, str]]:
    """What to read for these pieces, each file under its condition: the month's file, or, where none is, theirs."""
    together = _path(home, dataset, month, pieces)
    return [(together, "")] if together.exists() else [(home / piece.path, piece.condition) for piece in pieces]


def assemble(
    home: Path, months: Mapping[tuple[str, str], Collection[Piece]], *, threads: int, memory_limit: str
) -> int:
    """Put together what is not yet, and remove what nobody has wanted for days; how many months were written."""
    import duckdb

    wanted = {_path(home, *place, pieces): (place, pieces) for place, pieces in months.items() if len(pieces) > 1}
    missing = {path: found for path, found in wanted.items() if not path.exists()}
    if missing:
        with duckdb.connect(config={"threads": threads, "memory_limit": memory_limit}) as con:
            con.execute("set enable_progress_bar = false")
            for path, ((dataset, _), pieces) in missing.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_suffix(".part")
                rows = query(dataset, ((home / piece.path, piece.condition) for piece in pieces))
                con.execute(
                    f"copy (select * from ({rows}) order by {_ORDER.get(dataset, _USUAL_ORDER)}) "
                    f"to {quote(str(part))} (format parquet, compression snappy)"
                )
                part.replace(path)
    for path in wanted:
        path.touch()
    now = time.time()
    for path in (home / _FOLDER).glob("*/*"):
        if path not in wanted and now - path.stat().st_mtime > _KEPT_SECONDS:
            path.unlink()
    return len(missing)


def digest(dataset: str, pieces: Collection[Piece]) -> str:
    """Equal for equal rows in equal columns: landed files are named by what they were landed from, and never change."""
    content = json.dumps(
        [landed_types(dataset), [[piece.path, piece.condition, piece.method] for piece in sorted(pieces)]],
        ensure_ascii=False,
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _path(home: Path, dataset: str, month: str, pieces: Collection[Piece]) -> Path:
    return home / _FOLDER / dataset / f"{month}-{digest(dataset, pieces)[:16]}.parquet"
