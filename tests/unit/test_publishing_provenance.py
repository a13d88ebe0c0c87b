"""Provenance: a function of code and inputs, complete and without paths or times."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publishing.provenance import FOLDERS, collect_provenance

SHA256, SUPERSEDED = "ab" * 32, "cd" * 32
GROUPING = {"drg_source": "own", "drg_edition": "T-1.0"}
SETTINGS: dict[str, Any] = {"province": "990000", "grouping": GROUPING}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
        (root / folder / "model.sql").write_text("select 1", encoding="utf-8")
    (root / "requirements.lock").write_text("duckdb==1.5.5\n", encoding="utf-8")
    switches = root / "dbt/seeds/indicators/switches.csv"
    switches.parent.mkdir(parents=True)
    switches.write_text("switch_id,value,status\ntrim_max_los_days,60,provisional\n", encoding="utf-8")
    return root


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    path = tmp_path / "it's.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(
            f"""
            create schema landing;
            create table landing.receipt as select * from (values
                ('drg_result', '{SHA256}', 'drg_result_1', 'gb18030', 10, 9, 1, true, null),
                ('drg_result', '{SUPERSEDED}', 'drg_result_1', 'utf-8', 10, 10, 0, false, null)
            ) t (dataset, source_sha256, layout, encoding, rows_read, rows_landed, rows_quarantined, in_force,
                     refused);
            create table landing.in_force as select * from (values
                ('drg_result', ['H2', '2023-02'], '{SHA256}'), ('drg_result', ['H2', '2023-01'], '{SHA256}')
            ) t (dataset, slice, source_sha256);
            create schema gate;
            create table gate.held_back as select 'drg_result' as dataset, 'H1' as organisation_id,
                '2023-01' as month, cast(0.05 as decimal(18, 8)) as threshold;
            create table gate.passed_over as select 'drg_result' as dataset, ['H1', '2023-01'] as slice,
                '{SUPERSEDED}' as source_sha256, cast(0.05 as decimal(18, 8)) as threshold;
            create table gate.threshold as select 'rule' as rule_id, cast(0.1 as decimal(18, 8)) as threshold;
            create table landing.surgery_catalogue as select unnest(['2023', '2022', '2022']) as edition;
            create table landing.drg_result as select unnest(['CN-DRG 2023', null]) as scheme_edition;
            create schema scheme;
            create table scheme.scheme as select 'T-1.0' as edition_id, '小方案' as name_zh, '某省' as owner,
                '内部使用' as licence, '{"01" * 32}' as content_sha256, '{"02" * 32}' as content_sm3;
            """
        )
    return path


@pytest.fixture
def receipts(tmp_path: Path) -> Path:
    folder = tmp_path / "receipts"
    folder.mkdir()
    landed = tmp_path / "landing" / "drg.parquet"
    landed.parent.mkdir()
    landed.write_bytes(b"landed")
    receipt = {
        "method": "m1",
        "source": {"path": "drg/hospital.csv", "sm3": "ef" * 32},
        "outputs": [{"path": "landing/drg.parquet"}],
    }
    for sha256 in (SHA256, SUPERSEDED):
        (folder / f"{sha256}.json").write_text(json.dumps(receipt), encoding="utf-8")
    return folder


def test_what_the_numbers_are_made_of(project: Path, candidate: Path, receipts: Path) -> None:
    found = collect_provenance(project, candidate, receipts=receipts, **SETTINGS)
    assert found["inputs"] == [
        {
            "dataset": "drg_result",
            "source_sha256": SHA256,
            "source_sm3": "ef" * 32,
            "layout": "drg_result_1",
            "encoding": "gb18030",
            "rows_read": 10,
            "rows_landed": 9,
            "rows_quarantined": 1,
            "method": "m1",
            "slices": [["H2", "2023-01"], ["H2", "2023-02"]],
            "landed": [{"path": "landing/drg.parquet", "sha256": hashlib.sha256(b"landed").hexdigest()}],
        }
    ], "only files in force, without their paths"
    unused = {"dataset": "drg_result", "source_sha256": SUPERSEDED, "refused": None}
    assert found["inputs_not_used"] == [unused | {"source_sm3": "ef" * 32, "method": "m1"}]
    [held] = found["held_back"]
    assert held == {"dataset": "drg_result", "organisation_id": "H1", "month": "2023-01", "threshold": "0.05000000"}
    [passed_over] = found["passed_over"]
    assert (passed_over["slice"], passed_over["source_sha256"]) == (["H1", "2023-01"], SUPERSEDED)
    assert found["thresholds"] == [{"rule_id": "rule", "threshold": "0.10000000"}]
    assert found["province_division"] == "990000"
    assert found["editions"] == {"surgery_catalogue": ["2022", "2023"], "drg_scheme": ["CN-DRG 2023"]}
    assert found["grouping"] == GROUPING
    assert found["schemes"] == [
        {
            "edition_id": "T-1.0",
            "name_zh": "小方案",
            "owner": "某省",
            "licence": "内部使用",
            "content_sha256": "01" * 32,
            "content_sm3": "02" * 32,
        }
    ]
    assert found["switches"] == {"trim_max_los_days": {"value": "60", "status": "provisional"}}
    assert found["engines"]["duckdb"] == duckdb.__version__
    assert found["code"]["commit"] is None
    assert collect_provenance(project, candidate, receipts=receipts, **SETTINGS) == found


def test_changed_folder_is_the_one_that_differs(project: Path, candidate: Path, receipts: Path) -> None:
    before = collect_provenance(project, candidate, receipts=receipts, **SETTINGS)["code"]["folders"]
    (project / "sources/contracts/model.sql").write_text("select 2", encoding="utf-8")
    (project / "dbt" / "target").mkdir()
    (project / "dbt" / "target" / "compiled.sql").write_text("left by a tool", encoding="utf-8")
    after = collect_provenance(project, candidate, receipts=receipts, **SETTINGS)["code"]["folders"]
    assert {name for name in before if before[name] != after[name]} == {"sources/contracts"}


def test_commit_and_whether_the_tree_is_clean(project: Path, candidate: Path, receipts: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        command = ["git", "-C", str(project), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    clean = collect_provenance(project, candidate, receipts=receipts, **SETTINGS)["code"]
    assert (clean["commit"], clean["clean"]) == (git("rev-parse", "HEAD"), True)
    (project / "requirements.lock").write_text("duckdb==1.5.6\n", encoding="utf-8")
    assert collect_provenance(project, candidate, receipts=receipts, **SETTINGS)["code"]["clean"] is False
