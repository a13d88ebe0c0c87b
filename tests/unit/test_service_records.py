"""Tokens open what they say until they expire or are revoked; no line of the audit log can be changed unnoticed."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.service.audit import START, AuditLog
from publishing.service.tokens import Scope, TokenProblem, TokenStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALL = Scope(kind="all")


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "service" / "tokens.json")


def test_a_token_opens_until_it_expires(store: TokenStore) -> None:
    text, record = store.new(ALL, purpose="评审组", days=30, now=NOW)
    assert store.find(text, NOW) == record
    assert store.find(text, NOW + timedelta(days=30) - timedelta(seconds=1)) == record
    assert store.find(text, NOW + timedelta(days=30)) is None


def test_a_revoked_token_opens_nothing_from_that_moment(store: TokenStore) -> None:
    text, record = store.new(ALL, purpose="评审组", days=30, now=NOW)
    other, _ = store.new(ALL, purpose="另一人", days=30, now=NOW)
    revoked = store.revoke(record.token_id, NOW)
    assert revoked.state(NOW) == "revoked"
    assert store.find(text, NOW) is None and store.find(other, NOW) is not None
    later = store.revoke(record.token_id, NOW + timedelta(days=1))
    assert later.revoked_at == NOW, "the first revocation stands"
    with pytest.raises(TokenProblem, match="没有编号"):
        store.revoke("00000000", NOW)


def test_only_the_whole_text_opens_and_nothing_kept_is_a_token(store: TokenStore) -> None:
    text, record = store.new(ALL, purpose="评审组", days=30, now=NOW)
    _, other = store.new(ALL, purpose="另一人", days=30, now=NOW)
    secret = text.removeprefix(f"zk_{record.token_id}_")
    wrong = "A" if secret[0] != "A" else "B"
    for forged in (
        "",
        secret,
        f"zk_{record.token_id}_",
        f"zk_{record.token_id}_{record.sha256}",
        f"zk_{other.token_id}_{secret}",
        f"zk_{record.token_id}_{wrong}{secret[1:]}",
        f"{text}x",
        f"{text}\n",
    ):
        assert store.find(forged, NOW) is None, forged
    assert secret not in store.file.read_text()
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(kind="all"), {"H1", "H2", "H3", "H4"}),
        (Scope(kind="division", value="990000"), {"H1", "H2", "H3"}),
        (Scope(kind="division", value="990200"), {"H2", "H3"}),
        (Scope(kind="division", value="990221"), {"H3"}),
        (Scope(kind="hospital", value="H1-1"), set()),
    ],
)
def test_a_scope_covers_the_hospitals_of_its_division_and_below(scope: Scope, covered: set[str]) -> None:
    divisions = {"H1": "990102", "H2": "990202", "H3": "990221", "H4": None}
    assert {hospital for hospital, division in divisions.items() if scope.covers(hospital, division)} == covered


@pytest.mark.parametrize(
    ("kind", "value"),
    [("all", "510000"), ("division", ""), ("division", "51"), ("division", "000000x"), ("hospital", "a b")],
)
def test_a_scope_without_a_proper_code_is_refused(kind: str, value: str) -> None:
    with pytest.raises(ValueError, match="不合规"):
        Scope.model_validate({"kind": kind, "value": value})


def test_the_division_of_nowhere_covers_nobody() -> None:
    with pytest.raises(ValueError, match="不合规"):
        Scope(kind="division", value="000000")


def _filled(folder: Path, lines: int = 4) -> AuditLog:
    log = AuditLog(folder / "audit.jsonl")
    for number in range(lines):
        log.append(token_id="0a0a0a0a", action="ranking", subject={"page": str(number)}, status=200, at=NOW)
    return log


def test_lines_follow_each_other_by_hash(tmp_path: Path) -> None:
    log = _filled(tmp_path)
    entries = [json.loads(line) for line in log.file.read_text().splitlines()]
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4]
    assert [entry["previous"] for entry in entries] == [START, *(entry["hash"] for entry in entries[:-1])]
    report = log.verify()
    assert (report.entries, report.head, report.fault) == (4, entries[-1]["hash"], None)
    assert stat.S_IMODE(log.file.stat().st_mode) == 0o600


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_byte_of_the_log_changes_unnoticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    log = _filled(tmp_path_factory.mktemp("audit"))
    content = bytearray(log.file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    log.file.write_bytes(content)
    assert log.verify().fault is not None


@pytest.mark.parametrize("kept", [(0, 2, 3), (1, 2, 3), (0, 2, 1, 3), (0, 1, 1, 2, 3)])
def test_lines_removed_moved_or_doubled_are_noticed(tmp_path: Path, kept: tuple[int, ...]) -> None:
    log = _filled(tmp_path)
    lines = log.file.read_bytes().splitlines(keepends=True)
    log.file.write_bytes(b"".join(lines[place] for place in kept))
    assert log.verify().fault is not None


def test_lines_cut_off_at_the_end_are_noticed_by_whoever_kept_the_head(tmp_path: Path) -> None:
    log = _filled(tmp_path)
    head = log.verify().head
    assert log.verify(head).fault is None
    log.append(token_id="", action="login", subject={}, status=200, at=NOW)
    assert log.verify(head).fault is None, "an earlier head stays in the chain"
    log.file.write_bytes(b"".join(log.file.read_bytes().splitlines(keepends=True)[:3]))
    assert log.verify().fault is None
    assert "找不到" in (log.verify(head).fault or "")
    log.file.unlink()
    assert "找不到" in (log.verify(head).fault or "")


def test_what_a_crash_left_half_written_is_set_aside_and_the_chain_goes_on(tmp_path: Path) -> None:
    log = _filled(tmp_path)
    with log.file.open("ab") as stream:
        stream.write(b'{"action":"rank')
    assert log.verify().fault is not None
    log.append(token_id="", action="login", subject={}, status=200, at=NOW)
    assert (log.verify().entries, log.verify().fault) == (5, None)
    assert log.file.with_suffix(".torn").read_bytes() == b'{"action":"rank\n'
