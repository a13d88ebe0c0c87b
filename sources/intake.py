"""The inbox journal: which files arrived, in which order, and which layout each one is.

Belongs here: looking at the inbox, recognising system and layout by folder and header, and the append-only journal
``receipts/intake.jsonl``.  Does not belong here: reading a file's rows (:mod:`sources.landing`).

The order of arrival decides which of two files for the same slice readers see.  Inside one look at the inbox it is
the natural order of the paths; a file that a later look finds comes after all earlier ones.  The order is written down
before the first file is landed, so a run that is killed and started again decides the same way.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from natsort import natsorted, ns

from sources.connectors import FileRefused, open_carrier
from sources.contract import Contract, contracts_digest, load_contracts

_IGNORED_SUFFIXES = (".part", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class InboxFile:
    """One arrived file.  ``problem`` holds (code, Chinese message) where it is not read.

    A file without a layout has no ``dataset``.  A file whose content arrived before has one: it is not read again,
    but its arrival counts, so that a hospital can go back to an earlier version by sending it once more.
    """

    sequence: int
    path: str  # relative to the inbox
    bytes: int
    mtime_ns: int
    sha256: str
    sm3: str
    dataset: str | None
    layout: str | None
    problem: tuple[str, str] | None
    contracts: str  # digest of the contracts that judged it

    @property
    def source_id(self) -> str:
        return self.sha256[:12]


@dataclass(frozen=True)
class Intake:
    """What one look at the inbox found; ``known`` is the journal so far, ``new`` waits to be recorded."""

    known: list[InboxFile]
    new: list[InboxFile] = field(default_factory=list)

    @property
    def has_news(self) -> bool:
        return bool(self.new)


def journal_path(home: Path) -> Path:
    return home / "receipts" / "intake.jsonl"


def read_journal(home: Path) -> list[InboxFile]:
    """All recorded files in order of arrival; a line torn by a killed run is ignored."""
    path = journal_path(home)
    return list(_read_lines(path)) if path.exists() else []


def _read_lines(path: Path) -> Iterator[InboxFile]:
    for line in path.read_text("utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        problem = record.pop("problem")
        yield InboxFile(**record, problem=tuple(problem) if problem else None)


def scan(home: Path) -> Intake:
    """Compare the inbox with the journal; only files whose size or time changed are read.

    A file refused under earlier contracts is looked at again when the contracts have changed.
    """
    inbox = home / "inbox"
    known = read_journal(home)
    latest = {record.path: record for record in known}
    received = {record.sha256: record for record in known if record.dataset and not record.problem}
    sequence = max((record.sequence for record in known), default=0)
    new: list[InboxFile] = []
    for path in _inbox_files(inbox):
        stat = path.stat()
        relative = path.relative_to(inbox).as_posix()
        before = latest.get(relative)
        if before and (before.bytes, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns) and not _outdated(before):
            continue
        sha256, sm3 = file_hashes(path)
        if before and before.sha256 == sha256 and not _outdated(before):
            continue  # touched, not changed
        sequence += 1
        record = _recognise(inbox, path, sequence, stat, sha256, sm3, received.get(sha256))
        if record.dataset:
            received.setdefault(sha256, record)
        new.append(record)
    return Intake(known, new)


def file_hashes(path: Path) -> tuple[str, str]:
    """SHA-256 and SM3 of a file."""
    sha256, sm3 = hashlib.sha256(), hashlib.new("sm3")
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            sha256.update(chunk)
            sm3.update(chunk)
    return sha256.hexdigest(), sm3.hexdigest()


def is_unchanged(home: Path, item: InboxFile) -> bool:
    """Whether the inbox still holds the recorded content under the recorded path."""
    path = home / "inbox" / item.path
    if not path.is_file():
        return False
    stat = path.stat()
    return (item.bytes, item.mtime_ns) == (stat.st_size, stat.st_mtime_ns) or file_hashes(path)[0] == item.sha256


def _outdated(record: InboxFile) -> bool:
    return record.dataset is None and record.contracts != contracts_digest()


def record(home: Path, intake: Intake) -> None:
    """Append the new files to the journal and flush it to disk before anything is landed."""
    path = journal_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        if torn:
            file.write("\n")
        for item in intake.new:
            file.write(json.dumps(asdict(item), ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _inbox_files(inbox: Path) -> list[Path]:
    if not inbox.is_dir():
        return []
    files = [
        path
        for path in inbox.rglob("*")
        if path.is_file()
        and not path.name.startswith((".", "~$"))
        and not path.name.lower().endswith(_IGNORED_SUFFIXES)
    ]
    return natsorted(files, key=lambda path: path.relative_to(inbox).as_posix(), alg=ns.PATH)


def _recognise(
    inbox: Path, path: Path, sequence: int, stat: os.stat_result, sha256: str, sm3: str, earlier: InboxFile | None
) -> InboxFile:
    relative = path.relative_to(inbox).as_posix()
    dataset = layout = None
    problem: tuple[str, str] | None = None
    if earlier is not None:
        dataset, layout = earlier.dataset, earlier.layout
        problem = ("duplicate_file", f"内容与已收到的 {earlier.path} 完全相同，不再读取。")
    else:
        try:
            contract = match_layout(relative.split("/")[0] if "/" in relative else "", open_carrier(path).header)
            dataset, layout = contract.dataset, contract.layout
        except FileRefused as refusal:
            problem = (refusal.code, refusal.message)
    return InboxFile(
        sequence=sequence,
        path=relative,
        bytes=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        sha256=sha256,
        sm3=sm3,
        dataset=dataset,
        layout=layout,
        problem=problem,
        contracts=contracts_digest(),
    )


def match_layout(system: str, header: list[str]) -> Contract:
    """The contract of a file by its system folder and header; raises FileRefused with what is missing."""
    candidates = [contract for contract in load_contracts().values() if contract.system == system]
    if not candidates:
        systems = sorted({contract.system for contract in load_contracts().values()})
        raise FileRefused(
            "unknown_system", f"不认识的来源文件夹“{system}”。请放入 inbox 下的 {'、'.join(systems)} 之一。"
        )
    present = {name.upper() for name in header}
    missing = {c.layout: [n for n in c.recognised_by if n.upper() not in present] for c in candidates}
    fitting = [c for c in candidates if not missing[c.layout]]
    if fitting:
        return max(fitting, key=lambda c: len(c.recognised_by))
    nearest = min(candidates, key=lambda c: (len(missing[c.layout]) / len(c.recognised_by), c.layout))
    lacking = missing[nearest.layout]
    if len(lacking) == len(nearest.recognised_by):
        titles = "、".join(c.title_zh for c in candidates)
        raise FileRefused("wrong_layout", f"表头不属于任何已知版式（{titles}）。请核对导出模板。")
    raise FileRefused(
        "missing_columns", f"最接近“{nearest.title_zh}”，但表头缺少关键列 {'、'.join(lacking)}。请补齐后重新导出。"
    )
