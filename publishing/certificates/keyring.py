"""The keyring: whose public keys count, for what and from when until when.

Belongs here: the file of public keys, who may do what with which key on which day. Does not belong here: private keys
and the arithmetic of signatures (`keys`). The keyring is what a reader has to get by another way than the bundle.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator

from expectations.frozen import Frozen
from expectations.verdict import write_durably
from publishing.certificates.canonical import NotCanonical, canonical, read_canonical
from publishing.certificates.keys import Algorithm, KeyProblem, algorithm_of, key_id, verify

KEYRING = "keyring.json"
BEIJING = ZoneInfo("Asia/Shanghai")


class Role(StrEnum):
    """What a key may sign."""

    SIGNER = "signer"
    REGISTRAR = "registrar"


ROLE_ZH = {Role.SIGNER: "签署证书", Role.REGISTRAR: "登记签发、取代与撤销"}


class Head(Frozen):
    """A place in the register: the number of an entry and its hash."""

    sequence: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class PublicKey(Frozen):
    """A public key and the person it belongs to; the last day is included."""

    key_id: str
    algorithm: Algorithm
    public_key: str = Field(description="SubjectPublicKeyInfo, DER, Base64")
    name: str = Field(min_length=1)
    organisation: str = Field(min_length=1)
    roles: tuple[Role, ...] = Field(min_length=1)
    valid_from: date
    valid_to: date
    added_by: str = Field(min_length=1)
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Self:
        der = base64.b64decode(self.public_key, validate=True)
        if key_id(der) != self.key_id or algorithm_of(der) != self.algorithm:
            raise ValueError("编号或算法与公钥不符")
        if self.valid_to < self.valid_from:
            raise ValueError("有效期的止日早于起日")
        return self

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        return verify(base64.b64decode(self.public_key), message, signature)

    def fault_of(self, role: Role, at: datetime) -> str | None:
        """Why this key may not act in this role at this time; None if it may."""
        day = at.astimezone(BEIJING).date()
        if role not in self.roles:
            return f"{self.name} 的密钥 {self.key_id[:8]} 无权{ROLE_ZH[role]}"
        if not self.valid_from <= day <= self.valid_to:
            return f"{self.name} 的密钥 {self.key_id[:8]} 在 {day} 不在有效期（{self.valid_from} 至 {self.valid_to}）"
        return None


class Keyring(Frozen):
    """All public keys ever given a role, and the last place of the register that their keeper knows of."""

    keys: tuple[PublicKey, ...] = ()
    register_head: Head | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({key.key_id for key in self.keys}) != len(self.keys):
            raise ValueError("同一密钥出现两次")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """From a file; raises KeyProblem."""
        try:
            return cls.model_validate(read_canonical(path.read_bytes()))
        except OSError as error:
            raise KeyProblem(f"无法读取公钥册 {path}：{error.strerror}。") from error
        except (NotCanonical, ValidationError) as error:
            told = "；".join(fault["msg"] for fault in error.errors()) if isinstance(error, ValidationError) else error
            raise KeyProblem(f"公钥册 {path} 不合规：{told}。请向发证单位重新取得。") from error

    def write(self, path: Path) -> None:
        """To a file, all or nothing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The one form in which a keyring is written."""
        return canonical(self.model_dump(mode="json"))

    @property
    def fingerprint(self) -> str:
        """What two people read to each other to know that they hold the same keys; the register's head is left out."""
        keys = canonical([key.model_dump(mode="json") for key in self.keys])
        digits = hashlib.sha256(keys).hexdigest()[:32]
        return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))

    def find(self, name: str) -> PublicKey | None:
        """The key of this id."""
        return next((key for key in self.keys if key.key_id == name), None)

    def with_key(self, key: PublicKey) -> Self:
        """With one more key, or with the newer terms of a known one."""
        others = [known for known in self.keys if known.key_id != key.key_id]
        return self.model_copy(update={"keys": tuple(sorted([*others, key], key=lambda each: each.key_id))})

    def with_head(self, head: Head) -> Self:
        """Knowing of a later place of the register."""
        return self.model_copy(update={"register_head": head})
