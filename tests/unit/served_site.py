"""The service as tests ask it: over one small certificate, with a token of every reach, at a time of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from fastapi import FastAPI
from served_certificate import A, write_certificate
from starlette.testclient import TestClient

from publishing.service.app import service
from publishing.service.audit import AuditLog
from publishing.service.tokens import Scope

SCOPES = {
    "all": Scope(kind="all"),
    "province": Scope(kind="division", value="990000"),
    "city": Scope(kind="division", value="990200"),
    "hospital": Scope(kind="hospital", value=A),
    "elsewhere": Scope(kind="hospital", value="HOSPITAL-X"),
}


@dataclass
class Clock:
    """A time that stands still until it is moved."""

    now: datetime = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=8)))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A running service, its tokens by reach, its clock and its log."""

    app: FastAPI
    records: Path
    certified: Path
    clock: Clock
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def audit(self) -> AuditLog:
        """The log of accesses."""
        return AuditLog(self.records / "audit.jsonl")

    def client(self, who: str | None = None) -> TestClient:
        """A client with the token of this reach, or with none; it follows no redirect."""
        headers = {"authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return TestClient(self.app, headers=headers, follow_redirects=False)


def open_site(folder: Path, per_minute: int = 1_000_000, hosts: Sequence[str] = ("testserver",)) -> Site:
    """A service over a fresh certificate."""
    certified, records, clock = folder / "certified", folder / "service", Clock()
    write_certificate(certified)
    app = service(certified, records, hosts=hosts, per_minute=per_minute, clock=clock)
    site = Site(app, records, certified, clock)
    for who, scope in SCOPES.items():
        site.tokens[who] = app.state.tokens.new(scope, purpose="试用", days=30, now=clock())[0]
    return site
