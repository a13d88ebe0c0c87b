"""The demo province against the production reader: landing refuses, quarantines and lands exactly what it should."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb
import pytest

from dagster_project.dbt_command import build_aside, side_candidate
from dagster_project.repeats import find_repeats
from dagster_project.settings import Settings
from sources import candidate, intake, landing
from sources.synthetic import ProvinceSummary, write_province
from sources.synthetic.dirt import FAULTS

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "expectations" / "rules" / "dq_rules.csv"
LANDING_REASONS = {
    *("required_missing", "not_datetime", "not_integer", "not_amount", "not_in_code_list", "too_long"),
    *("duplicate_key", "outside_file_month", "ragged_row", "bad_encoding"),
}


# rules that no fault of a row can break, or that a sound province breaks too: where each is broken and counted instead
PAGE = "tests/unit/rule_cases.py"
ELSEWHERE = {
    "hqms_05_round_total": (PAGE, "one random total in ten thousand is round"),
    "hqms_17_operation_edition": (PAGE, "the catalogue leaves out some operations by design"),
    "hqms_18_duplicate_key": ("tests/unit/test_synthetic_landing.py", "set aside, and counted by its reason"),
    "hqms_19_file_month": ("tests/unit/test_synthetic_landing.py", "set aside, and counted by its reason"),
    "hqms_19_month_missing": (PAGE, "a month as a whole"),
    "hqms_19_month_volume": (PAGE, "a month as a whole"),
    "hqms_19_month_shrunk": ("tests/integration/test_corruptions.py", "a resubmission"),
    "drg_month_shrunk": (PAGE, "a resubmission"),
    **{
        f"cross_{what}": (PAGE, "two sources, of which each is sound")
        for what in ("appraisal_discharges", "appraisal_operations", "appraisal_deaths", "report_deaths")
    },
    "cross_report_death": (PAGE, "two sources, of which each is sound"),
    "cross_report_case": (PAGE, "every page that is set aside leaves its report alone"),
    "cross_report_identical": (PAGE, "all reports of a month together"),
    "hqms_residence_known": (PAGE, "some addresses are unknown in a sound province too"),
    "drg_grouped": (PAGE, "some cases belong to no group"),
    "drg_principal_in_scheme": (PAGE, "some cases belong to no group"),
    "drg_case_fits_group": (PAGE, "some cases belong to no group"),
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


def in_force(province: ProvinceSummary, rule: str) -> int:
    """Rows that were broken, without the files that a later one replaces."""
    return sum(rows for path, rows in province.faults.get(rule, {}).items() if path not in province.superseded)


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
    assert found == {rule: in_force(province, rule) for rule in found}


def test_every_rule_is_broken_at_a_known_rate_or_elsewhere() -> None:
    with RULES.open(encoding="utf-8", newline="") as file:
        rules = {row["rule_id"] for row in csv.DictReader(file)}
    injected = {fault.rule for fault in FAULTS} - LANDING_REASONS
    assert injected | ELSEWHERE.keys() == rules
    assert not injected & ELSEWHERE.keys()
    for rule, (place, _) in ELSEWHERE.items():
        text = (REPOSITORY / place).read_text("utf-8")
        assert rule in text or rule.removeprefix("cross_") in text, rule


@pytest.mark.slow
def test_pages_that_repeat_others_are_found_and_no_others(
    landed: tuple[ProvinceSummary, dict[str, str], list[str]],
) -> None:
    """Identical pages, overlapping stays, counts that begin anew: these need the warehouse."""
    province, _, _ = landed
    settings = Settings(home=province.target, province_division="990000")
    with side_candidate(settings, "repeats") as database:
        candidate.prepare(settings.home, database)
        build_aside(settings, database, ["+int_page_repeat"], {})
        with duckdb.connect(str(database), read_only=True) as con:
            counted = con.execute(
                "select coalesce(sum(page_count) filter (where is_identical), 0), "
                "coalesce(sum(page_count) filter (where is_overlapping), 0), "
                "coalesce(sum(page_count) filter (where is_count_reset), 0), "
                "coalesce(sum(page_count) filter (where is_repeated_admission), 0) from int_page_repeat"
            ).fetchall()
            # what is told to the senders, row by row, is what the warehouse counts
            con.execute(
                "create temp table version as select distinct source_id, organisation_id, month, true as is_current, "
                "'' as path, '' as layout from stg_hqms_front_page"
            )
            find_repeats(con, "(select * exclude (layout) from stg_hqms_front_page)")
            told = con.execute(
                "select source_id, source_row, rule_id from repeat where is_violating order by all"
            ).fetchall()
            flagged = con.execute(
                "select source_id, source_row, 'hqms_18_' || rule_id as rule_id from ("
                "unpivot (select source_id, source_row, is_identical as identical_page, "
                "is_repeated_admission as repeat_admission, is_overlapping as overlapping_stay, "
                "is_count_reset as count_reset from int_repeated_page) "
                "on identical_page, repeat_admission, overlapping_stay, count_reset into name rule_id value is_found"
                ") where is_found order by all"
            ).fetchall()
    names = ("identical_page", "overlapping_stay", "count_reset", "repeat_admission")
    admitted = tuple(in_force(province, f"hqms_18_{name}") for name in names)
    assert counted == [admitted]
    assert min(admitted) > 0
    assert told == flagged


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
    copies = ("repeat_admission", "identical_page", "overlapping_stay", "count_reset")
    apart = ("hqms_16_organisation_code", *(f"hqms_18_{copy}" for copy in copies))
    expected = sum(in_force(province, rule) for rule in apart)
    assert pages - matched == expected
    assert pages > 5800
