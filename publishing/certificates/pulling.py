"""What an evaluator carries away: the bundle, and beside it the register of today and the public keys.

Belongs here: the layout of that folder, writing and finding it. Does not belong here: checking it (`verification`).

    <folder>/<certificate>/     the bundle
    <folder>/register.jsonl     the register as it stood when it was pulled
    <folder>/keyring.json       public keys, and the place in the register that must not be missing
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from expectations.verdict import write_durably
from publishing.certificates.keyring import KEYRING, Keyring
from publishing.certificates.register import REGISTER, Entry
from publishing.manifest import DATAPACKAGE


class NothingToVerify(RuntimeError):
    """There is no certificate, or no keyring to hold it against; the text says in Chinese what to give."""


@dataclass(frozen=True)
class Pulled:
    """Where the three things are."""

    bundle: Path
    keyring: Path
    register: Path | None


def carry_away(bundle: Path, register: list[Entry], keyring: Keyring, target: Path) -> Pulled:
    """Copy the three into a folder; a bundle that is there already is replaced as a whole."""
    target.mkdir(parents=True, exist_ok=True)
    coming, place = target / f".{bundle.name}", target / bundle.name
    for old in (coming, place):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(bundle, coming)
    coming.rename(place)
    write_durably(target / REGISTER, b"".join(entry.line for entry in register))
    keyring.with_head(register[-1].head).write(target / KEYRING)
    return Pulled(place, target / KEYRING, target / REGISTER)


def find(folder: Path, keyring: Path | None, register: Path | None) -> Pulled:
    """The certificate in a pulled folder, or a bundle itself, with what lies beside it where nothing else is given."""
    bundle = folder
    if not (folder / DATAPACKAGE).exists():
        inside = sorted(path.parent for path in folder.glob(f"*/{DATAPACKAGE}"))
        if len(inside) > 1:
            raise NothingToVerify(f"{folder} 中有 {len(inside)} 份证书，请指明其中一份的文件夹。")
        bundle = inside[0] if inside else folder
    beside = bundle.absolute().parent
    keyring = keyring or beside / KEYRING
    if not keyring.exists():
        raise NothingToVerify("没有公钥册。请用 --keyring 给出发证单位的公钥册（keyring.json）。")
    if register is None and (beside / REGISTER).exists():
        register = beside / REGISTER
    return Pulled(bundle, keyring, register)
