"""The life of a certificate: drafted, shown to hospitals, questioned, signed by two, issued, ended.

Belongs here: each step, what it refuses, and the order in which files and register change. Does not belong here: which
step may follow which (`history`), what a bundle holds (`bundle`).

    <home>/certified/register.jsonl       every step
    <home>/certified/keyring.json         public keys
    <home>/certified/drafts/<id>/         content is final from the draft on; signatures are added
    <home>/certified/packets/<id>/        what each hospital gets to see of a preview, one folder a hospital
    <home>/certified/<id>/                issued

The register's entry is the moment of issue. A kill after it leaves the folder among the drafts; whatever command comes
next moves it to its place (`finish`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from expectations.content import sha256_file
from expectations.verdict import sync_folder, write_durably
from publishing.certificates.bundle import PUBLIC, Exhibits, public_editions, write_bundle, write_exhibits
from publishing.certificates.dsse import Envelope, pae
from publishing.certificates.gate_statement import GATE_ENVELOPE, gate_statement
from publishing.certificates.history import History, Standing, histories, latest_revision
from publishing.certificates.keyring import BEIJING, KEYRING, Keyring, PublicKey, Role
from publishing.certificates.keys import Signer, key_id
from publishing.certificates.names import CertificateName
from publishing.certificates.pulling import Pulled, carry_away
from publishing.certificates.register import REGISTER, Entry, Event, Register, following
from publishing.certificates.statement import (
    ATTEST,
    ENVELOPE,
    PAYLOAD_TYPE,
    TIMESTAMP,
    Predicate,
    Statement,
    subjects_of,
)
from publishing.certificates.verification import SIGNERS
from publishing.manifest import DATAPACKAGE, VERDICT, digests
from publishing.release import seal, verify_release

DRAFTS, PACKETS, COMING = "drafts", "packets", ".coming"


class StepRefused(RuntimeError):
    """A step of the life cycle may not be taken; the text says in Chinese why and what to do."""


@dataclass(frozen=True)
class Act:
    """Who takes a step, and why."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise StepRefused("每一步都须写明经办人（--by）与理由（--reason）。")


@dataclass(frozen=True)
class Preview:
    """Until when hospitals may ask, how many got a packet, and where the packets lie."""

    closes: datetime
    hospitals: int
    folder: Path


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Office:
    """The certificates of a data home. `clock` says what time it is, `exhibits` makes forms and report."""

    home: Path
    clock: Callable[[], datetime] = _now
    exhibits: Exhibits = write_exhibits

    @property
    def folder(self) -> Path:
        """Where issued certificates, drafts, register and keyring lie."""
        return self.home / "certified"

    @property
    def register(self) -> Register:
        """What happened so far."""
        return Register(self.folder / REGISTER)

    @property
    def keyring(self) -> Keyring:
        """Whose keys count; empty before the first is added."""
        path = self.folder / KEYRING
        return Keyring.read(path) if path.exists() else Keyring()

    def bundle(self, certificate: str) -> Path:
        """Where its folder lies now."""
        issued = self.folder / certificate
        return issued if issued.exists() else self.folder / DRAFTS / certificate

    def history(self, certificate: str) -> History:
        """What happened to one certificate."""
        found = histories(self.register.entries()).get(certificate)
        if found is None:
            raise StepRefused(f"没有证书 {certificate}。zhuanke cert list 列出全部。")
        return found

    # --- the steps

    def draft(self, release: Path, programme_id: str, scope: str, window_id: str, act: Act, *, project: Path) -> str:
        """Lay out the next revision from a release; returns its name."""
        release = release.resolve()
        if faults := verify_release(release):
            told = "；".join(f"{fault.file}：{fault.fault}" for fault in faults)
            raise StepRefused(f"发布版 {release.name} 已损坏，不能据以拟制（{told}）")
        with self._preparing() as coming:
            with self.register.locked():
                self.finish()
                name, last = self._next(CertificateName(programme_id, scope, window_id, 1))
                before = (self.bundle(last.certificate), last) if last else None
            write_bundle(release, coming, name, project=project, exhibits=self.exhibits, before=before)
            seal(coming)
            facts = {
                "release": release.name,
                "programme_id": programme_id,
                "scope": scope,
                "window_id": window_id,
                "datapackage_sha256": sha256_file(coming / DATAPACKAGE),
            }
            with self.register.locked():
                if self._next(name) != (name, last):
                    raise StepRefused(f"拟制 {name} 时其前一版的登记有了变动，草案未写入。请重新拟制。")
                _put(coming, self.folder / DRAFTS / str(name))
                self._append(self.register.entries(), Event.DRAFTED, str(name), act, facts)
        return str(name)

    def preview(self, certificate: str, act: Act, *, days: int, packets: Callable[[Path, Path], int]) -> Preview:
        """Show it to hospitals: `packets` writes a folder for each of them and says how many there are."""
        with self._preparing() as coming:
            _refuse(self.history(certificate), Event.PREVIEWED)
            hospitals = packets(self.folder / DRAFTS / certificate, coming)
            closes = _end_of_day(self.clock() + timedelta(days=days))
            facts = {"closes": closes.isoformat(), "packets": hospitals}
            with self.register.locked():
                _refuse(self.history(certificate), Event.PREVIEWED)
                folder = _put(coming, self.folder / PACKETS / certificate)
                self._step(Event.PREVIEWED, certificate, act, facts)
        return Preview(closes, hospitals, folder)

    def query(self, certificate: str, act: Act, *, hospital_id: str, about: str, days: int) -> str:
        """A hospital asks; returns the number of the query, which must be ruled on within `days`."""
        with self.register.locked():
            history = self.history(certificate)
            if history.window_closes and self.clock() > history.window_closes:
                raise StepRefused(f"{certificate} 的异议期已于 {_day(history.window_closes)} 结束。")
            number = f"Q{len(history.queries) + 1}"
            due = _end_of_day(self.clock() + timedelta(days=days)).isoformat()
            facts = {"query": number, "hospital_id": hospital_id, "about": about, "due": due}
            self._step(Event.QUERIED, certificate, act, facts)
        return number

    def rule(self, certificate: str, act: Act, *, query: str, accepted: bool, changed_input: str = "") -> None:
        """Rule on a query. An accepted one names the input that is corrected, and calls for a new revision."""
        if accepted and not changed_input.strip():
            raise StepRefused("接受异议须写明更正的是哪一份输入（--input）。")
        with self.register.locked():
            asked = self.history(certificate).queries.get(query)
            if asked is None or not asked.is_open:
                raise StepRefused(f"{certificate} 没有待裁定的异议 {query}。")
            facts = {"query": query, "accepted": accepted, "changed_input": changed_input}
            self._step(Event.RULED, certificate, act, facts)

    def sign(self, certificate: str, signer: Signer, reason: str) -> PublicKey:
        """Add a signature; returns whose."""
        with self.register.locked():
            key = self._may(signer, Role.SIGNER)
            history = self.history(certificate)
            _refuse(history, Event.SIGNED)
            if any(entry.facts.get("key_id") == key.key_id for entry in history.entries):
                raise StepRefused(f"{key.name} 已经签署过 {certificate}。")
            folder = self.folder / DRAFTS / certificate
            self._require_intact(history, folder)
            (folder / ATTEST).mkdir(exist_ok=True)
            for name, envelope in self._envelopes(history, folder).items():
                write_durably(folder / name, envelope.signed_by(signer).to_bytes())
            self._step(Event.SIGNED, certificate, Act(key.name, reason), {"key_id": key.key_id})
        return key

    def issue(
        self, certificate: str, registrar: Signer, reason: str, *, override: str = "", timestamp: Path | None = None
    ) -> Path:
        """Issue it, in place of the revision before; returns its folder. `timestamp`: a token over the envelope."""
        with self.register.locked():
            key = self._may(registrar, Role.REGISTRAR)
            entries = self.register.entries()
            history = self.history(certificate)
            if history.standing is not Standing.ISSUED:
                folder = self.folder / DRAFTS / certificate
                _refuse(history, Event.ISSUED)
                self._require_intact(history, folder)
                self._require_ready(history, folder, override)
                (folder / TIMESTAMP).unlink(missing_ok=True)  # of an attempt that was killed
                if timestamp is not None:
                    shutil.copyfile(timestamp, folder / TIMESTAMP)
                attested = [name for name in (ENVELOPE, GATE_ENVELOPE, TIMESTAMP) if (folder / name).exists()]
                facts = {
                    "datapackage_sha256": sha256_file(folder / DATAPACKAGE),
                    "attest": {name: sha256_file(folder / name) for name in attested},
                    "supersedes": _superseded(entries, certificate),
                    "override": override,
                }
                self._append(entries, Event.ISSUED, certificate, Act(key.name, reason), facts, registrar)
            self.finish()
        return self.folder / certificate

    def supersede(self, certificate: str, by: str, registrar: Signer, reason: str) -> None:
        """Another certificate takes its place."""
        with self.register.locked():
            if self.history(by).standing is not Standing.ISSUED:
                raise StepRefused(f"{by} 不是有效的证书，不能取代 {certificate}。")
            key = self._may(registrar, Role.REGISTRAR)
            self._step(Event.SUPERSEDED, certificate, Act(key.name, reason), {"superseded_by": by}, registrar)

    def revoke(self, certificate: str, registrar: Signer, reason: str) -> None:
        """Take it back for good, issued or not."""
        with self.register.locked():
            key = self._may(registrar, Role.REGISTRAR)
            self._step(Event.REVOKED, certificate, Act(key.name, reason), {}, registrar)

    def pull(self, certificate: str, target: Path) -> Pulled:
        """Copy an issued certificate, the register and the public keys into a folder."""
        with self.register.locked():
            self.finish()
            folder = self.folder / certificate
            if self.history(certificate).last(Event.ISSUED) is None:
                raise StepRefused(f"{certificate} 尚未签发，不能取出。")
            return carry_away(folder, self.register.entries(), self.keyring, target)

    def finish(self) -> None:
        """Put in place what was registered as issued when a command was killed before it could do so."""
        with self.register.locked():
            entries = self.register.entries()
            for entry in entries:
                folder = self.folder / DRAFTS / entry.certificate
                if entry.event is Event.ISSUED and folder.exists():
                    copy = b"".join(each.line for each in entries[: entry.sequence])
                    write_durably(folder / REGISTER, copy)
                    seal(folder)
                    folder.rename(self.folder / entry.certificate)
                    sync_folder(self.folder)

    # --- what steps have in common

    @contextmanager
    def _preparing(self) -> Iterator[Path]:
        """An empty folder to lay out what takes its time, one at a time; the register stays free meanwhile."""
        from filelock import FileLock

        coming = self.folder / COMING
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / f"{COMING}.lock"):
            shutil.rmtree(coming, ignore_errors=True)  # of a step that was killed
            coming.mkdir()
            try:
                yield coming
            finally:
                shutil.rmtree(coming, ignore_errors=True)  # of a step that was refused

    def _next(self, name: CertificateName) -> tuple[CertificateName, History | None]:
        """Of any revision of a certificate: the one that may be drafted now, and the last that there is."""
        last = latest_revision(self.register.entries(), name)
        return _next_revision(last, name.revised(1)), last

    def _step(
        self, event: Event, certificate: str, act: Act, facts: dict[str, Any], registrar: Signer | None = None
    ) -> None:
        with self.register.locked():
            self.finish()
            _refuse(self.history(certificate), event)
            self._append(self.register.entries(), event, certificate, act, facts, registrar)

    def _append(
        self,
        entries: Sequence[Entry],
        event: Event,
        certificate: str,
        act: Act,
        facts: dict[str, Any],
        registrar: Signer | None = None,
    ) -> None:
        at = self.clock().astimezone(BEIJING).replace(microsecond=0)
        entry = following(entries, event, certificate, at=at, by=act.by, reason=act.reason, facts=facts)
        if registrar is None:
            self.register.append([entry])
            return
        entry = entry.signed_by(registrar)
        self.register.append([entry])
        # whoever gets the keyring from now on notices a register without this entry
        self.keyring.with_head(entry.head).write(self.folder / KEYRING)

    def _may(self, signer: Signer, role: Role) -> PublicKey:
        key = self.keyring.find(key_id(signer.public_key))
        if key is None:
            raise StepRefused("此密钥不在公钥册中。请先运行 zhuanke key add。")
        if fault := key.fault_of(role, self.clock()):
            raise StepRefused(f"{fault}。")
        return key

    def _require_intact(self, history: History, folder: Path) -> None:
        """What is signed must be what was drafted and previewed, to the byte."""
        package = _package(folder)
        if sha256_file(folder / DATAPACKAGE) != history.drafted.facts["datapackage_sha256"]:
            raise StepRefused(f"{history.certificate} 的 {DATAPACKAGE} 在拟制之后被改动过。请撤销后另行拟制。")
        for resource in package["resources"]:
            if digests(folder / resource["path"])["hash"] != resource["hash"]:
                raise StepRefused(f"{history.certificate} 的 {resource['path']} 在拟制之后被改动过。请撤销后另行拟制。")

    def _envelopes(self, history: History, folder: Path) -> dict[str, Envelope]:
        """What all signers sign, of the bundle and of the gate: made for the first, found by the others."""
        made: dict[str, Callable[[], bytes]] = {
            ENVELOPE: lambda: self._statement(history, folder),
            GATE_ENVELOPE: lambda: gate_statement(folder),
        }
        return {
            name: Envelope.read((folder / name).read_bytes())
            if (folder / name).exists()
            else Envelope.of(PAYLOAD_TYPE, make())
            for name, make in made.items()
        }

    def _statement(self, history: History, folder: Path) -> bytes:
        package, entries, drafted = _package(folder), self.register.entries(), history.drafted
        statement = Statement(
            subject=subjects_of(folder, package),
            predicate=Predicate(
                certificate=history.certificate,
                **{name: drafted.facts[name] for name in ("programme_id", "scope", "window_id", "release")},
                judged_sha256=json.loads((folder / "evidence" / VERDICT).read_bytes())["judged_hash"],
                drafted_by=drafted.by,
                register_head=entries[-1].head,
            ),
        )
        return statement.to_bytes()

    def _require_ready(self, history: History, folder: Path, override: str) -> None:
        """Signed by two people of whom one did not draft it, and nothing is open."""
        if accepted := [query.query_id for query in history.queries.values() if query.is_accepted]:
            raise StepRefused(
                f"异议 {'、'.join(accepted)} 已接受，数值须更正：请撤销 {history.certificate}，"
                "更正输入并重新发布后拟制下一版。"
            )
        pending = [f"异议 {query.query_id} 未裁定" for query in history.open_queries]
        if history.window_closes and self.clock() <= history.window_closes:
            pending.append(f"异议期至 {_day(history.window_closes)} 未满")
        if pending and not override.strip():
            raise StepRefused(f"{'；'.join(pending)}。确须提前签发时，用 --override 写明理由，理由随证书公布。")
        names = sorted(self._signers(history, folder))
        if len(names) < SIGNERS:
            raise StepRefused(f"须有 {SIGNERS} 人签署，现有 {len(names)} 人（{'、'.join(names) or '无'}）。")
        self._require_nothing_given_away(history.certificate, folder / PUBLIC)

    def _require_nothing_given_away(self, certificate: str, public: Path) -> None:
        """The draft minded the public editions issued until then; others may have been issued since."""
        from publishing.disclosure import DisclosureError, given_away

        if not (public / DATAPACKAGE).exists():
            return
        try:
            found = given_away(public, public_editions(self.folder))
        except DisclosureError as error:
            raise StepRefused(f"{error}。请撤销 {certificate} 后重新拟制。") from error
        if found:
            raise StepRefused(
                f"拟制之后签发的公开版隐去了 {len(found)} 个单元，本证书的公开版却公布其数值"
                f"（如机构 {found[0][0]}、专科 {found[0][1]}、指标 {found[0][2]}）。请撤销 {certificate} 后重新拟制。"
            )

    def _signers(self, history: History, folder: Path) -> set[str]:
        """Who signed, by register and envelope alike."""
        if not (folder / ENVELOPE).exists():
            return set()
        envelope, keyring = Envelope.read((folder / ENVELOPE).read_bytes()), self.keyring
        registered = {entry.facts["key_id"] for entry in history.entries if entry.event is Event.SIGNED}
        found = [(keyring.find(signature.keyid), signature.raw) for signature in envelope.signatures]
        message = pae(envelope.payloadType, envelope.body)
        return {key.name for key, raw in found if key and key.key_id in registered and key.verifies(message, raw)}


def _next_revision(last: History | None, name: CertificateName) -> CertificateName:
    if last is None:
        return name
    if last.standing in (Standing.DRAFT, Standing.PREVIEW):
        raise StepRefused(f"{last.certificate} 尚未签发。请先签发，或撤销后再拟制下一版。")
    return name.revised(CertificateName.parse(last.certificate).revision + 1)


def _put(coming: Path, folder: Path) -> Path:
    """What was prepared comes to its place, where nothing counts that a killed step left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    coming.rename(folder)
    sync_folder(folder.parent)
    return folder


def _superseded(entries: Sequence[Entry], certificate: str) -> list[str]:
    """The earlier revisions that stand until now."""
    name = CertificateName.parse(certificate)
    return [
        other
        for other, history in histories(entries).items()
        if history.standing is Standing.ISSUED
        and CertificateName.parse(other).revised(name.revision) == name
        and other != certificate
    ]


def _refuse(history: History, event: Event) -> None:
    if told := history.refusal(event):
        raise StepRefused(f"{told}。")


def _package(folder: Path) -> dict[str, Any]:
    package: dict[str, Any] = json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))
    return package


def _end_of_day(moment: datetime) -> datetime:
    return moment.astimezone(BEIJING).replace(hour=23, minute=59, second=59, microsecond=0)


def _day(moment: datetime) -> str:
    return moment.astimezone(BEIJING).date().isoformat()
