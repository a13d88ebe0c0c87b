"""SM2 (GM/T 0003) by GmSSL: signatures, and key files that OpenSSL reads as well.

Belongs here: what `cryptography` cannot do because it does not know the curve. Does not belong here: anything that
Ed25519 needs too (`keys`).

All parts of the DER structures have fixed lengths, so a structure is written by filling a pattern and read by cutting
it where it was filled.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass

PUBLIC_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")

_Pattern = tuple[str | int, ...]  # constant bytes in hex, or the length of a part
# PKCS #8 PrivateKeyInfo on the curve sm2p256v1: private number, public point
_PRIVATE: _Pattern = (
    "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420",
    32,
    "a14403420004",
    64,
)
# EncryptedPrivateKeyInfo, PBES2 with PBKDF2-HMAC-SHA256 (600,000 rounds) and AES-256-CBC: salt, vector, content
_SEALED: _Pattern = (
    "3081f5306006092a864886f70d01050d3053303206092a864886f70d01050c30250410",
    16,
    "02030927c0300c06082a864886f70d02090500301d060960864801650304012a0410",
    16,
    "048190",
    144,
)
_ROUNDS = 600_000
_BEGIN, _END = "-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----"


@dataclass(frozen=True)
class SM2Key:
    """Signs with the identity 1234567812345678, which GM/T 0009 prescribes where no other was agreed."""

    private: bytes
    point: bytes

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return PUBLIC_HEAD + self.point

    def sign(self, message: bytes) -> bytes:
        """A DER signature over SM3 of identity, curve, key and message."""
        from gmssl_pyx import sm2_sign

        return bytes(sm2_sign(self.private, self.point, message))


def verify(point: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the private half of this point signed these bytes."""
    from gmssl_pyx import GmsslInnerError, sm2_verify

    try:
        return bool(sm2_verify(point, message, signature))
    except GmsslInnerError:  # not even the shape of a signature
        return False


def new(passphrase: bytes) -> tuple[SM2Key, bytes]:
    """A new key, and what its file holds."""
    from gmssl_pyx import sm2_key_generate

    point, private = sm2_key_generate()
    salt, vector = os.urandom(16), os.urandom(16)
    content = _cipher(passphrase, salt, vector, _fill(_PRIVATE, private, point), encrypt=True)
    text = base64.b64encode(_fill(_SEALED, salt, vector, content)).decode()
    lines = [_BEGIN, *(text[start : start + 64] for start in range(0, len(text), 64)), _END]
    return SM2Key(private, point), "".join(f"{line}\n" for line in lines).encode()


def read(sealed: bytes, passphrase: bytes) -> SM2Key | None:
    """The key in a file, None if the file holds no SM2 key; raises ValueError for a wrong passphrase."""
    first, *lines, last = sealed.decode(errors="replace").splitlines() or ["", ""]
    try:
        parts = _cut(_SEALED, base64.b64decode("".join(lines), validate=True))
    except binascii.Error:
        return None
    if parts is None or (first, last) != (_BEGIN, _END):
        return None
    salt, vector, content = parts
    opened = _cut(_PRIVATE, _cipher(passphrase, salt, vector, content, encrypt=False))
    if opened is None:
        raise ValueError("passphrase")
    return SM2Key(*opened)


def _fill(pattern: _Pattern, *parts: bytes) -> bytes:
    given = iter(parts)
    return b"".join(next(given) if isinstance(place, int) else bytes.fromhex(place) for place in pattern)


def _cut(pattern: _Pattern, der: bytes) -> list[bytes] | None:
    """The parts, None if these bytes are not of the pattern."""
    parts, at = [], 0
    for place in pattern:
        size = place if isinstance(place, int) else len(place) // 2
        if isinstance(place, int):
            parts.append(der[at : at + size])
        at += size
    return parts if len(der) == at and _fill(pattern, *parts) == der else None


def _cipher(passphrase: bytes, salt: bytes, vector: bytes, content: bytes, *, encrypt: bool) -> bytes:
    from cryptography.hazmat.primitives import hashes, padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    key = PBKDF2HMAC(hashes.SHA256(), 32, salt, _ROUNDS).derive(passphrase)
    cipher, pad = Cipher(algorithms.AES256(key), modes.CBC(vector)), padding.PKCS7(128)
    if encrypt:
        padder, encryptor = pad.padder(), cipher.encryptor()
        padded = padder.update(content) + padder.finalize()
        return encryptor.update(padded) + encryptor.finalize()
    unpadder, decryptor = pad.unpadder(), cipher.decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()
