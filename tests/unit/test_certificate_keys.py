"""Keys and envelopes: published vectors, a second implementation, what a key file refuses."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from certificates import public_key
from pydantic import ValidationError

from publishing.certificates import sm2
from publishing.certificates.canonical import NotCanonical, canonical, read_canonical
from publishing.certificates.dsse import Envelope, pae
from publishing.certificates.keyring import Head, Keyring, Role
from publishing.certificates.keys import Algorithm, KeyProblem, key_id, load_key, new_key, verify

PASSPHRASE = "correct horse battery"
ALGORITHMS: tuple[Algorithm, ...] = ("ed25519", "sm2")

# GM/T 0003.5, appendix A: the recommended curve, identity 1234567812345678
POINT = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
R = bytes.fromhex("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3")
S = bytes.fromhex("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA")
# RFC 8032, 7.1, test 2
ED25519_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
ED25519_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def openssl(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)


def test_published_sm2_signature_is_accepted_and_no_other() -> None:
    signature = bytes.fromhex("30460221 00") + R + bytes.fromhex("0221 00") + S
    assert verify(sm2.PUBLIC_HEAD + POINT, b"message digest", signature)
    assert not verify(sm2.PUBLIC_HEAD + POINT, b"message digesT", signature)
    assert not verify(sm2.PUBLIC_HEAD + POINT, b"message digest", signature[:-1] + b"\0")
    assert not verify(sm2.PUBLIC_HEAD + POINT, b"message digest", b"no signature")


def test_published_ed25519_signature_is_accepted_and_no_other() -> None:
    public = bytes.fromhex("302a300506032b6570032100") + ED25519_PUBLIC
    assert verify(public, b"\x72", ED25519_SIGNATURE)
    assert not verify(public, b"\x73", ED25519_SIGNATURE)


def test_openssl_accepts_our_sm2_signatures_and_we_accept_its(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    signer = new_key(key, "sm2", PASSPHRASE)
    message, ours, theirs = tmp_path / "message", tmp_path / "ours", tmp_path / "theirs"
    message.write_bytes("专科".encode())
    ours.write_bytes(signer.sign(message.read_bytes()))
    common = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678", "-in", message]
    reading = ["-inkey", key, "-passin", f"pass:{PASSPHRASE}"]
    told = openssl("pkeyutl", "-verify", *reading, *common, "-sigfile", ours)
    assert b"Signature Verified Successfully" in told.stdout, told.stderr
    assert openssl("pkeyutl", "-sign", *reading, *common, "-out", theirs).returncode == 0
    assert verify(signer.public_key, message.read_bytes(), theirs.read_bytes())


def test_the_published_private_key_signs_for_its_point() -> None:
    key = sm2.SM2Key(PRIVATE, POINT)
    assert verify(key.public_key, b"message digest", key.sign(b"message digest"))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_openssl_reads_our_key_files(algorithm: Algorithm, tmp_path: Path) -> None:
    signer = new_key(tmp_path / "key.pem", algorithm, PASSPHRASE)
    read = openssl("pkey", "-in", tmp_path / "key.pem", "-passin", f"pass:{PASSPHRASE}", "-pubout", "-outform", "DER")
    assert read.stdout == signer.public_key


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_file_is_private_encrypted_and_never_overwritten(algorithm: Algorithm, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key.pem"
    signer = new_key(path, algorithm, PASSPHRASE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path, PASSPHRASE) == signer
    with pytest.raises(KeyProblem, match="口令不对"):
        load_key(path, PASSPHRASE + "!")
    with pytest.raises(KeyProblem, match="绝不覆盖"):
        new_key(path, algorithm, PASSPHRASE)
    path.chmod(0o640)
    with pytest.raises(KeyProblem, match="他人可读"):
        load_key(path, PASSPHRASE)


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    for content in (
        b"",
        b"\xff\xfe",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
    ):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyProblem, match="无法打开"):
            load_key(path, PASSPHRASE)
    with pytest.raises(KeyProblem, match="无法读取"):
        load_key(tmp_path / "none.pem", PASSPHRASE)
    with pytest.raises(KeyProblem, match="口令太短"):
        new_key(tmp_path / "short.pem", "ed25519", "short")


# --- envelopes


def test_pre_authentication_encoding_is_that_of_the_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("类型", "正文".encode()) == "DSSEv1 6 类型 6 正文".encode(), "lengths are bytes"


def test_an_envelope_has_one_spelling(tmp_path: Path) -> None:
    envelope = Envelope.of("t", b"body").signed_by(new_key(tmp_path / "key.pem", "ed25519", PASSPHRASE))
    content = envelope.to_bytes()
    assert Envelope.read(content) == envelope
    for other in (b" " + content, content[:-1], content.replace(b'"payload":', b'"payload": '), content + b"\n"):
        with pytest.raises(NotCanonical):
            Envelope.read(other)
    spare = canonical({"payload": "Zm9=", "payloadType": "t", "signatures": []})  # two bits that mean nothing
    with pytest.raises(ValidationError, match="写法不唯一"):
        Envelope.read(spare)
    with pytest.raises(NotCanonical):
        read_canonical(b'{"a":1,"a":1}\n')


def test_a_key_signs_an_envelope_once(tmp_path: Path) -> None:
    signer = new_key(tmp_path / "key.pem", "sm2", PASSPHRASE)
    assert len(Envelope.of("t", b"body").signed_by(signer).signed_by(signer).signatures) == 1


# --- keyring


def test_a_key_acts_in_its_roles_within_its_days_in_beijing(tmp_path: Path) -> None:
    key = public_key(new_key(tmp_path / "key.pem", "ed25519", PASSPHRASE), "甲", Role.SIGNER, until=date(2026, 6, 30))
    last = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)  # 23:59 in Beijing
    assert key.fault_of(Role.SIGNER, last) is None
    assert "不在有效期" in (key.fault_of(Role.SIGNER, last.replace(hour=16)) or "")
    assert "无权登记签发" in (key.fault_of(Role.REGISTRAR, last) or "")


def test_a_keyring_has_one_spelling_and_a_fingerprint(tmp_path: Path) -> None:
    signer = new_key(tmp_path / "key.pem", "sm2", PASSPHRASE)
    keyring = Keyring().with_key(public_key(signer, "甲", Role.SIGNER))
    keyring.write(tmp_path / "keyring.json")
    assert Keyring.read(tmp_path / "keyring.json") == keyring
    assert keyring.find(key_id(signer.public_key)) is not None
    assert keyring.with_head(Head(sequence=1, sha256="0" * 64)).fingerprint == keyring.fingerprint
    (tmp_path / "keyring.json").write_bytes(b" " + keyring.to_bytes())
    with pytest.raises(KeyProblem, match="不合规"):
        Keyring.read(tmp_path / "keyring.json")


def test_a_keyring_line_is_about_the_key_that_it_carries(tmp_path: Path) -> None:
    key = public_key(new_key(tmp_path / "a.pem", "ed25519", PASSPHRASE), "甲", Role.SIGNER)
    other = new_key(tmp_path / "b.pem", "ed25519", PASSPHRASE)
    with pytest.raises(ValidationError, match="与公钥不符"):
        key.model_validate(key.model_dump() | {"public_key": base64.b64encode(other.public_key).decode()})
