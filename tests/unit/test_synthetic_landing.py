"""The demo province against the production reader: landing refuses, quarantines and lands exactly what it should."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from sources import intake, landing
from sources.synthetic import ProvinceSummary, write_province

RULES = Path(__file__).parents[2] / "expectations" / "rules" / "dq_rules.csv"
LANDING_REASONS = {
    *("required_missing", "not_datetime", "not_integer", "not_amount", "not_in_code_list", "too_long"),
    *("duplicate_key", "outside_file_month", "ragged_row", "bad_encoding"),
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProvinceSummary, dict[str, str], list[str]]:
    """A dirty province, landed; with what the intake and the landing refused."""
    home = tmp_path_factory.mktemp("home")
    province = write_province(home, seed=2, hospitals=16, months=1, discharges=6000, workers=1)
    found = intake.scan(home)
    intake.record(home, found)
    refused = {item.path: item.problem[0] for item in found.new if item.problem}
    messages = []
    for dataset in ("hqms_front_page", "drg_result"):
        messages += landing.land(home, dataset, key=bytes(range(32))).messages
    return province, refused, messages


def connection(province: ProvinceSummary) -> duckdb.DuckDBPyConnection:
    """Landed front pages as the rules see them, without the file that a later one replaces."""
    con = duckdb.connect()
    replaced = [
        hashlib.sha256((province.target / "inbox" / path).read_bytes()).hexdigest()[:12] for path in province.superseded
    ]
    con.execute(
        "create table stg_hqms_front_page as select * from read_parquet($files) "
        "where not list_contains($replaced, source_id)",
        {"files": f"{province.target}/landing/hqms_front_page/*/*.parquet", "replaced": replaced},
    )
    return con


def test_unusable_files_are_refused_and_only_they(landed: tuple[ProvinceSummary, dict[str, str], list[str]]) -> None:
    province, refused, messages = landed
    duplicates = dict.fromkeys(province.duplicates, "duplicate_file")
    by_content = {path for path, reason in province.refused.items() if reason == "outside_file_month"}
    assert refused == {path: why for path, why in province.refused.items() if path not in by_content} | duplicates
    assert all(any(path in message for message in messages) for path in by_content)


def test_quarantine_holds_the_admitted_rows_by_reason(
    landed: tuple[ProvinceSummary, dict[str, str], list[str]],
) -> None:
    province, _, _ = landed
    admitted = {reason: rows for reason, rows in province.fault_rows.items() if reason in LANDING_REASONS}
    counts = duckdb.sql(
        f"select reason, count(*) from read_parquet('{province.target}/quarantine/*/*.parquet') group by reason"
    ).fetchall()
    assert dict(counts) == admitted
    assert len(admitted) >= 8


def test_every_row_rule_finds_the_admitted_rows_and_no_others(
    landed: tuple[ProvinceSummary, dict[str, str], list[str]],
) -> None:
    province, _, _ = landed
    in_force: Counter[str] = Counter()
    for rule, files in province.faults.items():
        in_force[rule] = sum(rows for path, rows in files.items() if path not in province.superseded)
    con = connection(province)
    found = {}
    with RULES.open(encoding="utf-8", newline="") as file:
        for rule in csv.DictReader(file):
            if rule["relation"] == "stg_hqms_front_page" and rule["rule_id"][5:7].isdigit():
                (found[rule["rule_id"]],) = con.execute(
                    "select count(*) from stg_hqms_front_page "
                    f"where ({rule['checked_sql']}) and ({rule['violated_sql']})"
                ).fetchone() or (None,)
    assert len(found) == 42
    assert found == {rule: in_force[rule] for rule in found}


def test_every_grouped_discharge_finds_its_front_page(
    landed: tuple[ProvinceSummary, dict[str, str], list[str]],
) -> None:
    """What is quarantined, withdrawn or reported under a wrong code is all that stays apart."""
    province, _, _ = landed
    con = connection(province)
    con.execute(f"create view drg as select * from read_parquet('{province.target}/landing/drg_result/*/*.parquet')")
    (matched,) = con.execute(
        "select count(*) from stg_hqms_front_page "
        "semi join drg using (organisation_id, patient_id, admission_count, discharge_time)"
    ).fetchone() or (0,)
    (pages,) = con.execute("select count(*) from stg_hqms_front_page").fetchone() or (0,)
    apart = ("hqms_18_repeat_admission", "hqms_16_organisation_code")
    expected = sum(
        rows
        for rule in apart
        for path, rows in province.faults.get(rule, {}).items()
        if path not in province.superseded
    )
    assert pages - matched == expected
    assert pages > 5800
