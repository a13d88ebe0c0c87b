"""Private and public keys: Ed25519 and SM2 behind one interface.

Belongs here: making, keeping, reading a key; signing and checking bytes with it. Does not belong here: SM2's own
structures (`sm2`), whose key it is and what it may sign (`keyring`), what is signed (`dsse`).

A private key lies in a file of its own, PKCS #8 encrypted under a passphrase, readable by its owner only. A public key
is its SubjectPublicKeyInfo (DER), and a key's id is the start of that one's SHA-256.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from publishing.certificates import sm2

Algorithm = Literal["ed25519", "sm2"]

SHORTEST_PASSPHRASE = 12
# SubjectPublicKeyInfo is a constant head and the point: 32 bytes, or 64 after the 04 of an uncompressed point
_HEADS: dict[Algorithm, tuple[bytes, int]] = {
    "ed25519": (bytes.fromhex("302a300506032b6570032100"), 32),
    "sm2": (sm2.PUBLIC_HEAD, 64),
}


class KeyProblem(RuntimeError):
    """A key cannot be made, read or used; the text says in Chinese why and what to do."""


class Signer(Protocol):
    """A private key in memory."""

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature of these bytes."""
        ...


def key_id(public_key: bytes) -> str:
    """The name of a key in envelopes, register and keyring."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def algorithm_of(public_key: bytes) -> Algorithm:
    """Which algorithm a public key is for."""
    for algorithm, (head, size) in _HEADS.items():
        if public_key.startswith(head) and len(public_key) == len(head) + size:
            return algorithm
    raise KeyProblem("公钥既不是 Ed25519 也不是 SM2（须为 SubjectPublicKeyInfo）。")


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the private half of this key signed these bytes."""
    algorithm = algorithm_of(public_key)
    point = public_key[len(_HEADS[algorithm][0]) :]
    return (_verify_ed25519 if algorithm == "ed25519" else sm2.verify)(point, message, signature)


def _verify_ed25519(point: bytes, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(point).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True)
class _Ed25519:
    private: bytes
    public: bytes

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return _HEADS["ed25519"][0] + self.public

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.private).sign(message)


# --- key files


def new_key(path: Path, algorithm: Algorithm, passphrase: str) -> Signer:
    """Make a key and keep it under a passphrase; an existing file is never overwritten."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise KeyProblem(f"口令太短：至少 {SHORTEST_PASSPHRASE} 个字符。")
    signer, sealed = (_new_ed25519 if algorithm == "ed25519" else sm2.new)(passphrase.encode())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyProblem(f"已有密钥文件 {path}，绝不覆盖。请换一个文件名。") from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(sealed)
        stream.flush()
        os.fsync(stream.fileno())
    return signer


def load_key(path: Path, passphrase: str) -> Signer:
    """Read a key from its file."""
    try:
        sealed = path.read_bytes()
    except OSError as error:
        raise KeyProblem(f"无法读取密钥文件 {path}：{error.strerror}。") from error
    if path.stat().st_mode & 0o077:
        raise KeyProblem(f"密钥文件 {path} 他人可读。请执行 chmod 600，并考虑更换密钥。")
    try:
        return sm2.read(sealed, passphrase.encode()) or _open_ed25519(sealed, passphrase.encode())
    except ValueError:
        raise KeyProblem(f"无法打开密钥文件 {path}：口令不对，或文件不是 zhuanke key new 所写。") from None


def _new_ed25519(passphrase: bytes) -> tuple[Signer, bytes]:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    sealed = private.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(passphrase)
    )
    return _Ed25519(private.private_bytes_raw(), private.public_key().public_bytes_raw()), sealed


def _open_ed25519(sealed: bytes, passphrase: bytes) -> Signer:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(sealed, passphrase)
    except (TypeError, UnsupportedAlgorithm) as error:  # not encrypted, or of another make
        raise ValueError from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(type(private).__name__)
    return _Ed25519(private.private_bytes_raw(), private.public_key().public_bytes_raw())
