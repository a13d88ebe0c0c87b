"""Whatever is done to a bundle, its register or its keyring is found, and the file is named."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from certificates import NAME, Desk, public_key
from support.network import offline_environment, offline_wrapper

from publishing.certificates.canonical import canonical
from publishing.certificates.dsse import Envelope
from publishing.certificates.gate_statement import GATE_ENVELOPE
from publishing.certificates.keyring import Head, Keyring, Role
from publishing.certificates.keys import new_key
from publishing.certificates.register import NOTHING_BEFORE, REGISTER, Event, parse
from publishing.certificates.statement import ENVELOPE, PAYLOAD_TYPE
from publishing.certificates.verification import verify_bundle
from publishing.manifest import DATAPACKAGE
from publishing.manifest import canonical as pretty

MART = "data/fct_score.parquet"
HEAVY = {"duckdb", "pandas", "pyarrow", "numpy", "dagster", "dbt", "great_expectations"}


@pytest.fixture
def bundle(issued_desk: Desk, tmp_path: Path) -> Path:
    """A copy of the issued bundle that may be written to."""
    folder = tmp_path / NAME
    shutil.copytree(issued_desk.root / "certified" / NAME, folder)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def faults(issued_desk: Desk, bundle: Path) -> dict[str, str]:
    return {fault.file: fault.fault for fault in issued_desk.verify(bundle).faults}


def test_the_copy_is_intact(issued_desk: Desk, bundle: Path) -> None:
    assert issued_desk.verify(bundle).counts


# --- one thing is done to it


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def link(path: Path) -> None:
    copy = path.parent.parent.parent / "elsewhere"
    copy.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(copy)


@pytest.mark.parametrize(
    "name", [MART, "README.txt", DATAPACKAGE, ENVELOPE, GATE_ENVELOPE, REGISTER, "method/project/dbt/rule.sql"]
)
@pytest.mark.parametrize("damage", [flip, Path.unlink, link])
def test_a_damaged_file_is_named(name: str, damage: Callable[[Path], None], issued_desk: Desk, bundle: Path) -> None:
    damage(bundle / name)
    assert name in faults(issued_desk, bundle)


@pytest.mark.parametrize("name", ["data/extra.parquet", "extra.txt", "attest/extra.dsse.json", ".hidden"])
def test_an_added_file_is_named(name: str, issued_desk: Desk, bundle: Path) -> None:
    (bundle / name).write_text("多出", encoding="utf-8")
    assert name in faults(issued_desk, bundle)


def test_an_empty_folder_and_a_pipe_are_named(issued_desk: Desk, bundle: Path) -> None:
    (bundle / "empty").mkdir()
    os.mkfifo(bundle / "pipe")
    assert {"empty", "pipe"} <= faults(issued_desk, bundle).keys()


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/hostname", "data/../README.txt", "data\\..\\x", "", "."])
def test_a_manifest_that_points_outside_is_named_and_nothing_is_read(
    path: str, issued_desk: Desk, bundle: Path
) -> None:
    (bundle.parent / "outside.txt").write_text("外面", encoding="utf-8")
    package = json.loads((bundle / DATAPACKAGE).read_bytes())
    package["resources"].append(package["resources"][0] | {"path": path})
    (bundle / DATAPACKAGE).write_bytes(pretty(package))
    assert issued_desk.verify(bundle).faults[0].fault.startswith(f"所列路径 {path!r}")


def test_a_folder_that_is_a_link_is_refused(issued_desk: Desk, bundle: Path) -> None:
    (bundle.parent / "link").symlink_to(bundle)
    assert "（文件夹）" in faults(issued_desk, bundle.parent / "link")
    (bundle / "data").rename(bundle.parent / "data")
    (bundle / "data").symlink_to(bundle.parent / "data")
    assert "data" in faults(issued_desk, bundle)


# --- somebody knows the formats


def test_a_manifest_rewritten_with_the_data_is_found(issued_desk: Desk, bundle: Path) -> None:
    readme = bundle / "README.txt"
    old = readme.read_bytes()
    readme.write_bytes(old.replace("第 1 版".encode(), "第 2 版".encode()))
    package = (bundle / DATAPACKAGE).read_text(encoding="utf-8")
    for algorithm in ("sha256", "sm3"):
        before, after = hashlib.new(algorithm, old).hexdigest(), hashlib.new(algorithm, readme.read_bytes()).hexdigest()
        assert before in package
        package = package.replace(before, after)
    (bundle / DATAPACKAGE).write_text(package, encoding="utf-8")
    found = faults(issued_desk, bundle)
    assert found.keys() == {"README.txt", DATAPACKAGE}
    assert "与签名所指的内容不符" in found["README.txt"]


def test_signatures_that_change_places_are_found(issued_desk: Desk, bundle: Path) -> None:
    document = json.loads((bundle / ENVELOPE).read_bytes())
    one, other = document["signatures"]
    one["sig"], other["sig"] = other["sig"], one["sig"]
    (bundle / ENVELOPE).write_bytes(canonical(document))
    found = issued_desk.verify(bundle)
    assert {"甲 的签名不对", "乙 的签名不对"} <= {fault.fault for fault in found.faults}


def test_a_signature_that_is_taken_away_is_found(issued_desk: Desk, bundle: Path) -> None:
    document = json.loads((bundle / ENVELOPE).read_bytes())
    document["signatures"].pop()
    (bundle / ENVELOPE).write_bytes(canonical(document))
    assert any("有效签名不足：须有 2 人，现有 1 人" in fault.fault for fault in issued_desk.verify(bundle).faults)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda told: told["predicate"].update(result="FAILED"), "与所附的质量门裁决不符"),
        (lambda told: told["subject"][0]["digest"].update(sha256="0" * 64), "与所附的质量门裁决不符"),
    ],
)
def test_a_gate_statement_that_is_not_the_verdict_is_found_though_both_sign_it(
    change: Callable[[dict[str, Any]], None], fault: str, issued_desk: Desk, bundle: Path
) -> None:
    told = json.loads(Envelope.read((bundle / GATE_ENVELOPE).read_bytes()).body)
    change(told)
    forged = Envelope.of(PAYLOAD_TYPE, canonical(told))
    for name in ("甲", "乙"):
        forged = forged.signed_by(issued_desk.signers[name])
    (bundle / GATE_ENVELOPE).write_bytes(forged.to_bytes())
    assert fault in {one.fault for one in issued_desk.verify(bundle).faults}


def test_what_only_one_of_the_signers_says_of_the_gate_is_found(issued_desk: Desk, bundle: Path) -> None:
    envelope = Envelope.read((bundle / GATE_ENVELOPE).read_bytes())
    alone = Envelope.of(envelope.payloadType, envelope.body).signed_by(issued_desk.signers["甲"])
    (bundle / GATE_ENVELOPE).write_bytes(alone.to_bytes())
    assert "签署人不是证书的签署人" in {one.fault for one in issued_desk.verify(bundle).faults}


def test_an_unknown_key_does_not_count(issued_desk: Desk, bundle: Path, tmp_path: Path) -> None:
    stranger = new_key(tmp_path / "stranger.pem", "ed25519", "correct horse battery")
    envelope = Envelope.read((bundle / ENVELOPE).read_bytes())
    forged = Envelope.of(envelope.payloadType, envelope.body).signed_by(stranger).signed_by(issued_desk.signers["甲"])
    (bundle / ENVELOPE).write_bytes(forged.to_bytes())
    assert any("不在公钥册中" in fault.fault for fault in issued_desk.verify(bundle).faults)


def without(keyring: Keyring, name: str) -> Keyring:
    return keyring.model_copy(update={"keys": tuple(key for key in keyring.keys if key.name != name)})


@pytest.mark.parametrize(
    ("name", "roles", "until", "fault"),
    [
        ("甲", (Role.REGISTRAR,), date(2030, 1, 1), "甲 的密钥.*无权签署证书"),
        ("乙", (Role.SIGNER,), date(2026, 3, 1), "乙 的密钥.*不在有效期"),
        ("丙", (Role.SIGNER,), date(2030, 1, 1), "丙 的密钥.*无权登记签发"),
        ("丙", (Role.REGISTRAR,), date(2026, 3, 1), "丙 的密钥.*不在有效期"),
    ],
)
def test_a_key_without_the_role_or_past_its_days_does_not_count(
    name: str, roles: tuple[Role, ...], until: date, fault: str, issued_desk: Desk, bundle: Path
) -> None:
    keyring = without(Keyring.read(issued_desk.keyring), name)
    terms = public_key(issued_desk.signers[name], name, *roles, until=until)
    found = verify_bundle(bundle, keyring.with_key(terms))
    assert any(re.search(fault, each.fault) for each in found.faults)


def test_two_keys_of_one_person_are_one_signer(issued_desk: Desk, bundle: Path) -> None:
    keyring = without(Keyring.read(issued_desk.keyring), "乙").with_key(
        public_key(issued_desk.signers["乙"], "甲", Role.SIGNER)
    )
    assert any("有效签名不足" in fault.fault for fault in verify_bundle(bundle, keyring).faults)


# --- the register


def edited(register: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    register.write_bytes(b"".join(change(register.read_bytes().splitlines(keepends=True))))


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[:1],
        lambda lines: [],
        lambda lines: lines[1:],
        lambda lines: [*lines[:1], *lines[2:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines[:-1], lines[-1][:-1]],
        lambda lines: [line.replace("同意签发".encode(), "同意发证".encode()) for line in lines],
        lambda lines: [line.replace("年度评价".encode(), "季度评价".encode()) for line in lines],
    ],
)
def test_an_edited_register_is_found(
    change: Callable[[list[bytes]], list[bytes]], issued_desk: Desk, bundle: Path
) -> None:
    edited(bundle / REGISTER, change)
    found = issued_desk.verify(bundle)
    assert not found.counts
    assert REGISTER in {fault.file for fault in found.faults}


def test_a_replayed_register_is_found_against_bundle_and_keyring(desk: Desk, tmp_path: Path) -> None:
    folder = desk.issued()
    old = tmp_path / "old.jsonl"
    shutil.copy(desk.register, old)
    desk.office.revoke(NAME, desk.signers["丙"], "发现重大错误")

    revoked = desk.verify(folder, desk.register)
    assert revoked.is_intact
    assert not revoked.counts
    assert revoked.ended is not None
    assert (revoked.ended.by, revoked.ended.reason) == ("丙", "发现重大错误")

    replayed = desk.verify(folder, old)
    assert [fault.file for fault in replayed.faults] == ["old.jsonl"]
    assert "是旧的登记册（回放）" in replayed.faults[0].fault
    edited(old, lambda lines: lines[:3])
    assert any("不是证书所附登记册的延续" in fault.fault for fault in desk.verify(folder, old).faults)


def test_a_register_that_is_not_at_hand_is_asked_for(desk: Desk) -> None:
    folder = desk.issued()
    desk.office.revoke(NAME, desk.signers["丙"], "发现重大错误")
    assert any("登记册另有更新的条目" in notice for notice in desk.verify(folder).notices)


def test_another_register_than_the_keyring_knows_is_found(issued_desk: Desk, bundle: Path) -> None:
    keyring = Keyring.read(issued_desk.keyring).with_head(Head(sequence=1, sha256="0" * 64))
    assert any("与公钥册所知的登记册" in fault.fault for fault in verify_bundle(bundle, keyring).faults)


def test_a_draft_is_not_a_certificate(desk: Desk) -> None:
    desk.ready()
    assert REGISTER in {fault.file for fault in desk.verify(desk.office.bundle(NAME)).faults}


def test_a_register_against_the_rules_is_refused_even_when_it_is_chained(issued_desk: Desk, bundle: Path) -> None:
    """Somebody with the registrar's key leaves out the preview."""
    kept = [entry for entry in parse((bundle / REGISTER).read_bytes()) if entry.event is not Event.PREVIEWED]
    lines, previous = [], NOTHING_BEFORE
    for number, entry in enumerate(kept, start=1):
        moved = entry.model_copy(update={"sequence": number, "previous": previous, "signature": None})
        if entry.event is Event.ISSUED:
            moved = moved.signed_by(issued_desk.signers["丙"])
        lines.append(moved.line)
        previous = moved.sha256
    (bundle / REGISTER).write_bytes(b"".join(lines))
    assert any("不合程序" in fault.fault for fault in issued_desk.verify(bundle).faults)


def test_well_written_nonsense_is_named_and_nothing_breaks(issued_desk: Desk, bundle: Path) -> None:
    """A chained register whose entries have no facts needs no key to write."""
    lines, previous = [], NOTHING_BEFORE
    for entry in parse((bundle / REGISTER).read_bytes()):
        blank = entry.model_copy(update={"previous": previous, "facts": {"supersedes": 7}, "signature": None})
        lines.append(blank.line)
        previous = blank.sha256
    (bundle / REGISTER).write_bytes(b"".join(lines))
    assert faults(issued_desk, bundle)[REGISTER] == "有条目的内容不合规"


# --- anything at all


def mutate(bundle: Path, dice: random.Random) -> str:
    """One random change to a bundle; says which."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    path = dice.choice(
        [path for path in files if path.stat().st_size]
        if dice.random() < 0.5
        else [bundle / DATAPACKAGE, bundle / ENVELOPE, bundle / GATE_ENVELOPE, bundle / REGISTER]
    )
    content = path.read_bytes()
    at = dice.randrange(len(content))
    kind = dice.choice(
        ["bit", "byte", "cut", "insert", "append", "drop", "swap", "repeat", "remove", "copy", "exchange"]
    )
    if kind == "bit":
        content = content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]
    elif kind == "byte":
        content = content[:at] + bytes([content[at] ^ dice.randrange(1, 256)]) + content[at + 1 :]
    elif kind == "cut":
        content = content[:at]
    elif kind == "insert":
        content = content[:at] + dice.choice([b" ", b"\0", b"\n", b'"', b"0"]) + content[at:]
    elif kind == "append":
        content += dice.choice([b" ", b"\n", b"\0", content])
    elif kind == "drop":
        content = content[:at] + content[at + 1 :]
    elif kind == "swap":
        other = next((i for i in range(len(content)) if content[i] != content[at]), at)
        changed = bytearray(content)
        changed[at], changed[other] = changed[other], changed[at]
        content = bytes(changed) if other != at else content + b" "
    elif kind == "repeat":
        content = content[:at] + content[at : at + 64] + content[at:]
    elif kind == "remove":
        path.unlink()
        return f"remove {path.name}"
    elif kind == "copy":
        (path.parent / f"copy-{path.name}").write_bytes(content)
        return f"copy {path.name}"
    else:
        other = next(file for file in files if file.read_bytes() != content)
        path.write_bytes(other.read_bytes())
        return f"exchange {path.name} {other.name}"
    path.write_bytes(content)
    return f"{kind} {path.relative_to(bundle)} at {at}"


def survivors(issued_desk: Desk, bundle: Path, times: int) -> list[str]:
    """The mutations that verification did not notice."""
    dice, keyring = random.Random(20260322), Keyring.read(issued_desk.keyring)
    pristine = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    unnoticed = []
    for _ in range(times):
        what = mutate(bundle, dice)
        if verify_bundle(bundle, keyring).counts:
            unnoticed.append(what)
        for path in [path for path in bundle.rglob("*") if path.is_file() and path not in pristine]:
            path.unlink()
        for path, content in pristine.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)
    assert verify_bundle(bundle, keyring).counts
    return unnoticed


def test_no_random_mutation_passes(issued_desk: Desk, bundle: Path) -> None:
    assert survivors(issued_desk, bundle, 60) == []


@pytest.mark.slow
def test_no_random_mutation_of_a_thousand_passes(issued_desk: Desk, bundle: Path) -> None:
    assert survivors(issued_desk, bundle, 1000) == []


# --- on a laptop without anything


def test_verifies_without_network_home_or_write_access(issued_desk: Desk, tmp_path: Path) -> None:
    """A read-only folder, no network, no home; neither DuckDB nor pandas is imported."""
    pulled = issued_desk.office.pull(NAME, tmp_path / "pulled")
    for path in (tmp_path / "pulled").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (tmp_path / "pulled").chmod(0o555)
    script = (
        "import sys\n"
        "from dagster_project.cli import app\n"
        f"try:\n app(['verify', {str(pulled.bundle.parent)!r}, '--keyring', {str(pulled.keyring)!r}])\n"
        "except SystemExit as end:\n"
        f" sys.exit(end.code or (7 if {HEAVY} & sys.modules.keys() else 0))\n"
    )
    environment = {**os.environ, **offline_environment(tmp_path / "attempts"), "HOME": "/nonexistent"}
    environment["PYTHONPATH"] += os.pathsep + str(Path(__file__).parents[2])
    command = [*offline_wrapper(), sys.executable, "-c", script]
    try:
        done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    finally:
        for path in [tmp_path / "pulled", *(tmp_path / "pulled").rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"✓ {NAME}：全部文件与签署时一致" in done.stdout
    assert not (tmp_path / "attempts").exists()


def test_pulling_again_replaces_the_copy(desk: Desk, tmp_path: Path) -> None:
    desk.issued()
    for _ in range(2):
        pulled = desk.office.pull(NAME, tmp_path / "pulled")
    found = verify_bundle(pulled.bundle, Keyring.read(pulled.keyring), pulled.register)
    assert found.counts
    assert Keyring.read(pulled.keyring).register_head is not None
