"""A home of links in which a release finds what it was computed from, and nothing that came later."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.causes import origins_of
from dagster_project.recorded import (
    Record,
    RecordProblem,
    copy_method,
    faults_of_inputs,
    keep_method,
    method_name,
    method_of,
    open_record,
    write_recorded_home,
)
from dagster_project.settings import PROJECT_ROOT, Settings
from sources.candidate import slices_in_force
from sources.landing import read_receipts

FOLDERS = {"dbt": "1", "sources/reference": "2"}
FIRST, SECOND = "a" * 64, "b" * 64
MONTH = ("H1", "2024-01")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home" / "receipts").mkdir(parents=True)
    (tmp_path / "home" / "landing").mkdir()
    return Settings(home=tmp_path / "home", province_division="990000")


def arrive(settings: Settings, sha256: str, *, again: bool = False) -> None:
    """A bed report of one hospital's month, landed."""
    path = f"landing/{sha256[:4]}.parquet"
    (settings.home / path).write_bytes(sha256.encode())
    receipt = {
        "dataset": "bed_report",
        "layout": "bed_report",
        "method": "m1",
        "refused": None,
        "outputs": [{"path": path}],
        "source": {"path": "bed.csv", "sha256": sha256, "sm3": ""},
        "slices": [{"slice": list(MONTH), "organisation_id": MONTH[0], "month": MONTH[1], "rows": 1}],
    }
    (settings.home / "receipts" / f"{sha256}.json").write_text(json.dumps(receipt), encoding="utf-8")
    journal = settings.home / "receipts" / "intake.jsonl"
    line = {
        **{"sequence": 1, "path": "bed.csv", "bytes": 1, "mtime_ns": 1, "sha256": sha256, "sm3": ""},
        **{"dataset": "bed_report", "layout": "bed_report", "problem": None, "contracts": "c"},
    }
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def record(*used: str, unused: tuple[str, ...] = (), name: str = "R1", **changed: Any) -> Record:
    inputs = [
        {
            "dataset": "bed_report",
            "source_sha256": sha256,
            "method": "m1",
            "slices": [list(MONTH)],
            "landed": [
                {"path": f"landing/{sha256[:4]}.parquet", "sha256": hashlib.sha256(sha256.encode()).hexdigest()}
            ],
        }
        for sha256 in used
    ]
    provenance = {
        "inputs": inputs,
        "inputs_not_used": [{"dataset": "bed_report", "source_sha256": sha256} for sha256 in unused],
        "passed_over": [],
        "held_back": [],
        "thresholds": [],
        "schemes": [],
        "grouping": {"drg_source": "own", "drg_edition": "latest"},
        "province_division": "990000",
        "engines": {"duckdb": "1.5.5"},
        "code": {"folders": FOLDERS},
        **changed,
    }
    return Record(name, Path(name), provenance)


def force_in(home: Path) -> str:
    return slices_in_force(home)["bed_report"][MONTH]


def test_what_arrived_later_is_not_there(settings: Settings, tmp_path: Path) -> None:
    arrive(settings, FIRST)
    before = record(FIRST)
    arrive(settings, SECOND)
    assert force_in(settings.home) == SECOND
    write_recorded_home(settings, before, tmp_path / "then")
    assert force_in(tmp_path / "then") == FIRST
    assert [receipt["source"]["sha256"] for receipt in read_receipts(tmp_path / "then")] == [FIRST]


def test_a_file_that_was_sent_once_more_since_does_not_go_before_the_one_between(
    settings: Settings, tmp_path: Path
) -> None:
    for sha256 in (FIRST, SECOND, FIRST):
        arrive(settings, sha256)
    assert force_in(settings.home) == FIRST
    write_recorded_home(settings, record(SECOND, unused=(FIRST,)), tmp_path / "then")
    assert force_in(tmp_path / "then") == SECOND
    write_recorded_home(settings, record(FIRST, unused=(SECOND,)), tmp_path / "now")
    assert force_in(tmp_path / "now") == FIRST


def test_inputs_that_are_no_longer_what_they_were_are_named(settings: Settings, tmp_path: Path) -> None:
    arrive(settings, FIRST)
    one = record(FIRST)
    assert faults_of_inputs(settings, one) == []
    (settings.home / "landing" / "aaaa.parquet").write_bytes(b"altered")
    assert "landing/aaaa.parquet 已被改动" in faults_of_inputs(settings, one)[0]
    (settings.home / "landing" / "aaaa.parquet").unlink()
    with pytest.raises(RecordProblem, match=r"landing/aaaa.parquet 缺失，请从备份恢复"):
        write_recorded_home(settings, one, tmp_path / "then")
    other = record(FIRST, inputs=[{**one.provenance["inputs"][0], "method": "m0", "landed": []}])
    assert "重新落地" in faults_of_inputs(settings, other)[0]
    scheme = {"edition_id": "S-1", "content_sha256": "0" * 64}
    assert "分组方案 S-1" in faults_of_inputs(settings, record(schemes=[scheme]))[0]


def test_the_method_of_a_release_is_kept_once_and_found(settings: Settings) -> None:
    one = record()
    assert method_of(settings, one) == (PROJECT_ROOT, "现行算法（发布时的算法未留存，两者不同）")
    keep_method(settings, FOLDERS)
    kept = settings.home / "methods" / method_name(FOLDERS)
    assert method_of(settings, one) == (kept, "发布时留存的算法")
    assert (kept / "dbt" / "dbt_project.yml").exists() and (kept / "sources/reference/specialties.csv").exists()
    written = (kept / "dbt" / "dbt_project.yml").stat().st_mtime_ns
    keep_method(settings, FOLDERS)
    assert (kept / "dbt" / "dbt_project.yml").stat().st_mtime_ns == written
    assert method_name({**FOLDERS, "dbt": "3"}) != method_name(FOLDERS)


def test_what_differs_is_told_by_its_part(settings: Settings, tmp_path: Path) -> None:
    one = record(FIRST)
    for name in ("1", "2"):
        copy_method(PROJECT_ROOT, settings.home / "methods" / method_name({"dbt": name}))
    later = settings.home / "methods" / method_name({"dbt": "2"})
    switches = later / "dbt/seeds/indicators/switches.csv"
    switches.write_text(switches.read_text("utf-8").replace("trim_max_los_days,60,", "trim_max_los_days,45,"), "utf-8")
    terms = later / "dbt/seeds/terminology/mdc_specialty.csv"
    terms.write_text("\n".join(terms.read_text("utf-8").splitlines()[:-1]) + "\n", "utf-8")
    (later / "dbt/models/intermediate/int_cell.sql").write_text("select 1", "utf-8")
    told = origins_of(
        settings,
        record(FIRST, code={"folders": {"dbt": "1"}}),
        record(SECOND, unused=(FIRST,), code={"folders": {"dbt": "2"}}),
    )
    assert told["data"] == [
        f"bed_report H1 2024-01：文件 {'a' * 12} → 文件 {'b' * 12}",
        "未采用的文件（被替换、暂不采用或拒收）：0 → 1 个",
    ]
    assert told["rule"] == ["dbt/seeds/indicators/switches.csv：trim_max_los_days value 60 → 45"]
    assert [line.partition("：")[0] for line in told["catalogue"]] == ["dbt/seeds/terminology/mdc_specialty.csv"]
    assert told["code"] == ["dbt/models/intermediate/int_cell.sql：有改动"]
    assert origins_of(settings, one, one) == {}


def test_an_unknown_release_is_refused_with_a_remedy(settings: Settings) -> None:
    with pytest.raises(RecordProblem, match="zhuanke release list"):
        open_record(settings, "R209912-0000000000")
