"""What tests of certificates share: a release takes seconds to make, so it is made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from certificates import Desk, home_with_release, public_key, small_bundle

from publishing.certificates import lifecycle
from publishing.certificates.keyring import Keyring, Role
from publishing.certificates.keys import new_key


@pytest.fixture(scope="session")
def pristine_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A home with a release and a keyring, nothing drafted; to be copied."""
    folder = tmp_path_factory.mktemp("desk")
    passphrase = "春眠不觉晓处处闻啼鸟夜来"
    algorithms = {"甲": "ed25519", "乙": "sm2", "丙": "ed25519"}
    signers = {
        name: new_key(folder / f"{name}.pem", algorithm, passphrase)  # type: ignore[arg-type]
        for name, algorithm in algorithms.items()
    }
    desk = Desk(home_with_release(folder / "home"), signers)
    keyring = Keyring()
    for name, signer in signers.items():
        keyring = keyring.with_key(public_key(signer, name, Role.REGISTRAR if name == "丙" else Role.SIGNER))
    keyring.write(desk.keyring)
    return desk


@pytest.fixture
def full_desk(pristine_desk: Desk, tmp_path: Path) -> Desk:
    """A copy of the pristine home, where bundles are what they are."""
    return pristine_desk.copy(tmp_path / "home")


@pytest.fixture
def desk(pristine_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A home without a release, where bundles have two files: for all that is not about what a bundle holds."""
    monkeypatch.setattr(lifecycle, "write_bundle", small_bundle)
    monkeypatch.setattr(lifecycle, "verify_release", lambda _: [])
    small = Desk(tmp_path / "home", pristine_desk.signers)
    small.keyring.parent.mkdir(parents=True)
    shutil.copy(pristine_desk.keyring, small.keyring)
    return small


@pytest.fixture(scope="session")
def issued_desk(pristine_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A home with one issued certificate; not to be changed."""
    desk = pristine_desk.copy(tmp_path_factory.mktemp("issued") / "home")
    desk.issued()
    return desk
