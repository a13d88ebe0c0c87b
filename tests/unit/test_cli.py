"""The command line: answers at once, says in Chinese what is wrong, and its exit codes mean what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project import cli
from dagster_project.settings import PROJECT_ROOT, Settings, SettingsError, load_settings
from dagster_project.status import read_status
from dagster_project.workspace import (
    HomeBusyError,
    Workspace,
    append_journal,
    exclusive,
    journal_file,
    killed_runs,
    read_journal,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no setting from the environment of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("ZHUANKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ZHUANKE_PSEUDONYM_KEY_FILE", str(tmp_path / "key" / "pseudonym.key"))
    return tmp_path / "home"


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a user starts it, in a process of its own."""
    command = [sys.executable, "-c", "from dagster_project.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, check=False)


def publish_symbolically(settings: Settings, release_id: str) -> None:
    """A release folder and `current`, without a release in it."""
    (settings.releases / release_id).mkdir(parents=True)
    settings.current.unlink(missing_ok=True)
    settings.current.symlink_to(Path("releases") / release_id)


# --- start-up


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from dagster_project.cli import app;"
        "result = CliRunner().invoke(app, ['--help']); assert result.exit_code == 0;"
        "print([m for m in ('dagster', 'dbt', 'duckdb', 'pandas', 'great_expectations', 'numpy')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_tells_every_exit_code() -> None:
    text = CliRunner().invoke(cli.app, ["--help"]).output
    for code, meaning in [("1", "失败"), ("2", "设置"), ("3", "质量门"), ("4", "另一次"), ("5", "过期")]:
        assert any(code in line and meaning in line for line in text.splitlines()), (code, meaning)


def test_telemetry_is_off_whatever_the_environment_says() -> None:
    code = (
        "import os; os.environ['DAGSTER_DISABLE_TELEMETRY'] = 'no'; os.environ['GX_ANALYTICS_ENABLED'] = 'true';"
        "import dagster_project;"
        "print([os.environ[n] for n in ('DAGSTER_DISABLE_TELEMETRY', 'DO_NOT_TRACK',"
        " 'DBT_SEND_ANONYMOUS_USAGE_STATS', 'GX_ANALYTICS_ENABLED')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['yes', '1', 'false', 'false']"


# --- settings


def test_environment_goes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "zhuanke.toml").write_text('province_division = "510000"\nthreads = 3\n')
    assert (load_settings(home).province, load_settings(home).threads) == ("510000", 3)
    monkeypatch.setenv("ZHUANKE_THREADS", "5")
    assert (load_settings(home).province, load_settings(home).threads) == ("510000", 5)


@pytest.mark.parametrize("line", ['province_division = "51"', "threads = 0", "no_such_setting = 1", "not toml at all"])
def test_a_wrong_settings_file_is_refused(home: Path, line: str) -> None:
    home.mkdir()
    (home / "zhuanke.toml").write_text(line)
    with pytest.raises(SettingsError):
        load_settings(home)


def test_run_without_a_province_is_a_settings_error_in_one_sentence(home: Path) -> None:
    done = run_cli("run", "--home", str(home))
    assert done.returncode == cli.USAGE
    assert "省" in done.stderr and "zhuanke.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_where_an_error_came_from(home: Path) -> None:
    assert "Traceback" in run_cli("--debug", "run", "--home", str(home)).stderr


# --- key


def test_key_is_private_and_never_overwritten(home: Path, tmp_path: Path) -> None:
    key = tmp_path / "key" / "pseudonym.key"
    assert run_cli("key", "pseudonym", "--home", str(home)).returncode == cli.OK
    before = key.read_bytes()
    assert key.stat().st_mode & 0o077 == 0
    assert run_cli("key", "pseudonym", "--home", str(home)).returncode == cli.USAGE
    assert key.read_bytes() == before


def test_doctor_names_what_is_missing_and_is_content_when_it_is_there(home: Path) -> None:
    done = run_cli("doctor", "--home", str(home))
    assert done.returncode == cli.USAGE
    assert [line for line in done.stdout.splitlines() if line.startswith("✗ 本省区划")]
    assert [line for line in done.stdout.splitlines() if line.startswith("✗ 假名密钥")]
    (home / "zhuanke.toml").write_text('province_division = "990000"\n')
    run_cli("key", "pseudonym", "--home", str(home))
    done = run_cli("doctor", "--home", str(home))
    assert (done.returncode, "✗" in done.stdout) == (cli.OK, False), done.stdout


# --- lock and work folder


def test_a_second_run_gives_up_with_its_own_exit_code(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHUANKE_PROVINCE_DIVISION", "990000")
    monkeypatch.setenv("ZHUANKE_LOCK_WAIT_SECONDS", "1")
    run_cli("key", "pseudonym", "--home", str(home))
    with exclusive(load_settings(home), on_wait=print):
        done = run_cli("run", "--home", str(home))
    assert done.returncode == cli.BUSY
    assert "等待" in done.stdout
    assert read_journal(load_settings(home)) == []


def test_the_lock_of_a_killed_process_is_free(home: Path) -> None:
    code = (
        "import os, pathlib, sys; from dagster_project.settings import load_settings;"
        "from dagster_project.workspace import exclusive;"
        "lock = exclusive(load_settings(pathlib.Path(sys.argv[1])), print); lock.__enter__(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(home)], check=False).returncode == 9
    waited: list[str] = []
    with exclusive(load_settings(home), on_wait=waited.append):
        assert waited == []


def test_the_process_that_holds_the_home_may_enter_again(home: Path) -> None:
    settings = load_settings(home, lock_wait_seconds=0)
    with exclusive(settings, on_wait=print), exclusive(settings, on_wait=print):
        code = (
            "import pathlib, sys; from dagster_project.settings import load_settings;"
            "from dagster_project.workspace import exclusive;"
            "exclusive(load_settings(pathlib.Path(sys.argv[1]), lock_wait_seconds=0), print).__enter__()"
        )
        other = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=False)
        assert HomeBusyError.__name__ in other.stderr


def test_a_new_run_removes_what_dead_runs_left_and_keeps_its_own(home: Path) -> None:
    settings = load_settings(home)
    dead = Workspace.open(settings, "dead")
    dead.candidate_db.write_bytes(b"x")
    dead.marts.mkdir()
    dead.marts.chmod(0o500)
    mine = Workspace.open(settings, "mine")
    mine.candidate_db.write_bytes(b"y")
    assert sorted(path.name for path in settings.work.iterdir()) == ["mine", "now"]
    assert Workspace.open(settings, "mine").candidate_db.read_bytes() == b"y"
    mine.close()
    assert not (settings.work / "mine").exists()


def test_a_torn_last_line_of_the_journal_is_left_out(home: Path) -> None:
    settings = load_settings(home)
    append_journal(settings, "started", run_id="a", job="nightly")
    with journal_file(settings).open("a") as file:
        file.write('{"at": "2025')
    assert [event["run_id"] for event in read_journal(settings)] == ["a"]
    assert killed_runs(settings) == ["a"]


# --- status

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


def journal(settings: Settings, *events: tuple[float, str, str]) -> None:
    """Write events as (hours before NOW, event, run)."""
    lines = [
        {
            "at": (NOW - timedelta(hours=hours)).isoformat(),
            "event": event,
            "run_id": run,
            "job": "nightly",
            "release_id": f"R-{run}",
        }
        for hours, event, run in events
    ]
    settings.logs.mkdir(parents=True, exist_ok=True)
    journal_file(settings).write_text("".join(json.dumps(line) + "\n" for line in lines))


def night(hours: float, run: str, *results: str) -> list[tuple[float, str, str]]:
    """A run that started so many hours ago and ended with these events."""
    return [(hours, event, run) for event in ("started", *results, "ended")]


@pytest.mark.parametrize(
    ("events", "state", "last_run"),
    [
        (night(5, "a", "published"), "ok", "published"),
        ([*night(500, "a", "published"), (5, "up_to_date", "")], "ok", "up_to_date"),
        (night(27, "a", "published"), "stale", "published"),
        ([*night(24 * 41, "a", "published"), (5, "up_to_date", "")], "stale", "up_to_date"),
        ([*night(20, "a", "published"), *night(5, "b", "gate_closed")], "gate_closed", "gate_closed"),
        ([*night(20, "a", "published"), *night(5, "b")], "failed", "failed"),
        ([*night(20, "a", "published"), (5, "started", "b")], "failed", "killed"),
    ],
)
def test_status_is_ok_only_when_fresh_and_open(
    home: Path, events: list[tuple[float, str, str]], state: str, last_run: str
) -> None:
    settings = load_settings(home)
    journal(settings, *events)
    publish_symbolically(settings, "R-a")
    status = read_status(settings, now=NOW)
    assert (status.state, status.last_run) == (state, last_run)
    assert bool(status.reasons) == (state != "ok")


def test_status_exit_codes(home: Path) -> None:
    runner = CliRunner()
    result = runner.invoke(cli.app, ["status", "--home", str(home), "--json"])
    assert (result.exit_code, json.loads(result.output)["state"]) == (cli.STALE, "none")
    settings = load_settings(home)
    publish_symbolically(settings, "R-a")
    append_journal(settings, "started", run_id="a", job="nightly")
    append_journal(settings, "published", run_id="a", release_id="R-a")
    append_journal(settings, "ended", run_id="a")
    assert runner.invoke(cli.app, ["status", "--home", str(home)]).exit_code == cli.OK
    append_journal(settings, "started", run_id="b", job="nightly")
    append_journal(settings, "gate_closed", run_id="b", judged_hash="0")
    append_journal(settings, "ended", run_id="b")
    assert runner.invoke(cli.app, ["status", "--home", str(home)]).exit_code == cli.GATE_CLOSED
    append_journal(settings, "published", run_id="c", release_id="R-a")
    append_journal(settings, "started", run_id="d", job="nightly")
    assert runner.invoke(cli.app, ["status", "--home", str(home)]).exit_code == cli.FAILURE
