"""The journal of pulls: what was asked for each month, how far it reached, and which file came of it.

Belongs here: ``receipts/pulls.jsonl``, appended and never rewritten.  A landed file's receipt quotes its line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pulled:
    """One month of one source as it was delivered to the inbox.

    ``latest`` is the watermark: the greatest stamp of the update column among the rows.  ``sha256`` is the hash of
    the delivered file, which holds the rows in a fixed order; equal rows have equal hashes.
    """

    source: str
    month: str
    rows: int
    latest: str | None
    sha256: str
    path: str  # relative to the inbox
    query: str
    columns: dict[str, str]  # name in the database → type
    at: str


def read(home: Path) -> list[Pulled]:
    """All pulls, oldest first; a line torn by a killed run is ignored."""
    path = _path(home)
    return list(_lines(path)) if path.exists() else []


def _lines(path: Path) -> Iterator[Pulled]:
    for line in path.read_text("utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        yield Pulled(**record)


def latest(home: Path, source: str) -> dict[str, Pulled]:
    """Month → its last pull."""
    return {record.month: record for record in read(home) if record.source == source}


def find(home: Path, sha256: str) -> dict[str, object] | None:
    """What a receipt says about the pull that first delivered this content; None for other files."""
    found = next((record for record in read(home) if record.sha256 == sha256), None)
    if found is None:
        return None
    return {name: value for name, value in asdict(found).items() if name not in ("columns", "path", "sha256")}


def append(home: Path, record: Pulled) -> None:
    """Note a delivered month, durably."""
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if torn else "") + json.dumps(asdict(record), ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _path(home: Path) -> Path:
    return home / "receipts" / "pulls.jsonl"
