"""The identity of what is judged and published: one hash over the bytes of the marts.

Belongs here: which files are the content of a candidate or a release, and their common hash. Gate and
publisher both use it, so that a verdict can only open the door for the very bytes that were judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

DATA = "data"
DATABASE = "marts.duckdb"


def sha256_file(path: Path) -> str:
    """SHA-256 of a file as hex, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_hash(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the sorted lines `sha256  relative/path` of the files below root."""
    lines = sorted(f"{file.relative_to(root).as_posix()}\0{sha256_file(file)}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def content_files(folder: Path) -> list[Path]:
    """The files that carry numbers: every mart as Parquet and the database for readers."""
    return [*sorted((folder / DATA).glob("*.parquet")), folder / DATABASE]


def content_hash(folder: Path) -> str:
    """The judged hash: what a verdict is about and what the publisher compares before it publishes."""
    return tree_hash(folder, content_files(folder))
