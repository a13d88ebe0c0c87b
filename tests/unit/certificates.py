"""A home with a published release of hand-made marts, keys for three people, and what a certificate needs of both.

Tests of certificates start from here; nothing of it is slow but the first release, which is copied.
"""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hand_made_marts import specs, warehouse

from expectations.content import content_hash
from expectations.frozen import Severity
from expectations.verdict import Result, Status, Verdict, VerdictStore, judged_by
from publishing.certificates.bundle import HASHED_RULES, RULES
from publishing.certificates.keyring import KEYRING, Keyring, PublicKey, Role
from publishing.certificates.keys import Signer, algorithm_of, key_id
from publishing.certificates.lifecycle import Act, Office
from publishing.certificates.register import REGISTER
from publishing.certificates.verification import Verification, verify_bundle
from publishing.export import export_marts
from publishing.manifest import DATAPACKAGE, canonical, data_package
from publishing.provenance import folder_hash
from publishing.release import publish

PROGRAMME, WINDOW = "national_2021", "2023"
NAME = f"CERT-{PROGRAMME}-all-{WINDOW}-r1"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MORNING = date(2026, 1, 1)


@dataclass
class Clock:
    """Stands still until told otherwise."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


def no_exhibits(*_: object) -> None:
    """Forms and report have tests of their own; here they would only cost time."""


def no_packets(_: Path, target: Path) -> int:
    """In place of a folder per hospital."""
    (target / "H1").mkdir()
    return 1


def small_bundle(_: Path, target: Path, name: object, **__: object) -> None:
    """In place of a bundle: the evidence that a signature rests on."""
    (target / "evidence").mkdir()
    verdict = '{"judged_by": "11", "judged_hash": "00", "results": []}'
    (target / "evidence" / "verdict.json").write_text(verdict, encoding="utf-8")
    (target / "evidence" / "release.json").write_text("{}", encoding="utf-8")
    evidence = {"evidence/verdict.json": "裁决", "evidence/release.json": "清单"}
    package = data_package(target, str(name), [], evidence, {"notices": []})
    (target / DATAPACKAGE).write_bytes(canonical(package))


@dataclass
class Desk:
    """A data home, the people who certify in it, and a clock."""

    root: Path
    signers: dict[str, Signer]
    clock: Clock = field(default_factory=Clock)

    @property
    def office(self) -> Office:
        return Office(self.root, self.clock, exhibits=no_exhibits)

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def keyring(self) -> Path:
        return self.root / "certified" / KEYRING

    @property
    def register(self) -> Path:
        return self.root / "certified" / REGISTER

    def draft(self, scope: str = "all") -> str:
        act = Act("拟制人", "年度评价")
        return self.office.draft(self.root / "current", PROGRAMME, scope, WINDOW, act, project=self.project)

    def preview(self, certificate: str = NAME) -> None:
        self.office.preview(certificate, Act("拟制人", "公示"), days=7, packets=no_packets)

    def ready(self, certificate: str = NAME) -> None:
        """Drafted, previewed, the window over, signed by two."""
        assert self.draft() == certificate
        self._signed(certificate)

    def _signed(self, certificate: str) -> None:
        self.preview(certificate)
        self.clock.pass_days(8)
        for name in ("甲", "乙"):
            self.office.sign(certificate, self.signers[name], "核对无误")

    def issued(self, certificate: str = NAME) -> Path:
        assert self.draft() == certificate
        return self.issued_after_draft(certificate)

    def issued_after_draft(self, certificate: str = NAME) -> Path:
        self._signed(certificate)
        return self.office.issue(certificate, self.signers["丙"], "同意签发")

    def verify(self, folder: Path, register: Path | None = None) -> Verification:
        return verify_bundle(folder, Keyring.read(self.keyring), register)

    def copy(self, root: Path) -> Desk:
        shutil.copytree(self.root, root, symlinks=True)
        return Desk(root, self.signers, Clock(self.clock.now))


def public_key(signer: Signer, name: str, *roles: Role, until: date = date(2030, 12, 31)) -> PublicKey:
    """The line of a keyring for a person."""
    return PublicKey(
        key_id=key_id(signer.public_key),
        algorithm=algorithm_of(signer.public_key),
        public_key=base64.b64encode(signer.public_key).decode(),
        name=name,
        organisation="某省卫生健康委",
        roles=roles,
        valid_from=MORNING,
        valid_to=until,
        added_by="管理员",
        reason="任命",
    )


def home_with_release(root: Path) -> Path:
    """A home whose readers use R1, and beside it a project with rules."""
    for folder in RULES:
        (root / "project" / folder).mkdir(parents=True)
        (root / "project" / folder / "rule.sql").write_text(f"select '{folder}'\n", encoding="utf-8")
    publish_marts(root, "R1")
    return root


def publish_marts(root: Path, release_id: str, *changes: str) -> None:
    """The marts after the changes, judged and published."""
    source = {
        "dataset": "hospital",
        "source_sha256": "ab" * 32,
        "source_sm3": "cd" * 32,
        "slices": [["H1", "2023-01"]],
        "landed": [{"path": "landing/hospital/abc.parquet", "sha256": "ef" * 32}],
    }
    candidate, verdicts = root / "work" / release_id, VerdictStore(root / "verdicts")
    export_marts(warehouse(root / f"{release_id}.duckdb", *changes), candidate, specs())
    passed = Result(id="check", title_zh="检查", dataset="d", severity=Severity.CRITICAL, status=Status.PASSED)
    verdicts.save(Verdict.of(content_hash(candidate), judged_by(), [passed]))
    publish(
        candidate,
        releases=root / "releases",
        current=root / "current",
        verdicts=verdicts,
        provenance={
            "code": {"folders": {folder: folder_hash(root / "project" / folder) for folder in HASHED_RULES}},
            "switches": {},
            "editions": {},
            "schemes": [],
            "inputs": [source],
        },
        release_id=release_id,
    )
