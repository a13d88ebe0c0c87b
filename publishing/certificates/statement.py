"""What signers sign: an in-toto Statement that names every file of a bundle and what the certificate is.

Belongs here: the statement's shape, made from a bundle and read back. Does not belong here: signatures (`dsse`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from expectations.frozen import Frozen
from publishing.certificates.canonical import canonical, read_canonical
from publishing.certificates.keyring import Head
from publishing.manifest import DATAPACKAGE, digests

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
ATTEST = "attest"
ENVELOPE = f"{ATTEST}/certificate.dsse.json"
# an RFC 3161 token over the envelope, from a service of the commission's choice; kept, and not interpreted here
TIMESTAMP = f"{ATTEST}/certificate.dsse.json.tsr"


class Digest(Frozen):
    """Of one file."""

    sha256: str
    sm3: str


class Subject(Frozen):
    """A file of the bundle, by its path in it."""

    name: str
    digest: Digest


class Predicate(Frozen):
    """What is stated about the files."""

    certificate: str
    programme_id: str
    scope: str
    window_id: str
    release: str
    judged_sha256: str = Field(description="what the gate judged and let through")
    drafted_by: str
    register_head: Head = Field(description="the register when the first signer signed")


class Statement(Frozen):
    """An in-toto Statement v1 whose predicate is ours."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    predicateType: Literal["urn:zhuanke:certificate:v1"] = "urn:zhuanke:certificate:v1"  # noqa: N815
    subject: tuple[Subject, ...]
    predicate: Predicate

    @classmethod
    def read(cls, body: bytes) -> Statement:
        """From an envelope."""
        return cls.model_validate(read_canonical(body))

    def to_bytes(self) -> bytes:
        """For an envelope."""
        return canonical(self.model_dump(mode="json"))


def subjects_of(folder: Path, package: dict[str, Any]) -> tuple[Subject, ...]:
    """The data package and every file that it lists, by name; their digests as the data package has them."""
    listed = {
        resource["path"]: Digest(sha256=resource["hash"].removeprefix("sha256:"), sm3=resource["sm3"])
        for resource in package["resources"]
    }
    own = digests(folder / DATAPACKAGE)
    listed[DATAPACKAGE] = Digest(sha256=own["hash"].removeprefix("sha256:"), sm3=own["sm3"])
    return tuple(Subject(name=name, digest=listed[name]) for name in sorted(listed))
