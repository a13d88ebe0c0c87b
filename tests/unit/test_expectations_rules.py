"""The row rules: what each checks and what violates it, on single front pages."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from rule_cases import CASES, NOT_CHECKED, PERIODS, SOUND, SUMMED, page

from expectations.checks import Rule, load_rules
from expectations.holding import RESUBMISSION
from expectations.verdict import RULES, Severity
from sources.expressions import code_list

ALL = {rule.rule_id: rule for rule in load_rules(RULES)}
CASES_OF_ALL = CASES | SUMMED | PERIODS


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def counted(database: duckdb.DuckDBPyConnection, rule: Rule, rows: list[dict[str, str]]) -> tuple[Any, ...]:
    """Count as the warehouse does: violated only where checked, and a row for as many as it stands for."""
    table = " union all ".join(
        "select " + ", ".join(f"{value} as {name}" for name, value in row.items()) for row in rows
    )
    database.execute(f"create or replace table {rule.relation} as {table}")
    found = database.execute(
        f"""
        select coalesce(sum({rule.count_sql or 1}) filter (where {rule.checked_sql}), 0),
               coalesce(sum({rule.count_sql or 1}) filter (where ({rule.checked_sql}) and ({rule.violated_sql})), 0)
        from {rule.relation}
        """
    ).fetchall()
    return tuple(found[0])


def test_every_rule_has_cases_that_pass_and_cases_that_violate() -> None:
    assert CASES_OF_ALL.keys() == ALL.keys()
    assert all(passing and violating for passing, violating in CASES_OF_ALL.values())


@pytest.mark.parametrize("rule_id", CASES_OF_ALL)
def test_rows_that_pass_and_rows_that_violate(rule_id: str, database: duckdb.DuckDBPyConnection) -> None:
    passing, violating = CASES_OF_ALL[rule_id]
    units = 7 if rule_id in SUMMED else 1
    for case in passing:
        assert counted(database, ALL[rule_id], [case]) == (units, 0), case
    for case in violating:
        assert counted(database, ALL[rule_id], [case]) == (units, units), case


@pytest.mark.parametrize("rule_id", NOT_CHECKED)
def test_rows_that_a_rule_has_nothing_to_say_about(rule_id: str, database: duckdb.DuckDBPyConnection) -> None:
    assert counted(database, ALL[rule_id], [NOT_CHECKED[rule_id]]) == (0, 0)


@pytest.mark.parametrize("rule_id", CASES)
def test_the_sound_page_violates_nothing(rule_id: str, database: duckdb.DuckDBPyConnection) -> None:
    assert counted(database, ALL[rule_id], [SOUND])[1] == 0


@pytest.mark.parametrize(
    ("field", "list_id", "rule_id"),
    [
        ("payment_method", "RC032", "hqms_17_person_codes"),
        ("marital_status", "RC002", "hqms_17_person_codes"),
        ("occupation", "RC003", "hqms_17_person_codes"),
        ("ethnicity", "RC035", "hqms_17_person_codes"),
        ("native_province", "RC036", "hqms_17_person_codes"),
        ("contact_relation", "RC033", "hqms_17_person_codes"),
        ("diagnosis_conditions", "RC027", "hqms_17_clinical_codes"),
        ("diagnosis_outcomes", "RC005", "hqms_17_clinical_codes"),
        ("blood_abo", "RC030", "hqms_17_clinical_codes"),
        ("blood_rh", "RC031", "hqms_17_clinical_codes"),
        ("autopsy", "RC016", "hqms_17_clinical_codes"),
        ("record_quality", "RC011", "hqms_17_clinical_codes"),
        ("allergy_flag", "RC037", "hqms_17_clinical_codes"),
        ("operation_levels", "RC029", "hqms_17_operation_codes"),
        ("operation_incisions", "RC014", "hqms_17_operation_codes"),
        ("operation_anaesthesias", "RC013", "hqms_17_operation_codes"),
    ],
)
def test_every_code_of_a_list_is_allowed(
    field: str, list_id: str, rule_id: str, database: duckdb.DuckDBPyConnection
) -> None:
    texts = [
        f"['{code}']" if field.endswith("s") and "status" not in field else f"'{code}'" for code in code_list(list_id)
    ]
    assert counted(database, ALL[rule_id], [page(**{field: text}) for text in texts]) == (len(texts), 0)


def test_every_pair_of_sources_is_judged_by_a_rule() -> None:
    with RULES.with_name("source_pairs.csv").open(encoding="utf-8", newline="") as file:
        judged = {row["rule_id"] for row in csv.DictReader(file)}
    assert judged == {rule.rule_id for rule in ALL.values() if rule.relation == "int_source_pair"}


def test_only_what_makes_the_numbers_wrong_is_critical() -> None:
    critical = {rule.rule_id for rule in ALL.values() if rule.severity is Severity.CRITICAL}
    assert critical == {"hqms_01_time_order", "hqms_05_total_positive"}
    for rule in ALL.values():
        assert 0 < rule.threshold <= 1 or rule.severity is Severity.CRITICAL, rule.rule_id
        optional = {"count_sql", "hold_back_threshold"}
        assert all(words for name, words in rule if name not in optional), rule.rule_id
        # before anything is computed, only faults of rows and rows that are gone can be told of a hospital's month
        if rule.hold_back_threshold is not None:
            assert rule.relation in (f"stg_{rule.dataset}", RESUBMISSION), rule.rule_id
            assert rule.severity is Severity.CRITICAL or rule.relation == RESUBMISSION, rule.rule_id
        # the gate counts these from receipts, before there is a database: no rule can choose what it counts
        if rule.relation == RESUBMISSION:
            counted = (rule.checked_sql, rule.violated_sql, rule.count_sql)
            assert counted == (f"dataset = '{rule.dataset}'", "is_lost", "row_count"), rule.rule_id
        if rule.relation == "stg_hqms_front_page":
            assert all(name in SOUND for name in rule.fields.split(";")), rule.rule_id
