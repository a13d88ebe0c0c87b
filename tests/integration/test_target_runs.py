"""A target that cannot be reached never touches the release; the next run brings it up to date."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.job import Job

from publishing.targets.sql import Mirror


@pytest.fixture
def home(small_home: Path, tmp_path: Path) -> Path:
    """A finished home of one's own."""
    return Path(shutil.copytree(small_home, tmp_path / "home", symlinks=True))


def set_target(home: Path, url: str, secret: str = "") -> None:
    text = (home / "zhuanke.toml").read_text(encoding="utf-8") if (home / "zhuanke.toml").exists() else ""
    before = text.split("[connections")[0]
    target = f'[connections.bi]\nurl = "{url}"\n{secret}\n[targets.mirror]\nconnection = "bi"\n'
    (home / "zhuanke.toml").write_text(before + target, encoding="utf-8")


def test_an_unreachable_target_is_told_and_tried_again_by_the_next_run(home: Path, job: Job) -> None:
    released = (home / "current").resolve()
    secret = {"BI_PASSWORD": "s3cr3t-w0rd"}

    set_target(home, "postgresql+psycopg://writer@127.0.0.1:1/none", 'password_env = "BI_PASSWORD"')
    failed = job.run(home, environment=secret)
    assert failed.code == 6, failed.output
    assert "目标库 mirror" in failed.output
    assert (home / "current").resolve() == released
    assert not [path for path in (home / "logs").rglob("*") if path.is_file() and b"s3cr3t-w0rd" in path.read_bytes()]
    assert "s3cr3t-w0rd" not in failed.output

    url = f"sqlite:///{home / 'mirror.db'}"
    set_target(home, url)
    again = job.run(home, environment=secret)
    assert again.code == 0, again.output
    mirror = Mirror(sa.make_url(url))
    assert mirror.status().current == released.name
    assert mirror.faults(released) == []
