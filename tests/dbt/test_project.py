"""The project as a whole: it parses without warnings, its tests pass, it refuses what it must refuse."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from conftest import DATABASE, REPOSITORY, RULES, Build, copy_project, run_dbt, target_of
from landed import GATE, LANDED, SCHEME, write_candidate
from province import province


def test_all_unit_and_data_tests_pass(tmp_path: Path) -> None:
    """In place: the repository's own reference tables and row rules, every test of the project."""
    database = tmp_path / DATABASE
    write_candidate(database, province(2))
    done = run_dbt(REPOSITORY / "dbt", database, "build")
    assert done.returncode == 0, done.stdout[-6000:]
    assert " WARN=0 ERROR=0 SKIP=0 " in done.stdout
    assert "fct_indicator::indicator_cmi" in done.stdout


def test_an_empty_landing_zone_gives_empty_marts(build: Build) -> None:
    built = build({})
    assert built.rows("select count(*) from fct_indicator") == [(0,)]
    assert built.rows("select hospital_id, has_discharges from dim_hospital") == [("REGION", False)]
    assert built.rows("select distinct status from fct_dq_result") == [("not_applicable",)]


def test_row_rules_are_counted_per_organisation_and_month(build: Build) -> None:
    tables = province(3, discharges=40, hospitals=1)
    for row in tables["hqms_front_page"]:
        row["total_fee_fen"] = 1000
    for row in tables["hqms_front_page"][:3]:
        row["total_fee_fen"] = 0
    built = build(tables)
    counted = built.rows(
        "select sum(checked), sum(violated), count(*) from fct_dq_result where rule_id = 'fee_positive'"
    )
    months = {f"{row['discharge_time']:%Y-%m}" for row in tables["hqms_front_page"]}
    assert counted == [(40, 3, len(months))]
    # a catalogue has no organisation and no month; no accident was reported
    assert built.rows(
        "select organisation_id, month, checked, violated, status from fct_dq_result"
        " where rule_id in ('catalogue_level', 'accident_dated') order by rule_id"
    ) == [("", "", 0, 0, "not_applicable"), ("", "", 6, 0, "passed")]


@pytest.mark.parametrize("wrong", [None, "99"])
def test_province_must_be_given(tmp_path: Path, wrong: str | None) -> None:
    database = tmp_path / DATABASE
    write_candidate(database, {})
    done = run_dbt(REPOSITORY / "dbt", database, "compile", "-s", "dim_hospital", province=wrong)
    assert done.returncode != 0
    assert "province_division" in done.stdout and "六位" in done.stdout


def test_a_rule_over_an_unknown_table_stops_the_run(tmp_path: Path) -> None:
    database = tmp_path / DATABASE
    write_candidate(database, {})
    project = copy_project(tmp_path / "project", [RULES[0].replace("stg_hqms_front_page", "stg_nothing")])
    done = run_dbt(project, database, "build", "-s", "+int_rule_count", "--exclude-resource-type", "unit_test", "test")
    assert done.returncode != 0
    assert "fee_positive 指向未知的表 stg_nothing" in done.stdout


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], dict]:
    """Parsing needs neither a candidate nor a province."""
    database = tmp_path_factory.mktemp("parsed") / DATABASE
    done = run_dbt(REPOSITORY / "dbt", database, "parse", "--show-all-deprecations", province=None)
    return done, json.loads((target_of(database) / "manifest.json").read_text(encoding="utf-8"))


def test_parse_gives_no_warning(parsed: tuple[subprocess.CompletedProcess[str], dict]) -> None:
    done, _ = parsed
    assert done.returncode == 0
    assert "WARNING" not in done.stdout and "eprecation" not in done.stdout


def test_every_mart_names_its_key_and_describes_itself(parsed: tuple[object, dict]) -> None:
    nodes = parsed[1]["nodes"].values()
    marts = [node for node in nodes if "mart" in node["tags"] and node["resource_type"] == "model"]
    assert {mart["name"] for mart in marts} == {path.stem for path in (REPOSITORY / "dbt/models/marts").rglob("*.sql")}
    for mart in marts:
        assert mart["config"]["meta"]["key"] and set(mart["config"]["meta"]["key"]) <= set(mart["columns"])
        assert mart["config"]["contract"]["enforced"]
        for described in (mart, *mart["columns"].values()):
            chinese = described["description"].partition("。")[0]
            assert any("\u4e00" <= character <= "\u9fff" for character in chinese), described["name"]


def test_every_indicator_has_a_unit_test(parsed: tuple[object, dict]) -> None:
    tested = {test["name"] for test in parsed[1]["unit_tests"].values()}
    registry = (REPOSITORY / "dbt" / "seeds" / "indicators" / "indicators.csv").read_text(encoding="utf-8")
    assert {f"indicator_{line.partition(',')[0]}" for line in registry.splitlines()[1:]} <= tested


def test_sources_are_the_candidate_s_views(parsed: tuple[object, dict]) -> None:
    """Landed datasets, schemes and decisions, and the one table that exists only where a file of cases is grouped."""
    names = {source["name"] for source in parsed[1]["sources"].values()}
    assert names == {*LANDED, *SCHEME, *GATE, "grouping_case"}


def test_few_models_and_tests_read_the_front_pages(parsed: tuple[object, dict]) -> None:
    """Front pages are thirty million rows: whoever reads them, through views or not, reads them every night."""
    nodes = parsed[1]["nodes"]

    def reads(name: str) -> bool:
        if name not in nodes:
            return name.endswith(".landing.hqms_front_page")
        return any(reads(each) for each in nodes[name]["depends_on"]["nodes"] if is_view(each))

    def is_view(name: str) -> bool:
        return name not in nodes or nodes[name]["config"]["materialized"] in ("view", "ephemeral")

    readers = [
        node["name"]
        for name, node in nodes.items()
        if node["resource_type"] in ("model", "test") and not is_view(name) and reads(name)
    ]
    assert "int_cell" in readers
    assert len(readers) <= 16, sorted(readers)
