"""The audit log: every access, one JSON line each, chained by hashes.

Belongs here: appending and verifying. Does not belong here: what is worth noting (the service notes each request).

A line says who (the id of a token), what (route and the codes in it), when and with which result; never a name, an
address or what somebody typed. Each line carries the hash of the line before and its own, so that no line can be
changed, removed or put in between unnoticed. Lines cut off at the end leave a whole chain: whoever wants to notice that
keeps the head that `verify` prints and asks for it the next time.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

START = "0" * 64
_TAIL = 1 << 16


@dataclass(frozen=True)
class ChainReport:
    """What `verify` found: how many whole lines, the hash of the last, and the first fault."""

    entries: int
    head: str
    fault: str | None = None


@dataclass(frozen=True)
class AuditLog:
    """The log of one installation; several processes may append."""

    file: Path

    def append(self, *, token_id: str, action: str, subject: dict[str, str], status: int, at: datetime) -> None:
        """Add a line and make it durable before the answer leaves."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.file.with_suffix(".lock")):
            last = self._last()
            entry = {
                "seq": last["seq"] + 1,
                "at": at.isoformat(timespec="milliseconds"),
                "token": token_id,
                "action": action,
                "subject": subject,
                "status": status,
                "previous": last["hash"],
            }
            with os.fdopen(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
                stream.write(_line(entry | {"hash": _hash(entry)}))
                stream.flush()
                os.fsync(stream.fileno())

    def verify(self, head: str | None = None) -> ChainReport:
        """Recompute the chain; `head`: a hash noted earlier that must still be in it."""
        previous, count, seen = START, 0, head in (None, START)
        if not self.file.exists():
            return ChainReport(0, START, None if seen else "找不到此前记下的摘要")
        with self.file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if fault := _fault(line, number, previous):
                    return ChainReport(count, previous, f"第 {number} 行：{fault}")
                previous, count = json.loads(line)["hash"], number
                seen = seen or previous == head
        return ChainReport(
            count, previous, None if seen else "找不到此前记下的摘要：末尾的记录被删去，或不是同一份日志"
        )

    def _last(self) -> dict[str, Any]:
        """The last whole line. What a crash left half-written after it is set aside in a file beside the log."""
        if not self.file.exists():
            return {"seq": 0, "hash": START}
        with self.file.open("r+b") as stream:
            start = max(0, stream.seek(0, os.SEEK_END) - _TAIL)
            stream.seek(start)
            tail = stream.read()
            whole = tail.rfind(b"\n") + 1
            if whole < len(tail):
                with self.file.with_suffix(".torn").open("ab") as torn:
                    torn.write(tail[whole:] + b"\n")
                stream.truncate(start + whole)
        lines = tail[:whole].splitlines()
        return json.loads(lines[-1]) if lines else {"seq": 0, "hash": START}


def _fault(line: bytes, number: int, previous: str) -> str | None:
    try:
        entry = json.loads(line)
        said = entry.pop("hash")
        if line != _line(entry | {"hash": said}):
            return "写法被改动"
        if entry["seq"] != number:
            return f"序号应为 {number}"
        if entry["previous"] != previous:
            return "与上一行不衔接，其间的记录被删去或改动"
        return None if said == _hash(entry) else "内容与摘要不符"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "无法读取"


def _hash(entry: dict[str, Any]) -> str:
    return hashlib.sha256(_text(entry)).hexdigest()


def _line(entry: dict[str, Any]) -> bytes:
    return _text(entry) + b"\n"


def _text(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
