"""What the register says of one certificate, and what may happen to it next.

Belongs here: the states of a certificate and the rules of its life cycle, as a pure function of entries. Writers ask
before they append, readers check that nobody appended against the rules. Does not belong here: files, keys, clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from publishing.certificates.names import CertificateName
from publishing.certificates.register import EVENT_ZH, Entry, Event, RegisterProblem


class Standing(StrEnum):
    """How a certificate stands."""

    NONE = "none"
    DRAFT = "draft"
    PREVIEW = "preview"
    ISSUED = "issued"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


STANDING_ZH = {
    Standing.NONE: "不存在",
    Standing.DRAFT: "草案",
    Standing.PREVIEW: "公示",
    Standing.ISSUED: "有效",
    Standing.SUPERSEDED: "已被取代",
    Standing.REVOKED: "已撤销",
}
# event -> in which standings it may happen, and the standing after it (None: as before)
RULES: dict[Event, tuple[tuple[Standing, ...], Standing | None]] = {
    Event.DRAFTED: ((Standing.NONE,), Standing.DRAFT),
    Event.PREVIEWED: ((Standing.DRAFT,), Standing.PREVIEW),
    Event.QUERIED: ((Standing.PREVIEW,), None),
    Event.RULED: ((Standing.PREVIEW,), None),
    Event.SIGNED: ((Standing.PREVIEW,), None),
    Event.ISSUED: ((Standing.PREVIEW,), Standing.ISSUED),
    Event.SUPERSEDED: ((Standing.ISSUED,), Standing.SUPERSEDED),
    # a draft that comes to nothing is revoked too: its number is never used again
    Event.REVOKED: ((Standing.DRAFT, Standing.PREVIEW, Standing.ISSUED, Standing.SUPERSEDED), Standing.REVOKED),
}


@dataclass(frozen=True)
class Query:
    """A query and, once there is one, its ruling."""

    asked: Entry
    ruled: Entry | None = None

    @property
    def query_id(self) -> str:
        """`Q1`, counted within the certificate."""
        return str(self.asked.facts["query"])

    @property
    def due(self) -> datetime:
        """Until when it has to be ruled on."""
        return datetime.fromisoformat(self.asked.facts["due"])

    @property
    def is_open(self) -> bool:
        """Whether nobody has ruled on it."""
        return self.ruled is None

    @property
    def is_accepted(self) -> bool:
        """Whether numbers have to change because of it."""
        return self.ruled is not None and bool(self.ruled.facts["accepted"])


@dataclass
class History:
    """One certificate, as its entries tell."""

    certificate: str
    standing: Standing = Standing.NONE
    entries: list[Entry] = field(default_factory=list)
    queries: dict[str, Query] = field(default_factory=dict)
    ended: Entry | None = None  # what superseded or revoked it

    def last(self, event: Event) -> Entry | None:
        """The latest entry of this kind."""
        return next((entry for entry in reversed(self.entries) if entry.event is event), None)

    @property
    def drafted(self) -> Entry:
        """How it began."""
        return self.entries[0]

    @property
    def window_closes(self) -> datetime | None:
        """Until when hospitals may ask."""
        previewed = self.last(Event.PREVIEWED)
        return datetime.fromisoformat(previewed.facts["closes"]) if previewed else None

    @property
    def open_queries(self) -> list[Query]:
        """Queries nobody has ruled on."""
        return [query for query in self.queries.values() if query.is_open]

    def refusal(self, event: Event) -> str | None:
        """Why this event may not happen now; None if it may."""
        allowed, _ = RULES[event]
        if self.standing in allowed:
            return None
        needed = "、".join(STANDING_ZH[standing] for standing in allowed)
        return f"{self.certificate} 现为“{STANDING_ZH[self.standing]}”，不能{EVENT_ZH[event]}（须为：{needed}）"

    def add(self, entry: Entry) -> None:
        """Apply one entry; raises RegisterProblem if the rules forbid it."""
        self._apply(entry, entry.event)
        if entry.event is Event.QUERIED:
            self.queries[entry.facts["query"]] = Query(entry)
        elif entry.event is Event.RULED:
            query = self.queries.get(entry.facts["query"])
            if query is None or not query.is_open:
                raise RegisterProblem(f"第 {entry.sequence} 行不合程序：没有待裁定的异议 {entry.facts['query']}")
            self.queries[query.query_id] = Query(query.asked, entry)

    def supersede(self, issued: Entry) -> None:
        """Apply the issue of the revision that takes its place; raises RegisterProblem if the rules forbid it."""
        self._apply(issued, Event.SUPERSEDED)

    def _apply(self, entry: Entry, event: Event) -> None:
        if told := self.refusal(event):
            raise RegisterProblem(f"第 {entry.sequence} 行不合程序：{told}")
        _, after = RULES[event]
        self.standing = after or self.standing
        self.entries.append(entry)
        if after in (Standing.SUPERSEDED, Standing.REVOKED):
            self.ended = entry


def histories(entries: Sequence[Entry]) -> dict[str, History]:
    """Every certificate of a register, in the order in which they began; raises RegisterProblem."""
    found: dict[str, History] = {}
    for entry in entries:
        found.setdefault(entry.certificate, History(entry.certificate)).add(entry)
        for earlier in entry.facts.get("supersedes", ()):
            if earlier not in found:
                raise RegisterProblem(f"第 {entry.sequence} 行不合程序：没有证书 {earlier}")
            found[earlier].supersede(entry)
    return found


def latest_revision(entries: Sequence[Entry], name: CertificateName) -> History | None:
    """The highest revision of a certificate there ever was."""
    mine = [
        (other.revision, history)
        for history in histories(entries).values()
        if (other := CertificateName.parse(history.certificate)).revised(name.revision) == name
    ]
    return max(mine, key=lambda pair: pair[0])[1] if mine else None
