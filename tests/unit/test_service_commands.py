"""`zhuanke serve`: tokens are made, listed and revoked; the log is verified; nothing but the loopback by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.settings import SettingsError
from publishing.service.tokens import TokenProblem


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def command(*words: str) -> Any:
        return CliRunner().invoke(app, ["serve", *words, "--home", str(tmp_path)])

    return command


def _new(run: Any, *reach: str) -> str:
    made = run("token", "new", "--for", "评审组", *reach)
    assert made.exit_code == 0, made.output
    [text] = re.findall(r"zk_\S+", made.stdout)
    return str(text)


def test_tokens_are_made_listed_and_revoked_and_each_step_is_in_the_log(run: Any, tmp_path: Path) -> None:
    made = [_new(run, "--all"), _new(run, "--division", "510100"), _new(run, "--hospital", "HOSPITAL-A", "--days", "3")]
    listed = json.loads(run("token", "list", "--json").stdout)
    assert [one["scope"] for one in listed] == [
        {"kind": "all", "value": ""},
        {"kind": "division", "value": "510100"},
        {"kind": "hospital", "value": "HOSPITAL-A"},
    ]
    assert all("sha256" not in one for one in listed)
    token_id = listed[1]["token_id"]
    assert made[1].startswith(f"zk_{token_id}_")
    assert "已撤销" in run("token", "revoke", token_id).stdout
    states = [one["state"] for one in json.loads(run("token", "list", "--json").stdout)]
    assert states == ["valid", "revoked", "valid"]
    assert "已撤销" in run("token", "list").stdout
    checked = run("audit", "verify")
    assert checked.exit_code == 0 and "4 行" in checked.stdout
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(text in kept for text in made), "a token is nowhere kept"


@pytest.mark.parametrize(
    ("reach", "told"),
    [
        ([], "须且只须给一种"),
        (["--all", "--division", "510100"], "须且只须给一种"),
        (["--division", "51"], "不合规"),
        (["--division", "000000"], "不合规"),
    ],
)
def test_a_token_needs_one_proper_reach(run: Any, reach: list[str], told: str) -> None:
    refused = run("token", "new", "--for", "评审组", *reach)
    assert isinstance(refused.exception, TokenProblem) and told in str(refused.exception)


def test_a_changed_log_ends_with_a_fault(run: Any, tmp_path: Path) -> None:
    _new(run, "--all")
    head = run("audit", "verify").stdout.split()[-1]
    _new(run, "--all")
    assert run("audit", "verify", "--head", head).exit_code == 0
    log = tmp_path / "service" / "audit.jsonl"
    log.write_text(log.read_text().replace("token_new", "token_old", 1))
    refused = run("audit", "verify")
    assert refused.exit_code == 1 and "第 1 行" in refused.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_no_other_address_than_the_loopback_by_itself(run: Any, host: str) -> None:
    refused = run("--host", host)
    assert isinstance(refused.exception, SettingsError) and "--allow-remote" in str(refused.exception)


def test_a_remote_address_has_to_be_asked_for_and_is_told_that_it_is_not_encrypted(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import uvicorn

    started: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda web, **options: started.update(options))
    answered = run("--host", "192.0.2.1", "--allow-remote", "--name", "zk.example")
    assert answered.exit_code == 0 and "不加密" in answered.stderr
    assert started["host"] == "192.0.2.1"
    assert started["access_log"] is False, "the server's own lines would hold addresses"
    assert run().exit_code == 0 and started["host"] == "127.0.0.1"
