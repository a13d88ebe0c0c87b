"""A target that cannot be reached never touches the release; the next run, idle or not, brings it up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.job import write_key
from test_publishing_release import Home
from typer.testing import CliRunner

from dagster_project import cli, run
from expectations.content import tree_hash
from publishing.targets.sql import Mirror

SECRET = "s3cr3t-w0rd"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that is up to date, with a release of the hand-made marts."""
    made = Home(tmp_path / "home")
    made.root.mkdir()
    candidate = made.candidate("a")
    made.judge(candidate)
    made.publish(candidate, "R1")
    write_key(tmp_path)
    monkeypatch.setenv("ZHUANKE_PSEUDONYM_KEY_FILE", str(tmp_path / "pseudonym.key"))
    monkeypatch.setenv("ZHUANKE_PROVINCE_DIVISION", "990000")
    monkeypatch.setenv("BI_PASSWORD", SECRET)
    monkeypatch.setattr(run, "nothing_to_do", lambda _: True)
    return made.root


def set_target(home: Path, *connection: str) -> None:
    lines = ("[connections.bi]", *connection, "[targets.mirror]", 'connection = "bi"')
    (home / "zhuanke.toml").write_text("\n".join(lines), encoding="utf-8")


def test_an_unreachable_target_is_told_and_tried_again_by_the_next_run(home: Path) -> None:
    release = home / "releases" / "R1"
    files = sorted(path for path in release.rglob("*") if path.is_file())
    before = tree_hash(release, files)

    set_target(home, 'url = "postgresql+psycopg://writer@127.0.0.1:1/none"', 'password_env = "BI_PASSWORD"')
    failed = CliRunner().invoke(cli.app, ["run", "--home", str(home)])
    assert failed.exit_code == cli.TARGET_BEHIND, failed.output
    assert "目标库 mirror：目标库 postgresql+psycopg://writer:***@127.0.0.1:1/none" in failed.output
    assert "发布版不受影响" in failed.output
    assert SECRET not in failed.output
    assert not [file for file in (home / "logs").rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
    assert (tree_hash(release, files), (home / "current").resolve()) == (before, release)

    set_target(home, f'url = "sqlite:///{home / "mirror.db"}"')
    again = CliRunner().invoke(cli.app, ["run", "--home", str(home)])
    assert again.exit_code == cli.OK, again.output
    assert re.search(r"目标库 mirror：R1，\d+ 行", again.output)
    mirror = Mirror(sa.make_url(f"sqlite:///{home / 'mirror.db'}"))
    assert mirror.status().current == "R1"
    assert mirror.faults(release) == []


def test_commands_of_an_operator(home: Path) -> None:
    set_target(home, f'url = "sqlite:///{home / "mirror.db"}"')

    def told(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, ["target", *arguments, "--home", str(home)])
        return done.exit_code, done.output

    assert told("status")[0] == 1  # behind: nothing is there yet
    assert told("push")[0] == 0
    code, text = told("status", "--verify")
    assert code == 0
    assert re.search(r"mirror：R1，\d+ 行", text)
    assert "行数与内容和发布版文件一致" in text
    assert "mirror" in told("list")[1]
