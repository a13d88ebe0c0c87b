"""A certificate from draft to issue, and what each step refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from certificates import NAME, PROGRAMME, WINDOW, Desk, no_packets, public_key, publish_marts, small_bundle
from filelock import FileLock

from publishing import disclosure
from publishing.certificates import lifecycle, register
from publishing.certificates.bundle import BundleRefused
from publishing.certificates.gate_statement import gate_statement
from publishing.certificates.history import Standing, histories
from publishing.certificates.keyring import Keyring, Role
from publishing.certificates.keys import new_key
from publishing.certificates.lifecycle import Act, StepRefused
from publishing.certificates.names import CertificateName
from publishing.certificates.register import REGISTER, Event, RegisterProblem, parse
from publishing.manifest import DATAPACKAGE

ACT = Act("某院", "数值不符")
NEXT = NAME.replace("-r1", "-r2")


def test_from_draft_to_issue(full_desk: Desk) -> None:
    folder = full_desk.issued()
    assert folder == full_desk.root / "certified" / NAME
    found = full_desk.verify(folder)
    assert found.faults == []
    assert (found.certificate, found.standing, sorted(found.signed_by)) == (NAME, Standing.ISSUED, ["乙", "甲"])
    assert found.counts
    assert all(path.stat().st_mode & 0o222 == 0 for path in folder.rglob("*") if path.is_file())
    assert not (full_desk.root / "certified" / "drafts" / NAME).exists()


def test_every_step_is_registered_with_who_when_why(desk: Desk) -> None:
    desk.issued()
    told = [(entry.event.value, entry.by, entry.reason) for entry in desk.office.history(NAME).entries]
    assert told == [
        ("drafted", "拟制人", "年度评价"),
        ("previewed", "拟制人", "公示"),
        ("signed", "甲", "核对无误"),
        ("signed", "乙", "核对无误"),
        ("issued", "丙", "同意签发"),
    ]
    assert desk.office.history(NAME).drafted.at.isoformat() == "2026-03-02T09:00:00+08:00"


def test_a_step_without_person_or_reason_is_refused() -> None:
    for by, reason in (("", "理由"), ("某人", " ")):
        with pytest.raises(StepRefused, match="经办人"):
            Act(by, reason)


# --- what a bundle holds


def test_equal_drafts_have_equal_bytes(full_desk: Desk, pristine_desk: Desk, tmp_path: Path) -> None:
    other = pristine_desk.copy(tmp_path / "other")
    other.clock.pass_days(3)
    contents = []
    for each in (full_desk, other):
        folder = each.office.bundle(each.draft())
        contents.append({str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()})
    assert contents[0] == contents[1]


def test_marts_are_those_of_programme_scope_and_window(full_desk: Desk) -> None:
    folder = full_desk.office.bundle(full_desk.draft(scope="0304"))

    def rows(mart: str, column: str, of: Path) -> set[str]:
        query = f"select distinct {column} from '{of}/data/{mart}.parquet'"
        return {value for (value,) in duckdb.sql(query).fetchall()}

    release = full_desk.root / "current"
    assert rows("fct_indicator", "specialty_code", release) == {"0304", "ALL"}
    assert rows("fct_indicator", "specialty_code", folder) == {"0304"}
    assert rows("fct_list_move", "programme_id", release) == {"guizhou_942"}
    assert rows("fct_list_move", "programme_id", folder) == set()
    assert rows("dim_hospital", "hospital_id", folder) == rows("dim_hospital", "hospital_id", release)
    package = json.loads((folder / DATAPACKAGE).read_bytes())
    assert (package["scope"], package["release"]) == ("0304", "R1")
    [score] = [resource for resource in package["resources"] if resource["name"] == "fct_score"]
    assert score["schema"]["primaryKey"][:3] == ["programme_id", "tier", "window_id"]


def test_held_back_months_are_told_with_the_certificate(full_desk: Desk) -> None:
    folder = full_desk.office.bundle(full_desk.draft())
    [told] = json.loads((folder / DATAPACKAGE).read_bytes())["notices"]
    assert told == "未采用 H2 2023-02 的报送（该月缺失）"
    assert told in (folder / "README.txt").read_text(encoding="utf-8")
    assert told in full_desk.verify(full_desk.copy(full_desk.root.parent / "copy").issued_after_draft(NAME)).notices


def test_hospitals_whose_data_are_not_beyond_doubt_are_told_by_grade_and_years(full_desk: Desk) -> None:
    """The province as a whole is no hospital."""
    changes = (
        "update fct_fitness set grade = 'B'",
        "insert into fct_fitness values ('fct_indicator', 'REGION', 2023, 'B')",
    )
    publish_marts(full_desk.root, "R2", *changes)
    folder = full_desk.office.bundle(full_desk.draft())
    told, _ = json.loads((folder / DATAPACKAGE).read_bytes())["notices"]
    assert told == "数据质量 B 级（2023 年）：H1、H2"


def test_inputs_are_named_slice_by_slice(full_desk: Desk) -> None:
    folder = full_desk.office.bundle(full_desk.draft())
    _, line = (folder / "evidence" / "inputs.csv").read_text(encoding="utf-8").splitlines()
    assert line.split(",")[:4] == ["hospital", "H1/2023-01", "landing/hospital/abc.parquet", "ef" * 32]


@pytest.mark.parametrize(
    ("programme", "window", "fault"), [("beijing_2023", WINDOW, "没有方案"), (PROGRAMME, "1999", "没有窗口")]
)
def test_what_the_release_does_not_have_is_refused(programme: str, window: str, fault: str, full_desk: Desk) -> None:
    with pytest.raises(BundleRefused, match=fault):
        full_desk.office.draft(full_desk.root / "current", programme, "all", window, ACT, project=full_desk.project)
    assert full_desk.draft() == NAME, "a refused draft leaves nothing"


def test_rules_that_changed_since_the_release_are_refused(full_desk: Desk) -> None:
    (full_desk.project / "dbt" / "rule.sql").write_text("select 2", encoding="utf-8")
    with pytest.raises(BundleRefused, match="计算规则在此发布版之后有改动（dbt）"):
        full_desk.draft()


def test_a_damaged_release_is_refused(full_desk: Desk) -> None:
    readme = full_desk.root / "current" / "README.txt"
    readme.chmod(0o644)
    readme.write_text("改动", encoding="utf-8")
    with pytest.raises(StepRefused, match=r"已损坏.*README\.txt"):
        full_desk.draft()


def test_names_are_taken_apart_and_put_together() -> None:
    name = CertificateName.parse("CERT-guizhou_942-0304-2022-2024-r12")
    assert (name.programme_id, name.scope, name.window_id, name.revision) == ("guizhou_942", "0304", "2022-2024", 12)
    for wrong in ("CERT-a-all-2023-r0", "CERT-a/b-all-2023-r1", "CERT-a-..-2023-r1", "CERT-a-all-23-r1", "x"):
        with pytest.raises(ValueError, match="不合规"):
            CertificateName.parse(wrong)


# --- signing and issuing


def test_signers_sign_what_the_gate_found_too(tmp_path: Path) -> None:
    """As an in-toto test result: a rule that failed without closing the gate is a warning."""
    rules = [
        ("a", "passed", "critical", False),
        ("b", "not_applicable", "critical", False),
        ("c", "failed", "info", False),
        ("d", "failed", "critical", True),
    ]
    results = [dict(zip(("id", "status", "severity", "is_let_through"), rule, strict=True)) for rule in rules]
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "release.json").write_text("{}", encoding="utf-8")

    def told(results: list[dict[str, object]]) -> dict[str, Any]:
        verdict = {"judged_by": "f" * 64, "results": results}
        (tmp_path / "evidence" / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
        statement: dict[str, Any] = json.loads(gate_statement(tmp_path))
        assert statement["subject"][0]["name"] == "evidence/release.json"
        predicate: dict[str, Any] = statement["predicate"]
        return predicate

    found = told(results)
    assert found["result"] == "WARNED" and found["configuration"][0]["digest"] == {"sha256": "f" * 64}
    assert (found["passedTests"], found["warnedTests"], found["failedTests"]) == (["a"], ["c", "d"], [])
    assert told(results[:2])["result"] == "PASSED"
    assert told([results[3] | {"is_let_through": False}])["result"] == "FAILED"


def test_the_same_person_signs_once_and_one_is_not_enough(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    desk.clock.pass_days(8)
    desk.office.sign(NAME, desk.signers["甲"], "核对无误")
    with pytest.raises(StepRefused, match="已经签署过"):
        desk.office.sign(NAME, desk.signers["甲"], "再签")
    with pytest.raises(StepRefused, match="须有 2 人签署，现有 1 人（甲）"):
        desk.office.issue(NAME, desk.signers["丙"], "同意")


def test_roles_are_kept_apart(desk: Desk, tmp_path: Path) -> None:
    desk.ready()
    with pytest.raises(StepRefused, match="无权签署证书"):
        desk.office.sign(NAME, desk.signers["丙"], "代签")
    with pytest.raises(StepRefused, match="无权登记签发"):
        desk.office.issue(NAME, desk.signers["甲"], "自签自发")
    with pytest.raises(StepRefused, match="不在公钥册中"):
        desk.office.issue(NAME, new_key(tmp_path / "x.pem", "ed25519", "correct horse battery"), "外人")


def test_a_key_past_its_days_signs_nothing(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    desk.clock.pass_days(365 * 6)
    with pytest.raises(StepRefused, match="不在有效期"):
        desk.office.sign(NAME, desk.signers["甲"], "核对无误")


def test_two_keys_of_one_person_are_one_signer(desk: Desk) -> None:
    keyring = Keyring.read(desk.keyring).with_key(public_key(desk.signers["乙"], "甲", Role.SIGNER))
    keyring.write(desk.keyring)
    desk.ready()
    with pytest.raises(StepRefused, match="现有 1 人"):
        desk.office.issue(NAME, desk.signers["丙"], "同意")


def test_a_draft_that_was_changed_is_not_signed(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    verdict = desk.office.bundle(NAME) / "evidence" / "verdict.json"
    verdict.chmod(0o644)
    verdict.write_bytes(verdict.read_bytes() + b"\0")
    with pytest.raises(StepRefused, match=r"verdict\.json 在拟制之后被改动过"):
        desk.office.sign(NAME, desk.signers["甲"], "核对无误")


def test_nothing_is_issued_while_the_window_runs_unless_the_reason_is_told(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    for name in ("甲", "乙"):
        desk.office.sign(NAME, desk.signers[name], "核对无误")
    with pytest.raises(StepRefused, match="异议期至 2026-03-09 未满"):
        desk.office.issue(NAME, desk.signers["丙"], "同意")
    folder = desk.office.issue(NAME, desk.signers["丙"], "同意", override="各院均已书面确认")
    issued = desk.verify(folder).issued
    assert issued is not None
    assert issued.facts["override"] == "各院均已书面确认"


def test_a_timestamp_token_is_kept_bound_and_shown(desk: Desk, tmp_path: Path) -> None:
    desk.ready()
    (tmp_path / "token").write_bytes(b"token")
    folder = desk.office.issue(NAME, desk.signers["丙"], "同意", timestamp=tmp_path / "token")
    found = desk.verify(folder)
    assert found.counts
    assert found.has_timestamp
    token = folder / "attest" / "certificate.dsse.json.tsr"
    token.chmod(0o644)
    token.write_bytes(b"other")
    assert [fault.fault for fault in desk.verify(folder).faults] == ["与签发时登记的不符"]


# --- queries


def test_an_open_query_keeps_it_from_being_issued_until_it_is_ruled_on(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    number = desk.office.query(NAME, ACT, hospital_id="H1", about="cmi", days=5)
    query = desk.office.history(NAME).queries[number]
    assert (number, query.due.isoformat()) == ("Q1", "2026-03-07T23:59:59+08:00")
    for name in ("甲", "乙"):
        desk.office.sign(NAME, desk.signers[name], "核对无误")
    desk.clock.pass_days(8)
    with pytest.raises(StepRefused, match="异议 Q1 未裁定"):
        desk.office.issue(NAME, desk.signers["丙"], "同意")
    desk.office.rule(NAME, ACT, query="Q1", accepted=False)
    assert desk.office.issue(NAME, desk.signers["丙"], "同意").name == NAME


def test_an_accepted_query_calls_for_a_new_revision_and_names_the_input(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    desk.office.query(NAME, ACT, hospital_id="H1", about="cmi", days=5)
    with pytest.raises(StepRefused, match="更正的是哪一份输入"):
        desk.office.rule(NAME, ACT, query="Q1", accepted=True)
    desk.office.rule(NAME, ACT, query="Q1", accepted=True, changed_input="H1 2023-04 首页")
    with pytest.raises(StepRefused, match="没有待裁定的异议 Q1"):
        desk.office.rule(NAME, ACT, query="Q1", accepted=False)
    for name in ("甲", "乙"):
        desk.office.sign(NAME, desk.signers[name], "核对无误")
    desk.clock.pass_days(8)
    with pytest.raises(StepRefused, match="异议 Q1 已接受，数值须更正"):
        desk.office.issue(NAME, desk.signers["丙"], "同意", override="无论如何")
    desk.office.revoke(NAME, desk.signers["丙"], "按 Q1 更正")
    assert desk.draft() == NEXT


def test_nobody_asks_when_the_window_is_over(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    desk.clock.pass_days(8)
    with pytest.raises(StepRefused, match="异议期已于 2026-03-09 结束"):
        desk.office.query(NAME, ACT, hospital_id="H1", about="cmi", days=5)


def test_each_hospital_gets_a_packet_and_no_window_opens_without(desk: Desk) -> None:
    desk.draft()

    def fail(*_: object) -> int:
        raise OSError("没有空间")

    with pytest.raises(OSError, match="没有空间"):
        desk.office.preview(NAME, ACT, days=7, packets=fail)
    assert desk.office.history(NAME).standing is Standing.DRAFT
    made = desk.office.preview(NAME, ACT, days=7, packets=no_packets)
    assert (made.hospitals, made.closes.isoformat()) == (1, "2026-03-09T23:59:59+08:00")
    assert [path.name for path in made.folder.iterdir()] == ["H1"]


# --- revisions


def test_a_public_edition_that_gives_away_what_another_suppresses_is_not_issued(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_public(release: Path, target: Path, name: object, **others: object) -> None:
        (target / "public").mkdir()
        (target / "public" / DATAPACKAGE).write_text("{}", encoding="utf-8")
        small_bundle(release, target, name, **others)

    monkeypatch.setattr(lifecycle, "write_bundle", with_public)
    monkeypatch.setattr(disclosure, "given_away", lambda *_: [("H3", "0304", "cmi")])
    with pytest.raises(StepRefused, match=r"机构 H3、专科 0304、指标 cmi.*请撤销 .* 后重新拟制"):
        desk.issued()
    monkeypatch.setattr(disclosure, "given_away", lambda *_: [])
    assert desk.office.issue(NAME, desk.signers["丙"], "同意").exists()


def test_the_next_revision_takes_the_place_of_the_one_before(desk: Desk) -> None:
    first = desk.issued()
    second = desk.issued(NEXT)
    assert desk.verify(second).counts
    found = desk.verify(first, desk.register)
    assert (found.standing, found.is_intact, found.counts) == (Standing.SUPERSEDED, True, False)
    assert found.ended is not None
    assert found.ended.certificate == NEXT


def test_a_new_revision_says_what_it_changes(full_desk: Desk) -> None:
    full_desk.draft()
    full_desk.preview()
    full_desk.office.query(NAME, ACT, hospital_id="H1", about="cmi", days=5)
    full_desk.office.rule(NAME, Act("评审", "属实"), query="Q1", accepted=True, changed_input="H1 2023-04 首页")
    full_desk.office.revoke(NAME, full_desk.signers["丙"], "按 Q1 更正")
    changes = (
        "update fct_indicator set value = 2 "
        "where hospital_id = 'H1' and specialty_code = '0304' and indicator_id = 'cmi'",
        "update fct_score set score = 20, rank = 2 where hospital_id = 'H1' and level = 'total'",
        "update fct_score set rank = 1 where hospital_id = 'H2' and level = 'total'",
    )
    publish_marts(full_desk.root, "R2", *changes)
    corrections = full_desk.office.bundle(full_desk.draft()) / "evidence" / "corrections"

    def lines(name: str) -> list[str]:
        return (corrections / name).read_text(encoding="utf-8").splitlines()[1:]

    assert lines("queries.csv") == ["Q1,H1,cmi,数值不符,2026-03-02T09:00:00+08:00,accepted,评审,属实,H1 2023-04 首页"]
    assert lines("values.csv") == ["H1,0304,department,2023,cmi,1.00000000,2.00000000,Q1"]
    assert lines("ranks.csv") == [
        "national,2023,0304,H1,75.00000000,20.00000000,1,2,Q1",
        "national,2023,0304,H2,25.00000000,25.00000000,,1,",
    ]


def test_a_revision_is_not_drafted_beside_one_that_is_under_way(desk: Desk) -> None:
    desk.draft()
    with pytest.raises(StepRefused, match="尚未签发"):
        desk.draft()


def test_the_register_stays_free_while_a_draft_or_a_preview_is_laid_out(full_desk: Desk) -> None:
    """Which takes minutes; somebody else may sign, issue or revoke meanwhile."""
    lock = FileLock(full_desk.root / "certified" / f".{REGISTER}.lock", timeout=0)
    entered = []

    def somebody_else(*_: object) -> int:
        with lock:
            entered.append(len(full_desk.office.register.entries()))
        return 1

    full_desk.draft()
    office = replace(full_desk.office, exhibits=somebody_else)
    office.preview(NAME, Act("拟制人", "公示"), days=7, packets=somebody_else)
    act = Act("拟制人", "年度评价")
    other = office.draft(full_desk.root / "current", PROGRAMME, "0301", WINDOW, act, project=full_desk.project)
    assert entered == [1, 2]
    assert [entry.certificate for entry in full_desk.office.register.entries()] == [
        NAME,
        NAME,
        other,
    ]


def test_a_draft_whose_predecessor_changed_meanwhile_is_not_written(full_desk: Desk) -> None:
    full_desk.issued()
    publish_marts(full_desk.root, "R2")

    def revoked_meanwhile(*_: object) -> None:
        full_desk.office.revoke(NAME, full_desk.signers["丙"], "有误")

    office = replace(full_desk.office, exhibits=revoked_meanwhile)
    with pytest.raises(StepRefused, match="前一版的登记有了变动"):
        office.draft(
            full_desk.root / "current", PROGRAMME, "all", WINDOW, Act("拟制人", "更正"), project=full_desk.project
        )
    assert not (full_desk.root / "certified" / "drafts" / NEXT).exists()
    assert not (full_desk.root / "certified" / ".coming").exists()
    assert full_desk.draft() == NEXT


def test_another_certificate_can_take_its_place(desk: Desk) -> None:
    desk.issued()
    other = desk.draft(scope="0304")
    with pytest.raises(StepRefused, match="不是有效的证书"):
        desk.office.supersede(NAME, other, desk.signers["丙"], "并入")
    desk.preview(other)
    desk.clock.pass_days(8)
    for name in ("甲", "乙"):
        desk.office.sign(other, desk.signers[name], "核对无误")
    desk.office.issue(other, desk.signers["丙"], "同意")
    desk.office.supersede(NAME, other, desk.signers["丙"], "并入")
    assert desk.office.history(NAME).standing is Standing.SUPERSEDED
    with pytest.raises(StepRefused, match="现为“已被取代”，不能取代"):
        desk.office.supersede(NAME, other, desk.signers["丙"], "再次")


def test_what_is_not_issued_is_not_carried_away(desk: Desk, tmp_path: Path) -> None:
    desk.ready()
    with pytest.raises(StepRefused, match="尚未签发，不能取出"):
        desk.office.pull(NAME, tmp_path / "pulled")
    with pytest.raises(StepRefused, match="没有证书"):
        desk.office.pull(NEXT, tmp_path / "pulled")


# --- crashes


def test_a_line_that_a_crash_cut_short_counts_for_nothing(desk: Desk) -> None:
    desk.draft()
    whole = desk.register.read_bytes()
    for torn in (b"{", whole.splitlines()[0], whole[:-9]):
        desk.register.write_bytes(whole + torn)
        assert list(histories(desk.office.register.entries())) == [NAME]
        assert desk.office.history(NAME).standing is Standing.DRAFT
    desk.preview()
    assert desk.register.read_bytes().startswith(whole)
    assert [entry.event for entry in parse(desk.register.read_bytes())] == [Event.DRAFTED, Event.PREVIEWED]


def test_a_damaged_register_is_refused_with_its_line(desk: Desk) -> None:
    desk.draft()
    desk.preview()
    first, second = desk.register.read_bytes().splitlines(keepends=True)
    desk.register.write_bytes(first.replace("年度".encode(), "季度".encode()) + second)
    with pytest.raises(RegisterProblem, match="第 2 行与前一行不相接"):
        desk.office.history(NAME)


STEPS: list[tuple[object, str]] = [
    (register.Register, "append"),
    (Keyring, "write"),
    (lifecycle, "write_durably"),
    (lifecycle, "seal"),
    (lifecycle, "sync_folder"),
]


def before(real: Callable[..., object]) -> Callable[..., object]:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    return die


def after(real: Callable[..., object]) -> Callable[..., object]:
    def die(*arguments: object, **options: object) -> None:
        real(*arguments, **options)
        raise KeyboardInterrupt

    return die


@pytest.mark.parametrize(("place", "step"), STEPS)
@pytest.mark.parametrize("fail", [before, after])
def test_an_interrupted_issue_is_undone_or_finished(
    place: object,
    step: str,
    fail: Callable[[Callable[..., object]], Callable[..., object]],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk.ready()
    with monkeypatch.context() as patched:
        patched.setattr(place, step, fail(getattr(place, step)))
        with pytest.raises(KeyboardInterrupt):
            desk.office.issue(NAME, desk.signers["丙"], "同意签发")
    folder = desk.root / "certified" / NAME
    if folder.exists():
        assert desk.verify(folder).counts, "whatever readers see is whole"
    desk.office.finish()
    registered = desk.office.history(NAME).standing is Standing.ISSUED
    assert registered is folder.exists()
    assert registered is not ((place, step, fail) == (register.Register, "append", before))
    assert desk.office.issue(NAME, desk.signers["丙"], "同意签发") == folder
    assert desk.verify(folder).counts
    assert [entry.event for entry in desk.office.history(NAME).entries].count(Event.ISSUED) == 1


KILLED = """
import os, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from certificates import NAME, Clock, Desk
from publishing.certificates.keys import load_key
from datetime import datetime
calls = 0

def watch(event, arguments):
    # the process dies at once at the n-th change that it makes to the file system
    global calls
    writes = event == "open" and arguments[1] not in ("r", "rb", None)
    if writes or event in ("os.rename", "os.mkdir", "os.chmod", "os.truncate"):
        calls += 1
        if calls == {at}:
            os._exit(9)

key = load_key(Path({key!r}), {passphrase!r})
desk = Desk(Path({root!r}), {{"丙": key}}, Clock(datetime.fromisoformat({now!r})))
sys.addaudithook(watch)
desk.office.issue(NAME, key, "同意签发")
print(calls)
"""


def test_a_killed_issue_leaves_nothing_half(desk: Desk, tmp_path: Path) -> None:
    passphrase = "correct horse battery"
    registrar = new_key(tmp_path / "key.pem", "ed25519", passphrase)
    keyring = Keyring.read(desk.keyring).with_key(public_key(registrar, "丁", Role.REGISTRAR))
    keyring.write(desk.keyring)
    desk.ready()
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

    def run(at: int) -> tuple[Desk, subprocess.CompletedProcess[str]]:
        root = tmp_path / f"killed-{at}"
        shutil.copytree(desk.root, root, symlinks=True)
        script = KILLED.format(
            paths=paths,
            at=at,
            root=str(root),
            key=str(tmp_path / "key.pem"),
            passphrase=passphrase,
            now=desk.clock.now.isoformat(),
        )
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return Desk(root, {"丁": registrar}, desk.clock), done

    _, whole = run(at=0)
    assert whole.returncode == 0, whole.stderr
    changes = int(whole.stdout)
    assert changes > 10
    for at in range(1, changes + 1, 2):
        each, done = run(at)
        assert done.returncode == 9, done.stderr
        folder = each.root / "certified" / NAME
        assert not folder.exists() or each.verify(folder).counts
        assert each.office.issue(NAME, registrar, "同意签发") == folder
        assert each.verify(folder).counts
