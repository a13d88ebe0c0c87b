"""Tokens: what a reader of the service shows, how far it reaches and until when.

Belongs here: making, finding and revoking tokens. Does not belong here: what a scope lets a reader see
(`publishing.service.sight`), or which route wants what (`publishing.service.access`).

A token is `zk_<id>_<secret>`. Its secret is 256 random bits, and only SHA-256 of it is kept: nobody can guess such a
secret, so a slow password hash would protect nothing and would let anybody keep the service busy with wrong tokens.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

Kind = Literal["all", "division", "hospital"]
KIND_TITLES: dict[Kind, str] = {"all": "全部", "division": "地区", "hospital": "机构"}
_WHOLE_TOKEN = re.compile(r"zk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_VALUES = {"all": re.compile(""), "division": re.compile(r"(?!00)\d{6}"), "hospital": re.compile(r"[0-9A-Za-z-]{4,32}")}


class TokenProblem(Exception):
    """A token cannot be made or revoked; the text says in Chinese why."""


class Scope(BaseModel):
    """How far a token reaches: everything, the hospitals of a province, city or county, or one hospital."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    value: str = Field(default="", description="行政区划代码或机构代码；全部时为空")

    @model_validator(mode="after")
    def _fits(self) -> Scope:
        if not _VALUES[self.kind].fullmatch(self.value):
            raise ValueError(f"范围“{KIND_TITLES[self.kind]}”的代码不合规：{self.value!r}")
        return self

    def covers(self, hospital_id: str, division: str | None) -> bool:
        """Whether a hospital in this division lies within the scope; a division covers those below it."""
        if self.kind == "hospital":
            return hospital_id == self.value
        return self.kind == "all" or (division or "").startswith(re.sub("(00)+$", "", self.value))

    def title(self) -> str:
        """The scope in words."""
        return f"{KIND_TITLES[self.kind]} {self.value}".strip()


class TokenRecord(BaseModel):
    """What is kept of a token: everything but the secret."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_id: str
    scope: Scope
    purpose: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    sha256: str

    def state(self, now: datetime) -> Literal["valid", "expired", "revoked"]:
        """Whether the token opens anything at this moment."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if now < self.expires_at else "expired"


_RECORDS = TypeAdapter(list[TokenRecord])


@dataclass(frozen=True)
class TokenStore:
    """The list of tokens of one installation, a file that only its owner can read."""

    file: Path

    def records(self) -> list[TokenRecord]:
        """All tokens ever made, the oldest first."""
        return _RECORDS.validate_json(self.file.read_bytes()) if self.file.exists() else []

    def new(self, scope: Scope, *, purpose: str, days: int, now: datetime) -> tuple[str, TokenRecord]:
        """Make a token; this is the only time that its text is known."""
        token_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        record = TokenRecord(
            token_id=token_id,
            scope=scope,
            purpose=purpose,
            created_at=now,
            expires_at=now + timedelta(days=days),
            sha256=_hash(secret),
        )
        with self._changing() as records:
            records.append(record)
        return f"zk_{token_id}_{secret}", record

    def revoke(self, token_id: str, now: datetime) -> TokenRecord:
        """End a token at once; the record stays."""
        with self._changing() as records:
            for place, record in enumerate(records):
                if record.token_id == token_id:
                    if record.revoked_at is None:
                        records[place] = record.model_copy(update={"revoked_at": now})
                    return records[place]
        raise TokenProblem(f"没有编号为 {token_id} 的令牌；全部令牌见 zhuanke serve token list")

    def find(self, text: str, now: datetime) -> TokenRecord | None:
        """The valid token that this text is, if any. The file is read each time: a revocation holds at once."""
        whole = _WHOLE_TOKEN.fullmatch(text)
        if whole is None:
            return None
        token_id, found = whole[1], _hash(whole[2])
        for record in self.records():
            if record.token_id == token_id and hmac.compare_digest(record.sha256, found):
                return record if record.state(now) == "valid" else None
        return None

    @contextmanager
    def _changing(self) -> Iterator[list[TokenRecord]]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.file.with_suffix(".lock")):
            records = self.records()
            yield records
            fresh = self.file.with_suffix(".new")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                stream.write(_RECORDS.dump_json(records, indent=1))
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self.file)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
