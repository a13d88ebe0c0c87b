"""Publishing is all or nothing: what is refused, what a kill leaves, what readers see, what verify notices."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hand_made_marts import specs, warehouse

from expectations.content import content_hash
from expectations.decisions import NO_DECISIONS, Decisions, Override
from expectations.frozen import Severity
from expectations.verdict import Result, Status, Verdict, VerdictStore, judged_by
from publishing import release as release_module
from publishing.export import export_marts
from publishing.release import (
    Fault,
    GateClosed,
    Release,
    ReleaseConflictError,
    ReleaseNotFoundError,
    difference_file,
    list_releases,
    publish,
    release_folder,
    show_release,
    verify_release,
)

CHEAPER = "update fct_indicator set value = value / 2 where indicator_id = 'cmi' and hospital_id <> 'REGION'"
STEPS = ("_stage", "_reveal", "_note_difference", "_swap", "_record")


@dataclass
class Home:
    """A data home with candidates to publish."""

    root: Path
    verdicts: VerdictStore = field(init=False)

    def __post_init__(self) -> None:
        self.verdicts = VerdictStore(self.root / "verdicts")

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def current(self) -> Path:
        return self.root / "current"

    def candidate(self, name: str, *changes: str) -> Path:
        folder = self.root / "work" / name
        export_marts(warehouse(self.root / f"{name}.duckdb", *changes), folder / "marts", specs())
        return folder / "marts"

    def judge(self, candidate: Path, status: Status = Status.PASSED) -> None:
        result = Result(id="check", title_zh="关键检查", dataset="d", severity=Severity.CRITICAL, status=status)
        self.verdicts.save(Verdict.of(content_hash(candidate), judged_by(), [result]))

    def publish(self, candidate: Path, release_id: str, decisions: Decisions = NO_DECISIONS) -> Release:
        return publish(
            candidate,
            releases=self.releases,
            current=self.current,
            verdicts=self.verdicts,
            provenance={"code": {"commit": "abc"}, "inputs": []},
            release_id=release_id,
            decisions=decisions,
        )

    def seen(self) -> dict[str, bytes | str]:
        """Everything under releases and the pointer, byte for byte."""
        files: dict[str, bytes | str] = {
            str(file.relative_to(self.root)): file.read_bytes() for file in self.releases.rglob("*") if file.is_file()
        }
        return files | {"current": str(self.current.readlink()) if self.current.is_symlink() else ""}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose readers use R1, with a judged candidate `new` that differs; to be copied."""
    home = Home(tmp_path_factory.mktemp("pristine"))
    first = home.candidate("old")
    home.judge(first)
    home.publish(first, "R1")
    home.judge(home.candidate("new", CHEAPER))
    return home


@pytest.fixture
def published(pristine: Home, tmp_path: Path) -> Home:
    """A copy of the pristine home."""
    shutil.copytree(pristine.root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


def new(home: Home) -> Path:
    return home.root / "work" / "new" / "marts"


# --- what is refused


def test_without_verdict_nothing_is_published(home: Home) -> None:
    with pytest.raises(GateClosed, match="没有按现行规则"):
        home.publish(home.candidate("a"), "R1")
    assert not home.releases.exists()
    assert not home.current.exists()


def test_verdict_over_other_bytes_does_not_count(published: Home) -> None:
    before = published.seen()
    database = new(published) / "marts.duckdb"
    database.write_bytes(database.read_bytes() + b"\0")
    with pytest.raises(GateClosed, match="没有按现行规则"):
        published.publish(new(published), "R2")
    assert published.seen() == before


def test_closed_gate_leaves_yesterdays_release_byte_for_byte(published: Home) -> None:
    before = published.seen()
    worse = published.candidate("worse", "delete from fct_measure")
    published.judge(worse, Status.FAILED)
    with pytest.raises(GateClosed, match="质量门关闭，不发布：关键检查"):
        published.publish(worse, "R2")
    assert published.seen() == before


def test_verdict_of_superseded_rules_does_not_count(published: Home) -> None:
    worse = published.candidate("worse", "delete from fct_measure")
    passed = Result(id="a", title_zh="a", dataset="d", severity=Severity.CRITICAL, status=Status.PASSED)
    published.verdicts.save(Verdict.of(content_hash(worse), "0" * 64, [passed]))
    with pytest.raises(GateClosed, match="没有按现行规则"):
        published.publish(worse, "R2")


def test_bytes_that_change_while_they_are_copied_are_noticed(published: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = published.seen()

    def careless(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes() + b"\0")

    monkeypatch.setattr(shutil, "copyfile", careless)
    with pytest.raises(GateClosed, match="发生了变化"):
        published.publish(new(published), "R2")
    assert published.seen() == before


def test_same_id_with_other_content_is_refused(published: Home) -> None:
    before = published.seen()
    with pytest.raises(ReleaseConflictError, match="内容不同"):
        published.publish(new(published), "R1")
    assert published.seen() == before


def test_damaged_release_is_not_taken_for_the_same(published: Home) -> None:
    readme = published.releases / "R1" / "README.txt"
    readme.chmod(0o644)
    readme.write_text("改动", encoding="utf-8")
    with pytest.raises(ReleaseConflictError, match=r"已损坏.*README\.txt"):
        published.publish(published.root / "work" / "old" / "marts", "R1")


@pytest.mark.parametrize("release_id", ["", "../R1", "a/b", ".hidden", "发布"])
def test_id_that_is_no_plain_name_is_refused(published: Home, release_id: str) -> None:
    with pytest.raises(ValueError, match="编号不合规"):
        published.publish(new(published), release_id)


# --- what is published


def test_release_is_complete_read_only_and_pointed_at(published: Home) -> None:
    made = published.publish(new(published), "R2")
    names = {str(file.relative_to(made.folder)) for file in made.folder.rglob("*") if file.is_file()}
    assert {"marts.duckdb", "datapackage.json", "verdict.json", "provenance.json", "README.txt"} < names
    assert "data/fct_indicator.parquet" in names
    assert all(file.stat().st_mode & 0o222 == 0 for file in made.folder.rglob("*") if file.is_file())
    assert published.current.resolve() == made.folder


def test_the_first_page_opens_offline_and_links_what_is_there(published: Home) -> None:
    candidate = new(published)
    verdict = published.verdicts.load(content_hash(candidate))
    assert verdict is not None
    published.verdicts.documents(verdict).write_bytes(b"<html>docs</html>")
    made = published.publish(candidate, "R2")
    page = (made.folder / "index.html").read_text("utf-8")
    links = re.findall(r'href="([^"]*)"', page)
    assert {"data_docs.html", "verdict.json", "datapackage.json", "data/fct_indicator.parquet"} < set(links)
    assert all((made.folder / link).is_file() for link in links)
    assert not re.search(r"https?:|src=|<script|<link", page)
    assert verify_release(made.folder) == []
    (made.folder / "data_docs.html").chmod(0o644)
    (made.folder / "data_docs.html").write_text("改动", "utf-8")
    assert [fault.file for fault in verify_release(made.folder)] == ["data_docs.html"] * 3


def test_a_release_without_data_docs_does_not_link_any(published: Home) -> None:
    made = published.publish(new(published), "R2")
    assert "data_docs.html" not in (made.folder / "index.html").read_text("utf-8")
    assert published.current.readlink() == Path("releases/R2")
    assert made.content_hash == content_hash(new(published)) == content_hash(made.folder)
    assert (made.is_current, made.gate) == (True, "open")
    assert verify_release(made.folder) == []


def test_same_content_again_changes_nothing(published: Home) -> None:
    published.publish(new(published), "R2")
    before = published.seen()
    published.publish(new(published), "R2")
    assert published.seen() == before


def test_earlier_content_can_become_current_again(published: Home) -> None:
    published.publish(new(published), "R2")
    published.publish(published.root / "work" / "old" / "marts", "R1")
    assert published.current.resolve().name == "R1"
    assert [entry["release_id"] for entry in journal(published)] == ["R1", "R2", "R1"]


def journal(home: Home) -> list[dict[str, Any]]:
    lines = (home.releases / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_equal_candidates_give_equal_release_folders(tmp_path: Path) -> None:
    folders = []
    for name in ("one", "two"):
        home = Home(tmp_path / name)
        home.root.mkdir()
        candidate = home.candidate("a")
        home.judge(candidate)
        folder = home.publish(candidate, "R1").folder
        folders.append({f.name: f.read_bytes() for f in folder.rglob("*") if f.is_file()})
    assert folders[0] == folders[1]


def test_data_package_describes_fields_keys_and_hashes(published: Home) -> None:
    facts = show_release(release_folder(published.releases, published.current, "current"))
    resources = {resource["name"]: resource for resource in facts["datapackage"]["resources"]}
    mart = resources["fct_indicator"]
    assert mart["schema"]["primaryKey"] == [
        "hospital_id",
        "specialty_code",
        "attribution",
        "window_id",
        "indicator_id",
    ]
    fields = {f["name"]: (f["type"], f["physicalType"]) for f in mart["schema"]["fields"]}
    assert fields["hospital_id"] == ("string", "VARCHAR")
    assert fields["value"] == ("number", "DECIMAL(24,8)")
    assert fields["case_count"] == ("integer", "INTEGER")
    assert mart["rows"] == 216
    for resource in resources.values():
        path = published.releases / "R1" / resource["path"]
        assert resource["bytes"] == path.stat().st_size
        told = subprocess.run(["openssl", "dgst", "-sm3", path], capture_output=True, text=True, check=True).stdout
        assert told.split()[-1] == resource["sm3"]
        assert resource["hash"] == f"sha256:{release_module.sha256_file(path)}"
    assert facts["journal"][0]["previous"] is None


def test_difference_counts_rows_and_names_indicators(published: Home) -> None:
    changes = (
        CHEAPER,
        "delete from fct_measure where hospital_id = 'H1'",
        "alter table dim_window add column first_month varchar",
    )
    wider = [
        spec
        if spec.name != "dim_window"
        else spec.__class__(
            **{**spec.__dict__, "columns": (*spec.columns, spec.columns[0].__class__("first_month", "", "", ""))}
        )
        for spec in specs()
    ]
    folder = published.root / "work" / "third"
    export_marts(warehouse(published.root / "third.duckdb", *changes), folder, wider)
    published.judge(folder)
    made = published.publish(folder, "R2")

    difference = json.loads(difference_file(made.folder).read_text(encoding="utf-8"))
    assert (difference["from"], difference["to"]) == ("R1", "R2")
    indicators = difference["marts"]["fct_indicator"]
    assert [indicators[k] for k in ("rows_added", "rows_removed", "rows_changed")] == [0, 0, 4]
    assert indicators["changed_by_indicator"] == {"cmi": 4}  # two hospitals, one specialty and ALL
    measures = difference["marts"]["fct_measure"]
    assert [measures[k] for k in ("rows_added", "rows_removed", "rows_changed")] == [0, 6, 0]
    assert difference["marts"]["dim_window"]["columns_added"] == ["first_month"]
    assert difference["marts"]["dim_hospital"] == {"identical": True}
    assert not (made.folder / difference_file(made.folder).name).exists(), "history is no part of a release"


# --- kills


def fail_before(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt(step)

    monkeypatch.setattr(release_module, step, die)


def fail_after(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = getattr(release_module, step)

    def die(*arguments: object) -> None:
        real(*arguments)
        raise KeyboardInterrupt(step)

    monkeypatch.setattr(release_module, step, die)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fail", [fail_before, fail_after])
def test_interruption_leaves_old_or_new_whole_and_a_rerun_finishes(
    step: str,
    fail: Callable[[str, pytest.MonkeyPatch], None],
    published: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        fail(step, patched)
        with pytest.raises(KeyboardInterrupt):
            published.publish(new(published), "R2")
    swapped = STEPS.index(step) > STEPS.index("_swap") or (step == "_swap" and fail is fail_after)
    assert published.current.resolve().name == ("R2" if swapped else "R1")
    assert verify_release(published.current.resolve()) == []

    made = published.publish(new(published), "R2")
    assert made.is_current
    assert verify_release(made.folder) == []
    assert json.loads(difference_file(made.folder).read_text(encoding="utf-8"))["from"] == "R1"
    assert [(entry["release_id"], entry["previous"]) for entry in journal(published)] == [
        ("R1", None),
        ("R2", "R1"),
    ]
    assert not (published.root / ".staging").exists()


KILLED = """
import os, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_publishing_release import Home
calls = 0

def watch(event, arguments):
    # the process dies at once at the n-th change that it makes to the file system
    global calls
    if event in ("os.rename", "os.mkdir", "os.chmod", "os.symlink", "os.remove", "os.rmdir", "shutil.copyfile"):
        calls += 1
        if calls == {at}:
            os._exit(9)

home = Home(Path({root!r}))
candidate = Path({root!r}) / "work" / "new" / "marts"
sys.addaudithook(watch)
home.publish(candidate, "R2")
print(calls)
"""


def test_killed_process_leaves_old_or_new_whole_at_every_change_of_the_file_system(
    published: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

    def run(at: int) -> tuple[Home, subprocess.CompletedProcess[str]]:
        root = tmp_path_factory.mktemp("killed") / "home"
        shutil.copytree(published.root, root, symlinks=True)
        script = KILLED.format(paths=paths, root=str(root), at=at)
        command = [sys.executable, "-c", script]
        return Home(root), subprocess.run(command, capture_output=True, text=True, check=False)

    def seen(home: Home) -> dict[str, bytes | str]:
        return {name: content for name, content in home.seen().items() if not name.endswith("journal.jsonl")}

    whole, done = run(at=0)
    changes, undisturbed = int(done.stdout), seen(whole)
    assert changes > 20
    for at in (1, changes // 4, changes // 2, *range(changes - 6, changes + 1)):
        home, done = run(at)
        assert done.returncode == 9, done.stderr
        assert home.current.resolve().name in ("R1", "R2")
        assert verify_release(home.current.resolve()) == []
        home.publish(new(home), "R2")
        assert seen(home) == undisturbed


# --- readers


READER = """
import sys, duckdb
for line in sys.stdin:
    if line.strip() == "open":
        connection = duckdb.connect(sys.argv[1], read_only=True)
    query = "select value from fct_indicator where indicator_id = 'cmi' and hospital_id = 'H1' limit 1"
    print(connection.execute(query).fetchall()[0][0], flush=True)
    if line.strip() == "close":
        connection.close()
"""


def test_reader_keeps_the_old_release_until_it_opens_again(published: Home) -> None:
    command = [sys.executable, "-c", READER, str(published.current / "marts.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:

        def ask(word: str) -> str:
            assert reader.stdin and reader.stdout
            reader.stdin.write(f"{word}\n")
            reader.stdin.flush()
            return reader.stdout.readline().strip()

        assert ask("open") == "1.00000000"
        published.publish(new(published), "R2")
        assert ask("read") == "1.00000000"
        assert ask("close") == "1.00000000"
        assert ask("open") == "0.50000000"


def test_parquet_reader_through_current_sees_the_new_release(published: Home) -> None:
    query = f"select min(value) from '{published.current}/data/fct_indicator.parquet' where indicator_id = 'cmi'"
    before = duckdb.sql(query).fetchall()
    published.publish(new(published), "R2")
    assert (before, duckdb.sql(query).fetchall()) == ([(1,)], [(0.5,)])


# --- listing and verifying


def test_list_names_the_current_release_last(published: Home) -> None:
    published.publish(new(published), "R0")
    assert [(r.release_id, r.is_current) for r in list_releases(published.releases, published.current)] == [
        ("R1", False),
        ("R0", True),
    ]


def test_unknown_release_is_named(published: Home) -> None:
    for release_id in ("R9", "..", "../work"):
        with pytest.raises(ReleaseNotFoundError, match="没有发布版"):
            release_folder(published.releases, published.current, release_id)


def change(file: Path) -> None:
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def lengthen(file: Path) -> None:
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"\0")


def add(file: Path) -> None:
    file.write_text("多出", encoding="utf-8")


def relabel(file: Path) -> None:
    file.chmod(0o644)
    file.write_text(file.read_text(encoding="utf-8").replace("R1", "R7"), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "damage", "fault"),
    [
        ("data/fct_indicator.parquet", change, "SHA-256与清单不符"),
        ("marts.duckdb", lengthen, "大小与清单不符"),
        ("verdict.json", change, "SM3与清单不符"),
        ("provenance.json", Path.unlink, "缺失"),
        ("data/extra.parquet", add, "不属于该发布版"),
        ("datapackage.json", relabel, "与发布日志中登记的摘要不符"),
        ("datapackage.json", Path.unlink, "缺失或无法读取"),
    ],
)
def test_verify_names_file_and_fault(name: str, damage: Callable[[Path], None], fault: str, published: Home) -> None:
    folder = published.releases / "R1"
    damage(folder / name)
    assert Fault(name, fault) in verify_release(folder)


def test_what_was_let_through_is_printed_on_everything(home: Home) -> None:
    override = Override(
        rule_id="check",
        decided_by="甲",
        confirmed_by="乙",
        reason="接口切换",
        decided_on=date(2026, 5, 1),
        expires_on=date(2026, 6, 1),
    )
    decisions = Decisions(overrides=(override,))
    candidate = home.candidate("one")
    result = Result(
        id="check",
        title_zh="关键检查",
        dataset="d",
        severity=Severity.CRITICAL,
        status=Status.FAILED,
        checked=2,
        violated=1,
    )
    home.verdicts.save(Verdict.of(content_hash(candidate), judged_by(decisions=decisions), [result], decisions))
    with pytest.raises(GateClosed, match="没有按现行规则"):  # the override has ended
        home.publish(candidate, "R1")
    folder = home.publish(candidate, "R1", decisions).folder
    [told] = decisions.sentences()
    for name in ("README.txt", "datapackage.json", "index.html"):
        assert told in (folder / name).read_text(encoding="utf-8"), name
    assert verify_release(folder) == []
