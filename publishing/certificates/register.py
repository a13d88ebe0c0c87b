"""The register: what happened to which certificate, one line an event, each line bound to the one before.

Belongs here: the shape of an entry, the chain, appending so that a crash leaves whole lines. Does not belong here: what
may happen when (`lifecycle`), what entries mean for a certificate (`history`).

What matters outside (issued, superseded, revoked) is signed by a registrar. The others are bound by the chain into the
next signed one.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from expectations.frozen import Frozen
from publishing.certificates.canonical import NotCanonical, canonical, read_canonical
from publishing.certificates.dsse import Signature, pae
from publishing.certificates.keyring import Head, Keyring, Role
from publishing.certificates.keys import Signer, key_id

REGISTER = "register.jsonl"
ENTRY_TYPE = "application/vnd.zhuanke.register-entry+json"
NOTHING_BEFORE = "0" * 64


class RegisterProblem(RuntimeError):
    """The register cannot be used as it is; the text says in Chinese which line and why."""


class Event(StrEnum):
    """What can happen to a certificate."""

    DRAFTED = "drafted"
    PREVIEWED = "previewed"
    QUERIED = "queried"
    RULED = "ruled"
    SIGNED = "signed"
    ISSUED = "issued"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


EVENT_ZH = {
    Event.DRAFTED: "拟制",
    Event.PREVIEWED: "公示",
    Event.QUERIED: "提出异议",
    Event.RULED: "裁定异议",
    Event.SIGNED: "签署",
    Event.ISSUED: "签发",
    Event.SUPERSEDED: "取代",
    Event.REVOKED: "撤销",
}
SIGNED_EVENTS = (Event.ISSUED, Event.SUPERSEDED, Event.REVOKED)


class Entry(Frozen):
    """One line."""

    sequence: int = Field(ge=1)
    previous: str
    at: datetime
    by: str = Field(min_length=1)
    reason: str
    event: Event
    certificate: str
    facts: dict[str, Any]
    signature: Signature | None = None

    @field_validator("at")
    @classmethod
    def _has_offset(cls, at: datetime) -> datetime:
        if at.tzinfo is None:
            raise ValueError("时间须带时区")
        return at

    @property
    def line(self) -> bytes:
        """As it stands in the file."""
        return canonical(self._document())

    @property
    def sha256(self) -> str:
        """What the next entry names."""
        return hashlib.sha256(self.line).hexdigest()

    @property
    def head(self) -> Head:
        """Its place."""
        return Head(sequence=self.sequence, sha256=self.sha256)

    @property
    def signed_bytes(self) -> bytes:
        """What a registrar signs: the entry without the signature."""
        return pae(ENTRY_TYPE, canonical(self._document() | {"signature": None}))

    def signed_by(self, signer: Signer) -> Entry:
        """With a registrar's signature."""
        signed = base64.b64encode(signer.sign(self.signed_bytes)).decode()
        return self.model_copy(update={"signature": Signature(keyid=key_id(signer.public_key), sig=signed)})

    def _document(self) -> dict[str, Any]:
        return self.model_dump(mode="json") | {"at": self.at.isoformat(timespec="seconds")}


def parse(content: bytes) -> list[Entry]:
    """The entries of a register whose lines are whole and chained; raises RegisterProblem. Signatures: `faults_of`."""
    entries: list[Entry] = []
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        try:
            entry = Entry.model_validate(read_canonical(line))
        except (NotCanonical, ValidationError) as error:
            raise RegisterProblem(f"第 {number} 行不合规或被改动过") from error
        previous = entries[-1].sha256 if entries else NOTHING_BEFORE
        if (entry.sequence, entry.previous) != (number, previous) or entry.line != line:
            raise RegisterProblem(f"第 {number} 行与前一行不相接：有条目被改动、删除或插入")
        entries.append(entry)
    return entries


def faults_of(entries: Sequence[Entry], keyring: Keyring) -> Iterator[str]:
    """What is wrong with the signatures of a register."""
    for entry in entries:
        if entry.event not in SIGNED_EVENTS:
            continue
        where = f"第 {entry.sequence} 行（{EVENT_ZH[entry.event]} {entry.certificate}）"
        key = keyring.find(entry.signature.keyid) if entry.signature else None
        if entry.signature is None:
            yield f"{where}没有登记人的签名"
        elif key is None:
            yield f"{where}的签名密钥 {entry.signature.keyid[:8]} 不在公钥册中"
        elif not key.verifies(entry.signed_bytes, entry.signature.raw):
            yield f"{where}的签名不对"
        elif fault := key.fault_of(Role.REGISTRAR, entry.at):
            yield f"{where}：{fault}"


class Register:
    """The register of a data home, for whoever writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """All entries; what a crash left of a last line is not one."""
        return parse(self._whole())

    def _whole(self) -> bytes:
        content = self.path.read_bytes() if self.path.exists() else b""
        return content[: content.rfind(b"\n") + 1]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else decides or appends meanwhile."""
        from filelock import FileLock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), is_singleton=True):
            yield

    def append(self, entries: Sequence[Entry]) -> None:
        """Add entries that follow the last one, durably. What a crash leaves of a line counts for nothing and is taken
        away by the next append.
        """
        with self.locked(), self.path.open("ab") as stream:
            whole = self._whole()
            parse(whole + b"".join(entry.line for entry in entries))
            stream.truncate(len(whole))
            stream.write(b"".join(entry.line for entry in entries))
            stream.flush()
            os.fsync(stream.fileno())


def following(entries: Sequence[Entry], event: Event, certificate: str, **told: Any) -> Entry:
    """The entry that would come next; `told`: at, by, reason, facts."""
    return Entry(
        sequence=len(entries) + 1,
        previous=entries[-1].sha256 if entries else NOTHING_BEFORE,
        event=event,
        certificate=certificate,
        **told,
    )
