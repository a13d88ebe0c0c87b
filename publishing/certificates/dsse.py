"""DSSE: an envelope that carries bytes, their type, and signatures over both.

Belongs here: the envelope of the specification (protocol 1.0), written in one form only. Does not belong here: what the
bytes say (`statement`), whose signatures count (`keyring`).
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Self

from pydantic import AfterValidator

from expectations.frozen import Frozen
from publishing.certificates.canonical import NotCanonical, canonical, read_canonical
from publishing.certificates.keys import Signer, key_id


def unbase64(text: str) -> bytes:
    """Strictly: the only text that encodes to these bytes."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotCanonical("不是 Base64") from error
    if base64.b64encode(raw).decode() != text:
        raise NotCanonical("Base64 写法不唯一")
    return raw


def _strictly(text: str) -> str:
    unbase64(text)
    return text


Base64 = Annotated[str, AfterValidator(_strictly)]


class Signature(Frozen):
    """One signature; `keyid` is a hint which key to try, not itself signed."""

    keyid: str
    sig: Base64

    @property
    def raw(self) -> bytes:
        """The bytes of the signature."""
        return unbase64(self.sig)


class Envelope(Frozen):
    """A payload, its type and any number of signatures."""

    payloadType: str  # noqa: N815  the specification's spelling
    payload: Base64
    signatures: tuple[Signature, ...]

    @classmethod
    def of(cls, payload_type: str, payload: bytes) -> Self:
        """An envelope that nobody signed yet."""
        return cls(payloadType=payload_type, payload=base64.b64encode(payload).decode(), signatures=())

    @classmethod
    def read(cls, content: bytes) -> Self:
        """From a file; another spelling of the same envelope is refused, so that no byte of a file is free."""
        return cls.model_validate(read_canonical(content))

    def to_bytes(self) -> bytes:
        """The one form in which an envelope is written."""
        return canonical(self.model_dump(mode="json"))

    @property
    def body(self) -> bytes:
        """The bytes that are signed for."""
        return unbase64(self.payload)

    def signed_by(self, signer: Signer) -> Self:
        """With one more signature; a key signs once."""
        name = key_id(signer.public_key)
        others = [signature for signature in self.signatures if signature.keyid != name]
        signed = base64.b64encode(signer.sign(pae(self.payloadType, self.body))).decode()
        signatures = sorted([*others, Signature(keyid=name, sig=signed)], key=lambda signature: signature.keyid)
        return self.model_copy(update={"signatures": tuple(signatures)})


def pae(payload_type: str, body: bytes) -> bytes:
    """The pre-authentication encoding: exactly what a signature covers."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)
