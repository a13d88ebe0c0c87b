"""Keyed pseudonyms: what stands in for a patient once the identifiers are gone.

Belongs here: the key and the pseudonym function.  What is dropped is said by the contracts; what is derived before
dropping by :mod:`sources.hqms`.

The identity space of record and identity numbers is small enough to enumerate, so an unkeyed hash would be
reversible.  The pseudonym is HMAC-SM3 (GB/T 32905) under a key that lives outside the repository and the data home,
truncated to 128 bits, as 32 lower-case hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

KEY_BYTES = 32
PSEUDONYM_DIGITS = 32
_BLOCK_BYTES = 64  # of SM3


class KeyProblem(Exception):
    """The pseudonym key is missing, malformed or open to others; the message (Chinese) says what to do."""


def new_key(path: Path) -> None:
    """Write a fresh random key, readable by its owner only; an existing key is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
    except FileExistsError:
        raise KeyProblem(
            f"密钥文件已存在，不会覆盖：{path}。换密钥会使新旧假名无法对应，请先备份并另指路径。"
        ) from None


def load_key(path: Path) -> bytes:
    """Read the key; refuses a missing or malformed file and one that group or others may read."""
    if not path.is_file():
        raise KeyProblem(
            f"找不到假名密钥：{path}。请运行 zhuanke key pseudonym，或用 ZHUANKE_PSEUDONYM_KEY_FILE 指定。"
        )
    if path.stat().st_mode & 0o077:
        raise KeyProblem(f"假名密钥可被他人读取：{path}。请运行 chmod 600 收紧权限。")
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyProblem(f"假名密钥格式不对：{path} 应为 {KEY_BYTES * 2} 位十六进制数。")
    return key


def key_id(key: bytes) -> str:
    """A name for the key that does not reveal it: receipts carry it so that pseudonyms of two keys never mix."""
    (name,) = pseudonymiser(key, "key-id")(["zhuanke"])
    return str(name)[:12]


def pseudonymiser(key: bytes, domain: str) -> Callable[[Iterable[str | None]], list[str | None]]:
    """A function from identity texts to pseudonyms; equal texts of different domains get different pseudonyms."""
    # RFC 2104 with both keyed states prepared once: half the time of a new HMAC object for every text
    fitting = key if len(key) <= _BLOCK_BYTES else hashlib.new("sm3", key).digest()
    padded = fitting.ljust(_BLOCK_BYTES, b"\0")
    inner = hashlib.new("sm3", bytes(byte ^ 0x36 for byte in padded) + f"{domain}\0".encode())
    outer = hashlib.new("sm3", bytes(byte ^ 0x5C for byte in padded))

    def pseudonyms(texts: Iterable[str | None]) -> list[str | None]:
        result: list[str | None] = []
        for text in texts:
            if text is None:
                result.append(None)
                continue
            within = inner.copy()
            within.update(text.encode())
            mac = outer.copy()
            mac.update(within.digest())
            result.append(mac.hexdigest()[:PSEUDONYM_DIGITS])
        return result

    return pseudonyms
