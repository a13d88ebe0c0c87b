"""The wiring: what Dagster knows, in which order things happen, and what stops them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from support.job import fingerprint

from dagster_project.defs import automation, build_definitions, gates, landing, promises, publish, transform
from dagster_project.defs.resources import HomeResource
from dagster_project.instance import prepare_dagster_home
from dagster_project.promises import Promise
from dagster_project.settings import Settings, load_settings
from dagster_project.workspace import append_journal, read_journal
from expectations.content import content_hash
from expectations.verdict import Result, Severity, Status, Verdict, judged_by
from sources.landing import DATASETS
from sources.privacy import new_key

# as much as the release asks of it before it judges
PROVENANCE = {"code": {"folders": {"dbt": "0" * 64}}}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with key and province, and nothing in its inbox."""
    folder = tmp_path_factory.mktemp("installation")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ZHUANKE_", "DAGSTER_HOME"))]:
            patch.delenv(name)
        patch.setenv("ZHUANKE_PSEUDONYM_KEY_FILE", str(folder / "key" / "pseudonym.key"))
        patch.setenv("ZHUANKE_PROVINCE_DIVISION", "990000")
        patch.setenv("ZHUANKE_HOME", str(folder / "home"))
        new_key(folder / "key" / "pseudonym.key")
        yield load_settings()


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    """All definitions; parses the dbt project once."""
    return build_definitions(settings)


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions) -> dict[dg.AssetKey, dg.AssetSpec]:
    """Every asset by key."""
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


@pytest.fixture
def home(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HomeResource:
    """The resource on an empty home of its own."""
    monkeypatch.setenv("ZHUANKE_HOME", str(tmp_path / "home"))
    return HomeResource(home=str(tmp_path / "home"))


def above(graph: dict[dg.AssetKey, dg.AssetSpec], key: dg.AssetKey) -> set[dg.AssetKey]:
    """Everything that an asset is computed from, directly or not."""
    found: set[dg.AssetKey] = set()
    waiting = [key]
    while waiting:
        for dep in graph[waiting.pop()].deps:
            if dep.asset_key not in found:
                found.add(dep.asset_key)
                waiting.append(dep.asset_key)
    return found


# --- the graph


def test_every_landed_dataset_is_an_asset_that_dbt_reads(graph: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    read_by_dbt = {dep.asset_key for spec in graph.values() if "dbt" in spec.kinds for dep in spec.deps}
    for dataset in DATASETS:
        assert graph[landing.dataset_key(dataset)].deps == [dg.AssetDep(landing.INTAKE)]
        assert landing.dataset_key(dataset) in read_by_dbt


def test_no_asset_waits_for_something_that_nobody_makes(graph: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    assert {dep.asset_key for spec in graph.values() for dep in spec.deps} <= set(graph)


def test_whatever_reads_landed_data_waits_for_the_candidate(graph: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for spec in graph.values():
        if "dbt" in spec.kinds and any(dep.asset_key.path[0] == "landing" for dep in spec.deps):
            assert transform.CANDIDATE in {dep.asset_key for dep in spec.deps}, spec.key


def test_the_release_is_made_of_all_marts_and_all_datasets(graph: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    marts = {key for key, spec in graph.items() if spec.group_name == "marts"}
    assert dg.AssetKey("fct_indicator") in marts
    made_of = above(graph, publish.RELEASE)
    assert marts <= made_of
    assert {landing.dataset_key(dataset) for dataset in DATASETS} <= made_of
    # a blocking check stops only those that depend directly on what it judges
    assert graph[publish.RELEASE].deps == [dg.AssetDep(gates.MARTS_EXPORT)]


def test_the_job_runs_every_asset_and_every_check(
    definitions: dg.Definitions, graph: dict[dg.AssetKey, dg.AssetSpec]
) -> None:
    job = definitions.resolve_job_def(automation.NIGHTLY)
    assert job.asset_layer.executable_asset_keys == set(graph)
    gate = dg.AssetCheckKey(gates.MARTS_EXPORT, "gate")
    assert gate in job.asset_layer.asset_graph.asset_check_keys
    assert job.executor_def.name == "in_process"


def test_freshness_is_judged_where_a_rhythm_can_be_missed(graph: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    judged = {key for key, spec in graph.items() if spec.freshness_policy is not None}
    assert judged == {landing.dataset_key("hqms_front_page"), publish.RELEASE}


def test_what_an_operator_or_a_reader_opens_says_what_it_is(
    graph: dict[dg.AssetKey, dg.AssetSpec],
) -> None:
    opened = [spec for spec in graph.values() if spec.group_name != "reference"]
    silent = [spec.key.to_user_string() for spec in opened if not spec.description]
    assert silent == []


def test_the_manifest_is_parsed_once_per_state_of_the_project(settings: Settings, definitions: dg.Definitions) -> None:
    project = transform.prepared_project(settings)
    before = project.manifest_path.stat().st_mtime_ns
    assert transform.prepared_project(settings).manifest_path.stat().st_mtime_ns == before
    nodes = json.loads(project.manifest_path.read_text())["nodes"]
    assert all(node["resource_type"] != "unit_test" for node in nodes.values())


# --- what is promised of the tables


def test_a_table_has_one_check_for_all_that_is_promised_of_it(definitions: dg.Definitions) -> None:
    checks = definitions.resolve_job_def(automation.NIGHTLY).asset_layer.asset_graph.asset_check_keys
    tables = [key.asset_key.to_user_string() for key in checks if key.name == promises.NAME]
    assert len(tables) == len(set(tables)) > 100
    assert {"fct_indicator", "int_cell", "switches"} <= set(tables)
    assert checks - {dg.AssetCheckKey(dg.AssetKey(table), promises.NAME) for table in tables} == {
        dg.AssetCheckKey(gates.MARTS_EXPORT, "gate")
    }


@pytest.mark.parametrize(("value", "exported"), [("'H1'", True), ("null", False)])
def test_a_broken_promise_is_named_and_nothing_is_exported(home: HomeResource, value: str, exported: bool) -> None:
    asked = {
        "fct_x": [Promise("fct_x", "id 不应为空", "select id from fct_x where id is null")],
        "int_y": [Promise("int_y", "id 不应为空", "select id from int_y where id is null")],
    }

    @dg.multi_asset(
        specs=[dg.AssetSpec("fct_x"), dg.AssetSpec("int_y")],
        check_specs=[promises.check_spec(dg.AssetKey(table), asked[table], {}) for table in asked],
    )
    def warehouse(context, home: HomeResource) -> Iterator[object]:
        with duckdb.connect(str(home.workspace.candidate_db)) as connection:
            connection.execute(f"create table fct_x as select {value} as id; create table int_y as select 1 as id")
        yield from (dg.MaterializeResult(table) for table in asked)
        yield from promises.check(context, home, asked)

    exports = []

    @dg.asset(key=gates.MARTS_EXPORT, deps=["fct_x"])
    def marts_export() -> None:
        exports.append(True)

    result = dg.materialize([warehouse, marts_export], resources={"home": home}, raise_on_error=False)
    assert bool(exports) == exported
    evaluations = {one.asset_key.to_user_string(): one for one in result.get_asset_check_evaluations()}
    assert {table: one.passed for table, one in evaluations.items()} == {"fct_x": exported, "int_y": True}
    if not exported:
        assert evaluations["fct_x"].description == "fct_x：id 不应为空；1 处不符"
        [failure] = [event for event in result.all_events if event.is_step_failure]
        assert "fct_x：id 不应为空；1 处不符" in failure.step_failure_data.user_failure_data.description


# --- the gate


def verdict(status: Status) -> Verdict:
    """A verdict of one critical check."""
    result = Result(id="x", title_zh="检查", dataset="d", severity=Severity.CRITICAL, status=status)
    return Verdict.of("0" * 64, "1" * 64, [result])


@pytest.mark.parametrize(("status", "released"), [(Status.PASSED, True), (Status.FAILED, False)])
def test_a_closed_gate_stops_the_release_in_the_same_run(
    home: HomeResource, monkeypatch: pytest.MonkeyPatch, status: Status, released: bool
) -> None:
    published = []

    @dg.asset(key=gates.MARTS_EXPORT)
    def marts_export(home: HomeResource) -> None:
        home.workspace.marts.mkdir()

    @dg.asset(key=publish.RELEASE, deps=[gates.MARTS_EXPORT])
    def release() -> None:
        published.append(True)

    monkeypatch.setattr("expectations.runner.judge", lambda folder, **_: verdict(status))
    result = dg.materialize([marts_export, release, gates.gate], resources={"home": home}, raise_on_error=False)
    assert (result.success, bool(published)) == (released, released)
    events = [event["event"] for event in read_journal(load_settings(Path(home.home)))]
    assert events == (["started", "ended"] if released else ["started", "gate_closed", "ended"])


def test_the_release_asset_alone_refuses_what_was_never_judged(
    settings: Settings, home: HomeResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody clicks on `release` in the interface: no gate in that run, and therefore no release."""

    @dg.asset(key=gates.MARTS_EXPORT)
    def marts_export(home: HomeResource) -> None:
        (home.workspace.marts / "data").mkdir(parents=True)
        (home.workspace.marts / "data" / "fct_x.parquet").write_bytes(b"never judged")
        (home.workspace.marts / "marts.duckdb").write_bytes(b"never judged")

    monkeypatch.setattr("publishing.provenance.collect_provenance", lambda *_, **__: PROVENANCE)
    monkeypatch.setattr("sources.candidate.last_month", lambda _: "2024-12")
    result = dg.materialize(
        [marts_export, publish.release_asset(settings)], resources={"home": home}, raise_on_error=False
    )
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "release"
    description = failure.step_failure_data.user_failure_data.description
    assert "裁决" in description and "不发布" in description
    assert not (Path(home.home) / "current").exists()


@pytest.fixture
def published(home: HomeResource) -> Path:
    """A release that readers use."""
    folder = Path(home.home) / "releases" / "2024-11-a"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "fct_x.parquet").write_bytes(b"yesterday")
    (Path(home.home) / "current").symlink_to("releases/2024-11-a")
    return Path(home.home) / "current"


def export(home: HomeResource) -> None:
    (home.workspace.marts / "data").mkdir(parents=True)
    (home.workspace.marts / "data" / "fct_x.parquet").write_bytes(b"tonight")
    (home.workspace.marts / "marts.duckdb").write_bytes(b"tonight")


def judging(outcome: Status | Exception) -> Callable[..., Verdict]:
    def judge(folder: Path, **_: object) -> Verdict:
        if isinstance(outcome, Exception):
            raise outcome
        found = Result(id="x", title_zh="检查", dataset="d", severity=Severity.CRITICAL, status=outcome)
        return Verdict.of(content_hash(folder), judged_by(), [found])

    return judge


@pytest.mark.parametrize("outcome", [Status.FAILED, Status.ERROR, RuntimeError("the check itself broke")])
def test_what_the_gate_did_not_open_is_not_published_by_a_later_run_of_the_release_alone(
    settings: Settings,
    home: HomeResource,
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Status | Exception,
) -> None:
    """The blocking check stops only its own run: the release must find out for itself, whatever came of the check."""
    before = fingerprint(published)
    monkeypatch.setattr("expectations.runner.judge", judging(outcome))
    monkeypatch.setattr("publishing.provenance.collect_provenance", lambda *_, **__: PROVENANCE)
    monkeypatch.setattr("sources.candidate.last_month", lambda _: "2024-12")

    @dg.asset(key=gates.MARTS_EXPORT)
    def marts_export(home: HomeResource) -> None:
        export(home)

    release = publish.release_asset(settings)
    first = dg.materialize([marts_export, release, gates.gate], resources={"home": home}, raise_on_error=False)
    later = dg.materialize([marts_export, release], resources={"home": home}, raise_on_error=False)
    alone = dg.materialize([release], resources={"home": home}, raise_on_error=False)
    assert [run.success for run in (first, later, alone)] == [False, False, False]
    assert published.readlink() == Path("releases/2024-11-a")
    assert fingerprint(published) == before


# --- the home as a resource


def test_a_killed_run_is_closed_in_dagsters_records_by_the_next(home: HomeResource) -> None:
    @dg.op
    def nothing(home: HomeResource) -> None:
        pass

    @dg.job(resource_defs={"home": home})
    def job() -> None:
        nothing()

    settings = load_settings(Path(home.home))
    with dg.instance_for_test() as instance:
        killed = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        append_journal(settings, "started", run_id=killed.run_id, job="nightly")
        assert job.execute_in_process(instance=instance).success
        closed = instance.get_run_by_id(killed.run_id)
        assert closed is not None and closed.status == dg.DagsterRunStatus.FAILURE


def test_only_errors_that_pass_are_tried_again() -> None:
    with pytest.raises(dg.RetryRequested), landing.retrying_passing_errors():
        raise OSError(errno.ESTALE, "share went away")
    with pytest.raises(OSError, match="disk"), landing.retrying_passing_errors():
        raise OSError(errno.ENOSPC, "disk is full")


def test_dagster_yaml_is_written_once_and_then_the_operators(home: HomeResource) -> None:
    settings = load_settings(Path(home.home))
    prepare_dagster_home(settings)
    file = settings.dagster_home / "dagster.yaml"
    assert "telemetry:\n  enabled: false" in file.read_text()
    file.write_text("telemetry:\n  enabled: false\n# mine\n")
    prepare_dagster_home(settings)
    assert file.read_text().endswith("# mine\n")


# --- automation


def test_the_schedule_skips_with_a_reason_when_there_is_nothing_to_do(
    home: HomeResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G-09: the evaluation comes round by itself."""
    settings = load_settings(Path(home.home))
    schedule = automation.nightly_schedule(settings)
    assert schedule.execution_timezone == "Asia/Shanghai"
    for idle, requested in [(True, 0), (False, 1)]:
        monkeypatch.setattr(automation, "nothing_to_do", lambda _, idle=idle: idle)
        with dg.instance_for_test() as instance:
            tick = schedule.evaluate_tick(dg.build_schedule_context(instance=instance))
        assert len(tick.run_requests or []) == requested
        assert bool(tick.skip_message) == idle
    assert [event["event"] for event in read_journal(settings)] == ["up_to_date"]


def test_the_sensor_waits_until_files_stop_changing(home: HomeResource) -> None:
    settings = load_settings(Path(home.home))
    sensor = automation.inbox_sensor(settings)
    settings.inbox.mkdir(parents=True)
    arriving = settings.inbox / "drg" / "a.csv"

    def look(cursor: str | None) -> tuple[int, str | None]:
        with dg.instance_for_test() as instance:
            tick = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor))
        return len(tick.run_requests or []), tick.cursor

    arriving.parent.mkdir()
    arriving.write_text("half")
    first, cursor = look(None)
    arriving.write_text("half and the rest")
    second, cursor = look(cursor)
    third, _ = look(cursor)
    assert (first, second, third) == (0, 0, 1)
