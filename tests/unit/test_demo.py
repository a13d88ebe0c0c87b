"""What `zhuanke synth` and `zhuanke demo` prepare: the inbox, the scheme that groups it, key and settings."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from dagster_project.demo import prepare_demo, write_inbox
from sources.scheme.store import installed

SIZE = {"hospitals": 2, "first_month": "2023-05", "months": 1, "discharges": 40, "workers": 1}


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), soft_wrap=True)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_inbox_comes_with_the_packages_of_its_scheme(tmp_path: Path, console: Console) -> None:
    write_inbox(console, tmp_path, **SIZE)
    assert {path.name for path in tmp_path.iterdir()} == {"inbox", "truth.json", "demo_schemes"}
    assert {path.name for path in (tmp_path / "demo_schemes").iterdir()} == {"YUNXIU-1.0", "YUNXIU-2.0"}
    assert "2023-01-01" in (tmp_path / "demo_schemes" / "YUNXIU-1.0" / "scheme.csv").read_text(encoding="utf-8")


def test_an_inbox_that_was_emptied_is_written_anew(tmp_path: Path, console: Console) -> None:
    write_inbox(console, tmp_path, **SIZE)
    for path in (tmp_path / "inbox").rglob("*"):
        if path.is_file():
            path.unlink()
    write_inbox(console, tmp_path, **{**SIZE, "first_month": "2024-05"})
    assert "2024-01-01" in (tmp_path / "demo_schemes" / "YUNXIU-1.0" / "scheme.csv").read_text(encoding="utf-8")


def test_the_demo_imports_its_scheme_once(tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHUANKE_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    home = tmp_path / "home"
    write_inbox(console, home, **SIZE)
    prepare_demo(home, console)
    assert [edition["edition_id"] for edition in installed(home)] == ["YUNXIU-1.0", "YUNXIU-2.0"]
    before = said(console).count("分组方案：")
    prepare_demo(home, console)
    assert (before, said(console).count("分组方案：")) == (2, 2)


def test_a_province_that_only_looks_gets_no_invented_scheme(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`zhuanke demo` on an inbox of one's own: what exists is left as it is, nothing is added."""
    monkeypatch.setenv("ZHUANKE_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    own = tmp_path / "home" / "inbox" / "hqms" / "own.csv"
    own.parent.mkdir(parents=True)
    own.write_text("x")
    prepare_demo(tmp_path / "home", console)
    assert installed(tmp_path / "home") == []
