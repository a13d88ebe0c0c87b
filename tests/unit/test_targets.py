"""A release mirrored into a real database: what arrives, what readers see, what a rollback, a fault and a kill do."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from hand_made_marts import specs, warehouse
from support.postgres import Postgres
from test_publishing_release import CHEAPER, Home

from publishing.export import ColumnSpec, MartSpec, export_marts
from publishing.targets import sql
from publishing.targets.layout import TargetProblem, read_content
from publishing.targets.sql import Mirror

CMI = "select distinct value from {view} where indicator_id = 'cmi' and hospital_id = 'H1'"


def release(home: Home, release_id: str, *changes: str, marts: list[MartSpec] | None = None) -> Path:
    """A published release of the hand-made marts after the changes."""
    folder = home.root / "work" / release_id / "marts"
    export_marts(warehouse(home.root / f"{release_id}.duckdb", *changes), folder, marts or described())
    home.judge(folder)
    return home.publish(folder, release_id).folder


def described() -> list[MartSpec]:
    """The hand-made marts; who may read what is declared as dbt would."""
    everyone = {"dim_specialty", "dim_indicator", "dim_window", "ref_drg_benchmark"}
    return [replace(spec, access="everyone" if spec.name in everyone else "") for spec in specs()]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three releases of one structure: the second halves the case-mix index, the third doubles it."""
    home = Home(tmp_path_factory.mktemp("releases"))
    return {
        "R1": release(home, "R1"),
        "R2": release(home, "R2", CHEAPER),
        "R3": release(home, "R3", CHEAPER.replace("/ 2", "* 2")),
    }


@pytest.fixture(params=["postgres", "mariadb", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that can be had here."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mirror.db'}"
    return str(request.getfixturevalue(request.param).database())


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.database()


def mirror(url: str, reader: str | None = None) -> Mirror:
    return Mirror(sa.make_url(url), reader=reader)


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    """The answer to a question about views, `{v1}` standing before their names."""
    made = sa.make_url(url)
    v1 = "zhuanke_v1." if made.get_backend_name() == "postgresql" else "zhuanke_v1_"
    engine = sa.create_engine(made, poolclass=sa.NullPool)
    with engine.connect() as connection:
        if made.get_backend_name() == "mysql":
            connection.exec_driver_sql("set sql_mode = 'ansi_quotes'")
        return [tuple(row) for row in connection.exec_driver_sql(query.replace("{v1}", v1))]


def cmi(url: str) -> str:
    [(value,)] = ask(url, CMI.format(view="{v1}fct_indicator"))
    return str(value)


# --- what arrives


def test_every_value_of_every_mart_arrives_exactly(url: str, releases: dict[str, Path]) -> None:
    mirror(url).push(releases["R1"])
    for mart in read_content(releases["R1"]).marts:
        columns = ", ".join(f'cast("{column.name}" as varchar)' for column in mart.columns)
        order = ", ".join(f'"{name}"' for name in mart.key)
        expected = duckdb.sql(f"select {columns} from '{mart.path}' order by {order}").fetchall()
        flags = {i for i, column in enumerate(mart.columns) if column.physical == "BOOLEAN"}
        names = ", ".join(f'"{name}"' for name in mart.names)
        found = [
            tuple(None if v is None else str(bool(v)).lower() if i in flags else written(v) for i, v in enumerate(row))
            for row in ask(url, f"select {names} from {{v1}}{mart.name}")
        ]
        assert sorted(found, key=repr) == sorted(expected, key=repr), mart.name


def written(value: object) -> str:
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)


def test_postgresql_gets_exact_types_keys_and_chinese_comments(database: str, releases: dict[str, Path]) -> None:
    mirror(database).push(releases["R1"])
    inspector = sa.inspect(sa.create_engine(database))
    [schema] = [name for name in inspector.get_schema_names() if name.startswith("zhuanke_data_")]
    columns = {column["name"]: column for column in inspector.get_columns("fct_indicator", schema)}
    assert str(columns["value"]["type"]) == "NUMERIC(24, 8)"
    assert str(columns["hospital_id"]["type"]) == "TEXT"
    assert columns["value"]["comment"] == "列 value。 Column."
    assert inspector.get_table_comment("fct_indicator", schema)["text"] == "表 fct_indicator。 Table."
    assert inspector.get_pk_constraint("fct_indicator", schema)["constrained_columns"] == [
        "release_id",
        "hospital_id",
        "specialty_code",
        "attribution",
        "window_id",
        "indicator_id",
    ]
    for kind in ("double precision", "real"):
        query = f"select table_name from information_schema.columns where data_type = '{kind}'"
        assert not ask(database, f"{query} and table_schema ~ '^zhuanke'")
    uncommented = ask(
        database,
        "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 "
        "join pg_namespace n on n.oid = c.relnamespace and n.nspname ~ '^zhuanke' "
        "where c.relkind in ('r', 'v') and (col_description(c.oid, a.attnum) is null "
        "or obj_description(c.oid, 'pg_class') is null)",
    )
    assert uncommented == []


def test_floating_point_has_no_place_in_a_target(database: str, tmp_path: Path) -> None:
    folder = release(Home(tmp_path), "R1", "alter table fct_measure alter value type double")
    with pytest.raises(TargetProblem, match="列 value 的类型 DOUBLE"):
        mirror(database).push(folder)


# --- push, roll back, push again


def test_push_rollback_and_what_an_automatic_push_leaves_alone(url: str, releases: dict[str, Path]) -> None:
    target = mirror(url)
    assert target.push(releases["R1"]).outcome == "pushed"
    assert target.push(releases["R1"]).outcome == "up_to_date"
    assert target.push(releases["R2"]).outcome == "pushed"
    assert cmi(url) == "0.50000000"
    assert ask(url, "select release_id from {v1}release") == [("R2",)]

    assert target.rollback() == "R1"
    assert cmi(url) == "1.00000000"
    assert target.push(releases["R2"], automatic=True).outcome == "held_back"
    assert cmi(url) == "1.00000000"
    assert target.push(releases["R2"]).outcome == "pushed"
    assert cmi(url) == "0.50000000"

    assert target.rollback() == "R1"
    assert target.push(releases["R3"], automatic=True).outcome == "pushed"
    state = target.status()
    assert (state.current, state.previous, state.held_back) == ("R3", "R1", None)
    assert target.faults(releases["R3"]) == []
    with pytest.raises(TargetProblem, match="没有发布版 R2"):
        target.faults(releases["R2"])


def test_first_release_cannot_be_rolled_back(url: str, releases: dict[str, Path]) -> None:
    with pytest.raises(TargetProblem, match="还没有发布版"):
        mirror(url).rollback()
    mirror(url).push(releases["R1"])
    with pytest.raises(TargetProblem, match="没有可退回"):
        mirror(url).rollback()


def test_what_arrives_otherwise_than_sent_is_not_shown(
    url: str, releases: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = mirror(url)
    target.push(releases["R1"])
    load = sql._load

    def careless(at: sql.Session, content: sql.Content, tables: sql.Tables) -> None:
        load(at, content, tables)
        dropped = tables["fct_measure"]
        changed = tables["dim_hospital"]
        at.connection.execute(sa.delete(dropped).where(dropped.c.hospital_id == "H1"))
        at.connection.execute(sa.update(changed).where(changed.c.hospital_id == "H2").values(name_zh="别名"))

    monkeypatch.setattr(sql, "_load", careless)
    with pytest.raises(TargetProblem, match=r"dim_hospital 行数相同而内容不同；fct_measure 行数 \d+，应为 \d+"):
        target.push(releases["R2"])
    assert cmi(url) == "1.00000000"
    monkeypatch.undo()
    assert target.push(releases["R2"]).outcome == "pushed"


def test_damaged_release_is_not_pushed(url: str, releases: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "R1"
    shutil.copytree(releases["R1"], folder)
    damaged = folder / "data" / "dim_hospital.parquet"
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes() + b"\0")
    with pytest.raises(TargetProblem, match=r"已损坏，不推送：dim_hospital\.parquet"):
        mirror(url).push(folder)


# --- the interface only grows


def test_new_software_keeps_every_column_of_the_interface(url: str, tmp_path: Path) -> None:
    home, target = Home(tmp_path), mirror(url)
    target.push(release(home, "R1"))

    def changed(spec: MartSpec) -> MartSpec:
        if spec.name == "dim_window":
            kept = tuple(column for column in spec.columns if column.name != "incomplete_reason")
            return replace(spec, columns=(*kept, ColumnSpec("season", "季", "季。 Season.", "", "改用 first_year")))
        return spec

    changes = (
        "alter table dim_window drop column incomplete_reason",
        "alter table dim_window add column season varchar default '春'",
        "alter table fct_measure alter value type decimal(30, 8)",
    )
    marts = [changed(spec) for spec in described() if spec.name != "fct_list_move"]
    target.push(release(home, "R2", *changes, marts=marts))

    assert ask(url, "select window_id, incomplete_reason, season from {v1}dim_window") == [("2023", None, "春")]
    assert ask(url, "select count(*) from {v1}fct_list_move") == [(0,)]
    deprecations = "select table_name, column_name, deprecated_since, note_zh from {v1}deprecations order by 1, 2"
    noted = ask(url, deprecations)
    assert ("dim_window", "incomplete_reason", "R2", "新版本不再提供此列，值为空") in noted
    assert ("dim_window", "season", "R2", "改用 first_year") in noted
    assert {row[0] for row in noted} == {"dim_window", "fct_list_move"}

    assert target.rollback() == "R1"
    assert ask(url, "select window_id, incomplete_reason, season from {v1}dim_window") == [("2023", None, None)]
    assert ask(url, "select count(*) from {v1}fct_list_move") == [(2,)]
    assert target.push(home.releases / "R2").outcome == "pushed"
    assert ask(url, "select season from {v1}dim_window") == [("春",)]


# --- kills


STEPS = ("_prepare", "_load", "_verify", "_switch", "_tidy")
AT_ONCE = {("_verify", "before"), ("_switch", "after"), ("_tidy", "before")}
KILLS = [
    pytest.param(step, when, marks=() if (step, when) in AT_ONCE else pytest.mark.slow)
    for step in STEPS
    for when in ("before", "after")
]
KILLED = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from publishing.targets import sql

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

real = getattr(sql, {step!r})
if {when!r} == "before":
    setattr(sql, {step!r}, die)
else:
    setattr(sql, {step!r}, lambda *arguments: (real(*arguments), die()))
sql.Mirror(sa.make_url({url!r})).push(Path({folder!r}))
"""


@pytest.mark.parametrize(("step", "when"), KILLS)
def test_killed_push_leaves_old_or_new_whole_and_the_next_one_cleans_up(
    step: str, when: str, database: str, releases: dict[str, Path]
) -> None:
    target = mirror(database)
    target.push(releases["R1"])
    script = KILLED.format(step=step, when=when, url=database, folder=str(releases["R2"]))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr

    # within the transaction nothing has happened yet; before and after tidying, everything that readers see has
    expected = "R2" if step == "_tidy" else "R1"
    assert target.status().current == expected
    assert target.faults(releases[expected]) == []
    assert cmi(database) == {"R1": "1.00000000", "R2": "0.50000000"}[expected]

    target.push(releases["R3"])
    assert cmi(database) == "2.00000000"
    held = {row[0] for row in ask(database, "select release_id from zhuanke.release")}
    assert held == {expected, "R3"}
    [(schema,)] = ask(database, "select schema_name from information_schema.schemata where schema_name ~ '_data_'")
    rows = ask(database, f"select distinct release_id from {schema}.fct_indicator")
    assert {row[0] for row in rows} == held


# --- readers


def test_a_readers_transaction_sees_one_release(database: str, releases: dict[str, Path]) -> None:
    target = mirror(database)
    target.push(releases["R1"])
    engine = sa.create_engine(database, isolation_level="REPEATABLE READ")
    with engine.connect() as reader:
        first = reader.exec_driver_sql("select release_id from zhuanke_v1.release").scalar()
        target.push(releases["R2"])  # does not wait for the reader
        query = CMI.format(view="zhuanke_v1.fct_indicator")
        assert (first, str(reader.exec_driver_sql(query).scalar())) == ("R1", "1.00000000")
    engine.dispose()
    assert cmi(database) == "0.50000000"


def test_password_is_in_no_message() -> None:
    with pytest.raises(TargetProblem) as caught:
        mirror("postgresql+psycopg://reader:机密@127.0.0.1:1/none").status()
    assert "机密" not in str(caught.value)
    assert "reader:***@127.0.0.1" in str(caught.value)


def test_other_databases_are_refused_by_name() -> None:
    with pytest.raises(TargetProblem, match="不支持的目标库 oracle"):
        mirror("oracle+oracledb://reader@127.0.0.1/none")


# --- who sees what


@pytest.fixture(scope="module")
def guarded(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A mirror of two hospitals in two cities, and a role for each kind of reader; `guarded.url("test", user=…)`."""
    home = Home(tmp_path_factory.mktemp("guarded"))
    marts = [
        replace(spec, columns=(*spec.columns, ColumnSpec("division", "区划", "区划。 Division.", "")))
        if spec.name == "dim_hospital"
        else spec
        for spec in described()
    ]
    folder = release(
        home,
        "R1",
        "alter table dim_hospital add column division varchar",
        "update dim_hospital set division = case hospital_id when 'H1' then '990102' when 'H2' then '990201' end",
        marts=marts,
    )
    admin = sa.create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("create database guarded")
        for role in ("reader_all", "city_1", "hospital_1", "hospital_group", "nobody"):
            connection.exec_driver_sql(f"create role {role} login")
        connection.exec_driver_sql("create role member login in role hospital_group")
    target = mirror(postgres.url("guarded"), reader="reader_all")
    target.push(folder)
    target.grant("city_1", "city", "990100")
    target.grant("hospital_1", "hospital", "H1")
    target.grant("hospital_group", "hospital", "H2")
    yield postgres
    admin.dispose()


def organisations(server: Postgres, role: str) -> set[object]:
    """Every organisation that a role sees through any view."""
    url = server.url("guarded", user=role)
    views = ask(
        url,
        "select table_name, column_name from information_schema.columns where table_schema = 'zhuanke_v1' "
        "and column_name in ('hospital_id', 'organisation_id')",
    )
    assert len(views) >= 10
    return {row[0] for view, column in views for row in ask(url, f"select distinct {column} from {{v1}}{view}")}


def test_a_role_sees_its_own_rows_alone_through_every_view(guarded: Postgres) -> None:
    assert organisations(guarded, "hospital_1") == {"H1", "REGION"}
    assert organisations(guarded, "city_1") == {"H1", "REGION"}
    assert organisations(guarded, "member") == {"H2", "REGION"}
    assert organisations(guarded, "reader_all") == {"H1", "H2", "REGION"}


@pytest.mark.parametrize(
    ("view", "seen_by"),
    [
        ("ref_drg_benchmark", {"hospital_1", "city_1", "reader_all"}),  # declared open
        ("fct_patient_flow", {"city_1", "reader_all"}),  # by the city of the hospitals
        ("fct_selection_quota", {"reader_all"}),  # neither: closed
    ],
)
def test_tables_without_an_organisation_follow_the_documented_rule(
    view: str, seen_by: set[str], guarded: Postgres
) -> None:
    roles = ("hospital_1", "city_1", "reader_all")
    count = f"select count(*) > 0 from {{v1}}{view}"
    assert {role for role in roles if ask(guarded.url("guarded", user=role), count) == [(True,)]} == seen_by


@pytest.mark.parametrize(
    "statement",
    [
        "update zhuanke_v1.fct_indicator set value = 1",
        "insert into zhuanke.access values ('hospital_1', 'province', '')",
        "delete from zhuanke.pointer",
        "create table zhuanke_v1.mine (x int)",
        "select * from zhuanke.access",
        "drop view zhuanke_v1.fct_indicator",
    ],
)
def test_a_reader_cannot_write_nor_widen_its_own_view(statement: str, guarded: Postgres) -> None:
    for role in ("reader_all", "hospital_1"):
        with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"):
            ask(guarded.url("guarded", user=role), statement)


def test_who_was_granted_nothing_sees_nothing(guarded: Postgres) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        ask(guarded.url("guarded", user="nobody"), "select * from zhuanke_v1.dim_window")


def test_grants_are_listed_revoked_and_refused_for_roles_that_they_would_not_bind(guarded: Postgres) -> None:
    target = mirror(guarded.url("guarded"))
    assert ("city_1", "city", "990100") in target.grants()
    target.grant("nobody", "hospital", "H2")
    assert organisations(guarded, "nobody") == {"H2", "REGION"}
    target.revoke("nobody")
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        ask(guarded.url("guarded", user="nobody"), "select * from zhuanke_v1.dim_window")
    with pytest.raises(TargetProblem, match="没有角色 missing"):
        target.grant("missing", "province")
    with pytest.raises(TargetProblem, match="超级用户"):
        target.grant("postgres", "hospital", "H1")
