"""Verification: what a folder says of itself, held against the public keys. Offline, without a data home.

Belongs here: every check of a bundle, each fault named by file. Does not belong here: anything that writes.

Order: what lies in the folder, the data package and the bytes that it lists, the envelope and its signatures, the
register that came along, and a later register if there is one. Nothing of a file is used before it was checked.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from expectations.content import sha256_file
from publishing.certificates.canonical import NotCanonical
from publishing.certificates.dsse import Envelope, pae
from publishing.certificates.gate_statement import GATE_ENVELOPE, gate_statement
from publishing.certificates.history import History, Standing, histories
from publishing.certificates.keyring import Keyring, Role
from publishing.certificates.register import REGISTER, Entry, Event, RegisterProblem, faults_of, parse
from publishing.certificates.statement import ATTEST, ENVELOPE, PAYLOAD_TYPE, TIMESTAMP, Statement, subjects_of
from publishing.manifest import DATAPACKAGE, digests

SIGNERS = 2
FOLDER = "（文件夹）"
# what comes of JSON that is well written and not what it should be
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Fault:
    """A file and what is wrong with it."""

    file: str
    fault: str


@dataclass
class Verification:
    """What came of it. A certificate counts only without faults and while it stands."""

    faults: list[Fault] = field(default_factory=list)
    certificate: str | None = None
    standing: Standing | None = None
    ended: Entry | None = None
    signed_by: list[str] = field(default_factory=list)
    issued: Entry | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Whether everything is as it was signed."""
        return not self.faults

    @property
    def has_timestamp(self) -> bool:
        """Whether a token by a time-stamping service came along."""
        return self.issued is not None and TIMESTAMP in self.issued.facts["attest"]

    @property
    def counts(self) -> bool:
        """Whether it is intact and neither superseded nor revoked."""
        return self.is_intact and self.standing is Standing.ISSUED

    def add(self, file: str, fault: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(file, fault))


def verify_bundle(folder: Path, keyring: Keyring, later_register: Path | None = None) -> Verification:
    """Check a bundle; `later_register`: a newer copy of the register than the one inside."""
    found = Verification()
    try:
        _verify(folder, keyring, later_register, found)
    except OSError as error:
        found.add(str(error.filename), f"无法读取：{error.strerror}")
    except _MALFORMED:
        found.add(FOLDER, "有文件的内容不合规，无法继续核验")
    return found


def _verify(folder: Path, keyring: Keyring, later_register: Path | None, found: Verification) -> None:
    present = _look(folder, found)
    package = _package(folder, present, found)
    if package is None:
        return
    statement, envelope = _statement(folder, package, present, found)
    if REGISTER not in present:
        found.add(REGISTER, "缺失：尚未签发，或登记册副本被移除")
        return
    entries = _register(folder / REGISTER, REGISTER, keyring, found)
    if statement is None or envelope is None or entries is None:
        return
    _issue(folder, statement, entries, present, found)
    _signatures(statement, envelope, entries, keyring, found)
    _gate(folder, envelope, present, keyring, found)
    _standing(entries, keyring, later_register, found)


# --- the folder


def _look(folder: Path, found: Verification) -> set[str]:
    """The paths of the plain files; everything that is neither file nor folder is a fault."""
    present: set[str] = set()

    def walk(here: Path) -> None:
        for path in sorted(here.iterdir()):
            name, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
            if stat.S_ISDIR(mode):
                if not any(path.iterdir()):
                    found.add(name, "空文件夹，不属于该证书")
                walk(path)
            elif stat.S_ISREG(mode):
                present.add(name)
            else:
                found.add(name, "符号链接或特殊文件，不属于该证书")

    if folder.is_symlink() or not folder.is_dir():
        found.add(FOLDER, "不是文件夹")
    else:
        walk(folder)
    return present


def _package(folder: Path, present: set[str], found: Verification) -> dict[str, Any] | None:
    """The data package, after every file was held against it; None if it cannot be read."""
    try:
        content = (folder / DATAPACKAGE).read_bytes() if DATAPACKAGE in present else b""
        package: dict[str, Any] = json.loads(content)
        listed = {resource["path"]: resource for resource in package["resources"]}
        for name, resource in listed.items():
            if not _stays_inside(name):
                found.add(DATAPACKAGE, f"所列路径 {name!r} 指向文件夹之外或写法不合规")
            elif name not in present:
                found.add(name, "缺失")
            else:
                _compare(folder / name, name, resource, found)
    except _MALFORMED:
        found.add(DATAPACKAGE, "缺失、无法读取或被改动过")
        return None
    for name in sorted(present - listed.keys() - {DATAPACKAGE, REGISTER}):
        if not name.startswith(f"{ATTEST}/"):
            found.add(name, "多出的文件，不属于该证书")
    return package


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    plain = str(path) == name and not path.is_absolute() and "\\" not in name and "\0" not in name
    return plain and ".." not in path.parts and path.parts[:1] not in ((), (ATTEST,)) and name != REGISTER


def _compare(path: Path, name: str, resource: dict[str, Any], found: Verification) -> None:
    words = {"bytes": "大小", "hash": "SHA-256", "sm3": "SM3"}
    actual = digests(path)
    wrong = [word for field_name, word in words.items() if actual[field_name] != resource[field_name]]
    if wrong:
        found.add(name, f"内容被改动过（{'、'.join(wrong)}与清单不符）")


# --- what was signed


def _statement(
    folder: Path, package: dict[str, Any], present: set[str], found: Verification
) -> tuple[Statement | None, Envelope | None]:
    if ENVELOPE not in present:
        found.add(ENVELOPE, "缺失：没有签名")
        return None, None
    try:
        envelope = Envelope.read((folder / ENVELOPE).read_bytes())
        statement = Statement.read(envelope.body)
    except (NotCanonical, ValidationError):
        found.add(ENVELOPE, "不合规或被改动过")
        return None, None
    if envelope.payloadType != PAYLOAD_TYPE:
        found.add(ENVELOPE, f"内容类型不是 {PAYLOAD_TYPE}")
    found.certificate = statement.predicate.certificate
    if package.get("id") != found.certificate:
        found.add(DATAPACKAGE, f"清单的编号不是签名所指的 {found.certificate}")
    signed = {subject.name: subject.digest for subject in statement.subject}
    actual = {subject.name: subject.digest for subject in subjects_of(folder, package)}
    for name in sorted(signed.keys() | actual.keys()):
        if signed.get(name) != actual.get(name):
            found.add(name, "与签名所指的内容不符")
    found.notices = [str(notice) for notice in package.get("notices", [])]
    return statement, envelope


def _signatures(
    statement: Statement, envelope: Envelope, entries: list[Entry], keyring: Keyring, found: Verification
) -> None:
    """Two people with valid keys, each at the time that the register tells."""
    message = pae(envelope.payloadType, envelope.body)
    times = {
        entry.facts.get("key_id"): entry.at
        for entry in entries
        if entry.event is Event.SIGNED and entry.certificate == statement.predicate.certificate
    }
    for signature in envelope.signatures:
        key = keyring.find(signature.keyid)
        at: datetime | None = times.get(signature.keyid)
        if key is None:
            found.add(ENVELOPE, f"签名密钥 {signature.keyid[:8]} 不在公钥册中")
        elif not key.verifies(message, signature.raw):
            found.add(ENVELOPE, f"{key.name} 的签名不对")
        elif at is None:
            found.add(REGISTER, f"没有登记 {key.name} 的签署")
        elif fault := key.fault_of(Role.SIGNER, at):
            found.add(ENVELOPE, fault)
        else:
            found.signed_by.append(key.name)
    if len(set(found.signed_by)) < SIGNERS:
        found.add(ENVELOPE, f"有效签名不足：须有 {SIGNERS} 人，现有 {len(set(found.signed_by))} 人")


def _gate(folder: Path, certified: Envelope, present: set[str], keyring: Keyring, found: Verification) -> None:
    """What the gate found, as its evidence says, by the signers of the certificate."""
    if GATE_ENVELOPE not in present:
        found.add(GATE_ENVELOPE, "缺失：没有对质量门裁决的签名")
        return
    try:
        envelope = Envelope.read((folder / GATE_ENVELOPE).read_bytes())
        told = gate_statement(folder)
    except (*_MALFORMED, OSError):
        found.add(GATE_ENVELOPE, "不合规、被改动过，或无从与质量门裁决核对")
        return
    if (envelope.payloadType, envelope.body) != (PAYLOAD_TYPE, told):
        found.add(GATE_ENVELOPE, "与所附的质量门裁决不符")
    if [one.keyid for one in envelope.signatures] != [one.keyid for one in certified.signatures]:
        found.add(GATE_ENVELOPE, "签署人不是证书的签署人")
    message = pae(envelope.payloadType, envelope.body)
    for signature in envelope.signatures:
        key = keyring.find(signature.keyid)
        if key is not None and not key.verifies(message, signature.raw):
            found.add(GATE_ENVELOPE, f"{key.name} 的签名不对")


# --- the register


def _register(path: Path, name: str, keyring: Keyring, found: Verification) -> list[Entry] | None:
    try:
        entries = parse(path.read_bytes())
        histories(entries)
    except RegisterProblem as error:
        found.add(name, str(error))
        return None
    except _MALFORMED:
        found.add(name, "有条目的内容不合规")
        return None
    for fault in faults_of(entries, keyring):
        found.add(name, fault)
    return entries


def _issue(folder: Path, statement: Statement, entries: list[Entry], present: set[str], found: Verification) -> None:
    """The register that came along must go on from where the signers saw it, to the issue of these very files."""
    head = statement.predicate.register_head
    if len(entries) < head.sequence or entries[head.sequence - 1].sha256 != head.sha256:
        found.add(REGISTER, "不含签署时的登记册：是更早的或另一份登记册")
    mine = [entry for entry in entries if entry.certificate == found.certificate]
    issued = next((entry for entry in mine if entry.event is Event.ISSUED), None)
    if issued is None or entries[-1] != issued:
        found.add(REGISTER, f"不是签发 {found.certificate} 时的登记册")
        return
    found.issued = issued
    attested = {name: sha256_file(folder / name) for name in present if name.startswith(f"{ATTEST}/")}
    registered: dict[str, str] = issued.facts.get("attest", {})
    for name in sorted(attested.keys() | registered.keys()):
        if attested.get(name) != registered.get(name):
            found.add(name, "与签发时登记的不符")
    for entry in (mine[0], issued):
        if entry.facts.get("datapackage_sha256") != sha256_file(folder / DATAPACKAGE):
            found.add(DATAPACKAGE, "与登记的不符")


def _standing(entries: list[Entry], keyring: Keyring, later: Path | None, found: Verification) -> None:
    """Whether it still stands, by the latest register at hand."""
    latest, name = entries, REGISTER
    if later is not None:
        name = later.name if later.name != REGISTER else f"{later.parent.name}/{REGISTER}"
        newer = _register(later, name, keyring, found)
        if newer is None:
            return
        if newer[: len(entries)] != entries:
            found.add(name, "不是证书所附登记册的延续：是更早的（回放）或另一份登记册")
            return
        latest = newer
    head = keyring.register_head
    if head is not None and head.sequence <= len(latest) and latest[head.sequence - 1].sha256 != head.sha256:
        found.add(name, f"与公钥册所知的登记册（第 {head.sequence} 行）不符")
    if head is not None and head.sequence > len(latest):
        if later is not None:
            found.add(name, f"是旧的登记册（回放）：公钥册已知第 {head.sequence} 行，这里只到第 {len(latest)} 行")
        else:
            found.notices.append("登记册另有更新的条目，请用 --register 给出最新副本，以核对是否已被取代或撤销")
    mine: History = histories(latest)[found.certificate or ""] if found.issued else History(found.certificate or "")
    found.standing, found.ended = mine.standing, mine.ended


def sentences(found: Verification) -> Iterator[str]:
    """What a person is told, one Chinese sentence a line, faults first."""
    for fault in found.faults:
        yield f"{fault.file}：{fault.fault}"
    if found.ended is not None:
        what = "撤销" if found.standing is Standing.REVOKED else "取代"
        by = "" if found.ended.certificate == found.certificate else f"（{found.ended.certificate}）"
        day = found.ended.at.date()
        yield f"{found.certificate} 已于 {day} 由 {found.ended.by} {what}{by}，理由：{found.ended.reason}"
