"""The verdict of the gate and the store that the publisher re-reads.

Belongs here: the shape of a verdict, how results decide over open and closed, reading and writing verdicts.
Does not belong here: how a check is evaluated (runner).
A verdict carries no time and no name: equal marts judged by equal rules give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from expectations.content import tree_hash
from expectations.decisions import NO_DECISIONS, Decisions
from expectations.frozen import Frozen, Severity, Share

HERE = Path(__file__).parent
RULES = HERE / "rules" / "dq_rules.csv"
SUITES = HERE / "suites"
ENGINES = ("great-expectations", "pandas", "duckdb")


class Status(StrEnum):
    """The four states, the first that applies wins. A check that could not run is an error, never a pass."""

    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"
    PASSED = "passed"


class Worst(Frozen):
    """The organisation and month with most violations: where to look first. Counts only."""

    organisation_id: str
    month: str
    checked: int
    violated: int


class Result(Frozen):
    """What one check found, as counts; never a row value."""

    id: str
    title_zh: str
    dataset: str
    severity: Severity
    status: Status
    checked: int | None = None
    violated: int | None = None
    share: Share | None = None
    threshold: Share | None = None
    worst: Worst | None = None
    reason: str = ""
    note: str = ""
    remedy: str = ""
    clause: str = ""
    is_let_through: bool = False

    @property
    def closes(self) -> bool:
        """Whether this result alone keeps the gate closed; nobody can let through what could not be judged."""
        if self.severity is not Severity.CRITICAL:
            return False
        return self.status is Status.ERROR or (self.status is Status.FAILED and not self.is_let_through)


class Verdict(Frozen):
    """All results over one content hash, and the decision that follows from them."""

    judged_hash: str
    judged_by: str
    gate: Literal["open", "closed"]
    summary: dict[str, int]
    results: tuple[Result, ...]
    decisions: Decisions = NO_DECISIONS
    engines: dict[str, str]

    @classmethod
    def of(
        cls, judged_hash: str, judged_by: str, results: list[Result], decisions: Decisions = NO_DECISIONS
    ) -> Verdict:
        """Decide: any critical failure or error closes the gate, and so does having checked nothing."""
        results = [
            result.model_copy(update={"is_let_through": _is_let_through(result, decisions)}) for result in results
        ]
        return cls(
            judged_hash=judged_hash,
            judged_by=judged_by,
            gate=_gate(results),
            summary=_summary(results),
            results=tuple(results),
            decisions=decisions,
            engines=engine_versions(),
        )

    @model_validator(mode="after")
    def _decision_follows_from_results(self) -> Self:
        let_through = all(result.is_let_through == _is_let_through(result, self.decisions) for result in self.results)
        if self.gate != _gate(self.results) or self.summary != _summary(self.results) or not let_through:
            raise ValueError("结论与逐项结果不符：裁决文件被改动过")
        return self

    @property
    def is_open(self) -> bool:
        """Whether the judged content may be published."""
        return self.gate == "open"

    def closing(self) -> list[Result]:
        """The results that keep the gate closed."""
        return [result for result in self.results if result.closes]

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, UTF-8, one trailing newline."""
        document = self.model_dump(mode="json")
        return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _is_let_through(result: Result, decisions: Decisions) -> bool:
    return result.status is Status.FAILED and decisions.lets_through(result.id)


def _gate(results: tuple[Result, ...] | list[Result]) -> Literal["open", "closed"]:
    return "closed" if not results or any(result.closes for result in results) else "open"


def _summary(results: tuple[Result, ...] | list[Result]) -> dict[str, int]:
    counts = Counter(result.status for result in results)
    return {status.value: counts[status] for status in Status}


def engine_versions() -> dict[str, str]:
    """Versions of what evaluates the checks."""
    return {name: version(name) for name in ENGINES}


def judged_by(rules: Path = RULES, suites: Path = SUITES, decisions: Decisions = NO_DECISIONS) -> str:
    """Hash of the judge: rules, suites, judging code, engines, decisions. A verdict of other rules does not count."""
    parts = [
        tree_hash(rules.parent, rules.parent.glob("*.csv")),
        tree_hash(suites, suites.glob("*.yml")),
        tree_hash(HERE, HERE.glob("*.py")),
        json.dumps(engine_versions(), sort_keys=True),
        decisions.model_dump_json(),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class VerdictConflictError(RuntimeError):
    """The same content was judged by the same rules with a different outcome: nothing may be overwritten."""


class VerdictStore:
    """Verdicts on disk, one file per content and judge; written once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, judged_hash: str, judge: str) -> Path:
        """Where the verdict over this content by this judge lies."""
        return self.folder / f"{judged_hash}.{judge[:12]}.json"

    def save(self, verdict: Verdict) -> Path:
        """Write the verdict atomically; an equal one is left alone, a different one is refused."""
        path, content = self.path(verdict.judged_hash, verdict.judged_by), verdict.to_bytes()
        if path.exists():
            if path.read_bytes() != content:
                raise VerdictConflictError(f"同一内容已有不同的裁决，拒绝覆盖：{path.name}")
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        write_durably(path, content)
        return path

    def documents(self, verdict: Verdict) -> Path:
        """Where the Data Docs beside a verdict lie."""
        return self.path(verdict.judged_hash, verdict.judged_by).with_suffix(".html")

    def load(self, judged_hash: str, judge: str | None = None) -> Verdict | None:
        """The verdict over this content by the rules as they stand, or by the given judge."""
        path = self.path(judged_hash, judge or judged_by())
        if not path.exists():
            return None
        verdict = Verdict.model_validate_json(path.read_bytes())
        if path != self.path(verdict.judged_hash, verdict.judged_by):
            raise VerdictConflictError(f"裁决文件的名称与内容不符：{path.name}")
        return verdict


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is either absent (or old) or complete.

    The temporary name is fixed: what a killed process left under it is overwritten by the next, never piled up.
    """
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
