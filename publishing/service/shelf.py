"""The shelf: which certificates are there, which files belong to them, and whether those are still as issued.

Belongs here: finding bundles and their files on disk. Does not belong here: numbers, who may read them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from publishing.manifest import DATAPACKAGE, digests

CERTIFICATE_ID = (
    r"CERT-(?P<programme_id>[a-z0-9_]+)-(?P<scope>[A-Za-z0-9.]+)-(?P<window_id>\d{4}(?:-\d{4})?)-r(?P<revision>\d+)"
)


class NotOnShelf(Exception):
    """There is no such certificate, file or row; the text says in Chinese which."""


class NotAsIssued(Exception):
    """A file is not what the certificate says; it is not handed out."""


@dataclass(frozen=True)
class Certificate:
    """An issued bundle."""

    certificate_id: str
    folder: Path
    programme_id: str
    scope: str
    window_id: str
    revision: int

    @property
    def data(self) -> Path:
        """Its marts."""
        return self.folder / "data"

    @property
    def cases(self) -> Path:
        """Its case lists; beside the bundle, because not everybody who holds it may read them."""
        return self.folder.with_name(f"{self.certificate_id}.cases")

    @property
    def public(self) -> Path:
        """Its public edition."""
        return self.folder.with_name(f"{self.certificate_id}-public")


@dataclass(frozen=True)
class Shelf:
    """The folder of certificates of an installation."""

    folder: Path

    def certificates(self) -> list[Certificate]:
        """All issued certificates by programme, scope, window, the newest revision first."""
        found = [self._certificate(path.parent) for path in self.folder.glob(f"CERT-*/{DATAPACKAGE}")]
        return sorted(filter(None, found), key=lambda one: (one.programme_id, one.scope, one.window_id, -one.revision))

    def find(self, certificate_id: str) -> Certificate:
        """One certificate; only what is listed can be found, so that no path gets in by an id."""
        for certificate in self.certificates():
            if certificate.certificate_id == certificate_id:
                return certificate
        raise NotOnShelf("没有这份证书")

    def _certificate(self, folder: Path) -> Certificate | None:
        parts = re.fullmatch(CERTIFICATE_ID, folder.name)
        if parts is None:
            return None
        return Certificate(
            certificate_id=folder.name,
            folder=folder,
            programme_id=parts["programme_id"],
            scope=parts["scope"],
            window_id=parts["window_id"],
            revision=int(parts["revision"]),
        )


def package(folder: Path) -> dict[str, Any]:
    """What a bundle says of itself."""
    document: dict[str, Any] = json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))
    return document


def described_file(folder: Path, path: str) -> tuple[Path, dict[str, Any]]:
    """A file that the bundle's description lists, and its description, if its bytes are those described."""
    described = next((one for one in package(folder)["resources"] if one["path"] == path), None)
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
