"""Dagster's records over connections that stay open: read by others meanwhile, whole after a kill, as ever on disk."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import event
from sqlalchemy.pool import Pool

from dagster_project.event_log import OpenEventLog
from dagster_project.instance import open_instance
from dagster_project.settings import load_settings

# two assets and a failed check, and then it waits for its end
RUN = """
import sys, time
from pathlib import Path
import dagster as dg
from dagster_project.instance import open_instance
from dagster_project.settings import load_settings

@dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b"), dg.AssetSpec("c")],
                check_specs=[dg.AssetCheckSpec("promises", asset="a")])
def warehouse():
    yield dg.MaterializeResult("a", metadata={"rows": 7})
    yield dg.AssetCheckResult(asset_key="a", check_name="promises", passed=False, metadata={"broken": 2})
    yield dg.MaterializeResult("b")
    print("ready", flush=True)
    time.sleep(600)
    yield dg.MaterializeResult("c")

with open_instance(load_settings(Path(sys.argv[1]))) as instance:
    dg.materialize([warehouse], instance=instance)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("ZHUANKE_HOME", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # what opening an instance sets is undone with it
    yield tmp_path / "home"


def materialized(instance: dg.DagsterInstance) -> list[str]:
    return sorted(
        key.to_user_string()
        for key in map(dg.AssetKey, "abc")
        if instance.get_latest_materialization_event(key) is not None
    )


def test_a_run_is_read_while_it_writes_and_nothing_of_it_is_lost_when_it_is_killed(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(home)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    with open_instance(load_settings(home)) as instance:
        try:
            assert process.stdout.readline() == "ready\n"
            assert materialized(instance) == ["a", "b"]
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert materialized(instance) == ["a", "b"]
        latest = instance.get_latest_materialization_event(dg.AssetKey("a"))
        assert latest is not None and latest.asset_materialization is not None
        assert latest.asset_materialization.metadata["rows"].value == 7

    # Dagster's own storage opens the same files
    storage = DagsterSqliteStorage.from_local(str(home / "dagster"))
    [run] = storage.run_storage.get_runs()
    records = storage.event_log_storage.get_logs_for_run(run.run_id)
    [check] = [
        record.dagster_event.asset_check_evaluation_data
        for record in records
        if record.dagster_event is not None and record.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    assert (check.check_name, check.passed, check.metadata["broken"].value) == ("promises", False, 2)


def test_connections_are_few_however_many_events_and_runs_there_are(home: Path) -> None:
    @dg.asset
    def a() -> None:
        pass

    opened: list[object] = []

    def count(connection: object, _: object) -> None:
        opened.append(connection)

    with open_instance(load_settings(home)) as instance:
        log = instance.event_log_storage
        assert isinstance(log, OpenEventLog)
        runs = [dg.materialize([a], instance=instance).run_id for _ in range(3)]
        event.listen(Pool, "connect", count)
        try:
            for run in runs:
                assert len(log.get_logs_for_run(run)) > 5
                log.has_asset_key(dg.AssetKey("a"))
        finally:
            event.remove(Pool, "connect", count)
        # one for each run that was looked at, none for the index; and only the last is still open
        assert len(opened) <= len(runs)
        assert set(log._engines) == {"index", runs[-1]}
