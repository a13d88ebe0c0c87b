"""The shelf: which certificates were issued, which files belong to them, and whether those are still as issued.

Belongs here: finding bundles and their files on disk, by the register. Does not belong here: numbers, who may
read them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from publishing.certificates.gate_statement import GATE_ENVELOPE
from publishing.certificates.history import History, histories
from publishing.certificates.names import CertificateName
from publishing.certificates.register import REGISTER, Event, Register
from publishing.certificates.statement import ENVELOPE, TIMESTAMP
from publishing.manifest import DATAPACKAGE, digests

# what a bundle holds beside the files that its data package lists: bound by signatures and register instead
BOUND = {DATAPACKAGE: "数据包清单", REGISTER: "登记册副本（签发时）"}
ATTESTED = {ENVELOPE: "签名（DSSE）：全部文件", GATE_ENVELOPE: "签名（DSSE）：质量门裁决", TIMESTAMP: "时间戳令牌"}


class NotOnShelf(Exception):
    """There is no such certificate, file or row; the text says in Chinese which."""


class NotAsIssued(Exception):
    """A file is not what the certificate says; it is not handed out."""


@dataclass(frozen=True)
class Certificate:
    """An issued bundle."""

    certificate_id: str
    folder: Path

    @property
    def name(self) -> CertificateName:
        """Its name, taken apart."""
        return CertificateName.parse(self.certificate_id)

    @property
    def data(self) -> Path:
        """Its marts."""
        return self.folder / "data"

    @property
    def cases(self) -> Path:
        """Its case lists; beside the bundle, because not everybody who holds it may read them."""
        return self.folder.with_name(f"{self.certificate_id}.cases")


@dataclass(frozen=True)
class Shelf:
    """The folder of certificates of an installation."""

    folder: Path

    def certificates(self) -> list[Certificate]:
        """All that were ever issued and are still there, by programme, scope and window, the newest revision first."""
        issued = [history for history in self._histories().values() if history.last(Event.ISSUED)]
        found = [Certificate(history.certificate, self.folder / history.certificate) for history in issued]
        found.sort(key=lambda one: (*_series(one.name), -one.name.revision))
        return [one for one in found if (one.folder / DATAPACKAGE).is_file()]

    def find(self, certificate_id: str) -> Certificate:
        """One certificate; only what is listed can be found, so that no path gets in by an id."""
        for certificate in self.certificates():
            if certificate.certificate_id == certificate_id:
                return certificate
        raise NotOnShelf("没有这份证书")

    def history(self, certificate: Certificate) -> History:
        """What the register says of it today."""
        return self._histories()[certificate.certificate_id]

    def _histories(self) -> dict[str, History]:
        register = self.folder / REGISTER
        if not register.exists():
            return {}
        state = register.stat()
        return _read_register(register, state.st_mtime_ns, state.st_size)


def _series(name: CertificateName) -> tuple[str, str, str]:
    return name.programme_id, name.scope, name.window_id


@lru_cache(maxsize=8)
def _read_register(register: Path, _mtime_ns: int, _size: int) -> dict[str, History]:
    """The register, read again when it has grown."""
    return histories(Register(register).entries())


# --- files


def package(folder: Path) -> dict[str, Any]:
    """What a bundle says of itself."""
    document: dict[str, Any] = json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))
    return document


def files(folder: Path) -> list[dict[str, Any]]:
    """Every file of a bundle, described: those of the data package, and those that are bound otherwise."""
    bound = [
        {
            "path": path,
            "title": title,
            "mediatype": "application/timestamp-reply" if path == TIMESTAMP else "application/json",
            **digests(folder / path),
        }
        for path, title in sorted({**BOUND, **ATTESTED}.items())
        if (folder / path).is_file()
    ]
    return bound + [dict(one) for one in package(folder)["resources"]]


def described_file(folder: Path, path: str) -> tuple[Path, dict[str, Any]]:
    """A file of a bundle, and its description, if its bytes are those described."""
    described = next((one for one in files(folder) if one["path"] == path), None)
    file = folder / path
    if described is None:
        raise NotOnShelf("证书里没有这个文件")
    if not file.is_file() or file.is_symlink() or not file.resolve().is_relative_to(folder.resolve()):
        raise NotAsIssued(f"{path} 缺失或不在证书文件夹内，请核验证书")
    state = file.stat()
    if _sha256(file, state.st_mtime_ns, state.st_size) != described["hash"]:
        raise NotAsIssued(f"{path} 与证书清单不符，不予提供；请核验证书")
    return file, described


@lru_cache(maxsize=1024)
def _sha256(file: Path, _mtime_ns: int, _size: int) -> str:
    """The hash of a file, read again when its time or size has changed."""
    return str(digests(file)["hash"])
