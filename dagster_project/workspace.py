"""One run at a time, and the folder that a run may write.

Belongs here: the lock on a home, the work folder of a run, the journal of runs.
Does not belong here: what a run does. Importable without Dagster.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from dagster_project.settings import Settings

# `ended` without `published` or `gate_closed` of the same run is a failure; `started` without `ended`, while
# nobody holds the lock, is a run that was killed.
JournalEvent = Literal["started", "published", "gate_closed", "up_to_date", "ended"]


class HomeBusyError(Exception):
    """Another run holds the lock on this home."""


def _lock(settings: Settings) -> FileLock:
    # The kernel drops the lock when its holder dies, so a killed run never blocks the next one. One object
    # per process: the command takes the lock, and the Dagster run inside the same process takes it again.
    settings.home.mkdir(parents=True, exist_ok=True)
    return FileLock(settings.run_lock, is_singleton=True, thread_local=False)


@contextlib.contextmanager
def exclusive(settings: Settings, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the home for one run; tell `on_wait` when it has to wait, raise HomeBusyError in the end."""
    lock = _lock(settings)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait(f"另一次运行正在使用 {settings.home}，最多等待 {settings.lock_wait_seconds} 秒……")
        try:
            lock.acquire(timeout=settings.lock_wait_seconds, poll_interval=0.5)
        except Timeout as error:
            raise HomeBusyError(
                f"等待 {settings.lock_wait_seconds} 秒后，另一次运行仍占用 {settings.home}；本次没有执行。"
            ) from error
    try:
        yield
    finally:
        lock.release()


def is_busy(settings: Settings) -> bool:
    """Whether some process runs on this home now."""
    lock = _lock(settings)
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True


class Workspace:
    """The folder of one run. Create it only while holding the lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, settings: Settings, run_id: str) -> Workspace:
        """Make the folder of this run; what dead runs left behind goes first."""
        cls.sweep(settings, keep=run_id)
        (settings.work / run_id).mkdir(parents=True, exist_ok=True)
        workspace = cls.at(settings)
        workspace.folder.symlink_to(run_id)
        return workspace

    @staticmethod
    def sweep(settings: Settings, keep: str | None = None) -> None:
        """Remove what dead runs left behind."""
        if settings.work.is_dir():
            for leftover in settings.work.iterdir():
                if leftover.name != keep:
                    _remove(leftover)

    @classmethod
    def at(cls, settings: Settings) -> Workspace:
        """The same in every run: dbt parses the project again whenever a path in its profile changes."""
        return cls(settings.work / "now")

    @property
    def candidate_db(self) -> Path:
        """The warehouse of this run."""
        return self.folder / "candidate.duckdb"

    @property
    def marts(self) -> Path:
        """What the gate judges and the publisher publishes."""
        return self.folder / "marts"

    @property
    def dbt_target(self) -> Path:
        """Compiled SQL, run results and log of dbt in this run."""
        return self.folder / "dbt"

    def close(self) -> None:
        """Remove everything: nothing that a run computed is needed once it is published."""
        folder = self.folder.resolve()
        _remove(self.folder)
        _remove(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        # exported marts may already be read-only
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def journal_file(settings: Settings) -> Path:
    """The journal of runs: one JSON object a line, appended, never rewritten."""
    return settings.logs / "runs.jsonl"


def append_journal(settings: Settings, event: JournalEvent, **facts: Any) -> None:
    """Note what happened, durably."""
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **facts}
    settings.logs.mkdir(parents=True, exist_ok=True)
    with journal_file(settings).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def killed_runs(settings: Settings) -> list[str]:
    """Runs that started and never ended. Ask only while holding the lock: then none of them is alive."""
    events = read_journal(settings)
    ended = {event["run_id"] for event in events if event["event"] == "ended"}
    return [event["run_id"] for event in events if event["event"] == "started" and event["run_id"] not in ended]


def read_journal(settings: Settings) -> list[dict[str, Any]]:
    """All events, oldest first. A last line cut short by a crash is left out."""
    try:
        lines = journal_file(settings).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    events = []
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):
            events.append(json.loads(line))
    return events
