"""The row rules: what each checks and what violates it, on single front pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from expectations.checks import Rule, load_rules
from expectations.verdict import RULES, Severity

ALL = {rule.rule_id: rule for rule in load_rules(RULES)}
FEES = [f"fee_d{number}_fen" for number in range(11, 35)] + ["fee_d20x01_fen", "fee_d20x02_fen"]

# an appendectomy that no rule objects to: columns of the front page, and those that the discharge adds
SOUND: dict[str, str] = {
    "organisation_id": "'12990102MB0000001L'",
    "patient_id": "'p1'",
    "admission_count": "1",
    "admission_time": "timestamp '2023-03-01 22:00'",
    "discharge_time": "timestamp '2023-03-05 08:00'",
    "sex": "'2'",
    "age_years": "40",
    "age_days": "null::integer",
    "age_from_birth_years": "40",
    "birth_after_admission": "false",
    "id_birth_matches": "true",
    "id_sex_matches": "true",
    "marital_status": "'2'",
    "contact_relation": "'1'",
    "length_of_stay_days": "4",
    "external_cause": "null::varchar",
    "pathology_code": "null::varchar",
    "has_pathology_number": "false",
    "allergy_flag": "'1'",
    "has_allergy_drug": "false",
    "blood_abo": "'6'",
    "blood_rh": "'4'",
    "autopsy": "null::varchar",
    "birth_weight_g": "null::integer",
    "admission_weight_g": "null::integer",
    **{f"coma_{when}_{unit}": "null::integer" for when in ("before", "after") for unit in ("days", "hours", "minutes")},
    "ventilator_hours": "null::integer",
    "discharge_mode": "'1'",
    "has_receiving_institution": "false",
    "total_fee_fen": "2600000::bigint",
    "self_paid_fen": "500000::bigint",
    **dict.fromkeys(FEES, "100000::bigint"),
    "fee_d26_fen": "0::bigint",
    "diagnoses": "['K35.900']",
    "diagnosis_outcomes": "null::varchar[]",
    "operations": "['47.0100', '54.2100x001']",
    "operation_dates": "[date '2023-03-02', date '2023-03-02']",
    "operation_levels": "['2', null]",
    "operation_incisions": "['4', null]",
    "operation_anaesthesias": "['0101', null]",
    "operation_has_surgeon": "[true, null]",
    "residence_division": "'990102'",
    "residence_basis": "'address'",
    "specialty_code": "'0401'",
    "drg_code": "'GD25'",
    "ungrouped_reason": "null::varchar",
    "is_analysed": "true",
}
NEWBORN = {"age_years": "0", "age_from_birth_years": "0", "age_days": "3", "marital_status": "null::varchar"}
WEIGHED = NEWBORN | {"birth_weight_g": "3250", "admission_weight_g": "3300"}
DEAD = {"discharge_mode": "'5'", "autopsy": "'2'"}
VENTILATED = {"operations": "['96.7201']", "ventilator_hours": "96"}
TUMOUR = {"diagnoses": "['C34.900']", "pathology_code": "'M81400/3'", "has_pathology_number": "true"}
HEAD = {"diagnoses": "['S06.500']", "external_cause": "'V04.1'", "coma_before_days": "0"}


def page(**changes: str) -> dict[str, str]:
    return SOUND | changes


# rule -> pages that are checked and pass; pages that violate
CASES: dict[str, tuple[list[dict[str, str]], list[dict[str, str]]]] = {
    "hqms_01_time_order": (
        [page(), page(discharge_time="timestamp '2023-03-01 22:00'")],
        [page(discharge_time="timestamp '2023-03-01 21:59'")],
    ),
    "hqms_02_stay_days": (
        [page(), page(discharge_time="timestamp '2023-03-01 23:00'", length_of_stay_days="1")],
        [
            page(length_of_stay_days="5"),
            page(discharge_time="timestamp '2023-03-01 23:00'", length_of_stay_days="0"),
        ],
    ),
    "hqms_03_age_birth": (
        [page()],
        [page(age_years="41"), page(birth_after_admission="true", age_from_birth_years="null::integer")],
    ),
    "hqms_03_id_birth": ([page()], [page(id_birth_matches="false")]),
    "hqms_03_id_sex": ([page()], [page(id_sex_matches="false")]),
    "hqms_04_newborn_weight": (
        [page(**WEIGHED), page(**WEIGHED | {"birth_weight_g": "100", "age_days": "28"})],
        [
            page(**NEWBORN),
            page(**WEIGHED | {"birth_weight_g": "3255"}),
            page(**WEIGHED | {"admission_weight_g": "90"}),
            page(**WEIGHED | {"admission_weight_g": "10000"}),
        ],
    ),
    "hqms_05_total_positive": (
        [page(), page(total_fee_fen="1::bigint")],
        [page(total_fee_fen="0::bigint"), page(total_fee_fen="null::bigint")],
    ),
    "hqms_05_total_below_items": (
        [page(total_fee_fen="2300000::bigint")],  # 23 items of 1,000 yuan; anaesthesia and surgery are inside
        [page(total_fee_fen="2299999::bigint")],
    ),
    "hqms_05_self_paid": (
        [page(), page(self_paid_fen="2600000::bigint"), page(self_paid_fen="0::bigint")],
        [page(self_paid_fen="2600001::bigint"), page(self_paid_fen="-1::bigint")],
    ),
    "hqms_06_stay_fees": (
        [page(), page(fee_d31_fen="null::bigint", fee_d32_fen="0::bigint")],
        [
            page(fee_d11_fen="0::bigint"),
            page(fee_d13_fen="null::bigint"),
            page(fee_d31_fen="0::bigint", fee_d32_fen="0::bigint", fee_d33_fen="0::bigint"),
        ],
    ),
    "hqms_06_anaesthesia_fee": ([page()], [page(fee_d20x01_fen="0::bigint")]),
    "hqms_06_surgery_fee": (
        [page()],
        [page(fee_d20x02_fen="null::bigint"), page(operations="[]::varchar[]", operation_levels="[]::varchar[]")],
    ),
    "hqms_06_blood_type": (
        [page(fee_d26_fen="1::bigint", blood_abo="'4'", blood_rh="'1'")],
        [
            page(fee_d26_fen="1::bigint", blood_abo="'5'", blood_rh="'1'"),
            page(fee_d26_fen="1::bigint", blood_abo="'1'", blood_rh="null::varchar"),
        ],
    ),
    "hqms_07_pathology": (
        [page(**TUMOUR), page(**TUMOUR | {"diagnoses": "['D48.900']"})],
        [
            page(diagnoses="['C00.000']"),
            page(**TUMOUR | {"has_pathology_number": "false"}),
            page(pathology_code="'M80000/0'"),
        ],
    ),
    "hqms_08_external_cause": (
        [page(**HEAD), page(**HEAD | {"external_cause": "'Y98'"})],
        [page(diagnoses="['T14.900']"), page(**HEAD | {"external_cause": "'K35.9'"})],
    ),
    "hqms_09_main_diagnosis": (
        [page(), page(diagnoses="['Z51.100']"), page(diagnoses="['A17.0+']")],
        [
            page(diagnoses=f"['{code}']")
            for code in ("R65.000", "B96.200", "T31.000", "Z33", "Z38.000", "Z98.800", "U82.100", "W19", "G01*")
        ]
        + [page(diagnoses="[null, 'K35.900']"), page(diagnoses="null::varchar[]")],
    ),
    "hqms_10_sex_diagnosis": (
        [page(), page(diagnoses="['O80.000']"), page(sex="'1'", diagnoses="['N40.x00']")],
        [
            page(sex="'1'", diagnoses="['O80.000']"),
            page(sex="'1'", diagnoses="['C56.x00']"),
            page(diagnoses="['C61.x00']"),
        ],
    ),
    "hqms_11_age_diagnosis": (
        [page(age_years="12"), page(age_years="12", diagnoses="['D30.000']")],
        [page(age_years="12", diagnoses="['C50.900']"), page(age_years="3", diagnoses="['D25.900']")],
    ),
    "hqms_12_death_autopsy": (
        [page(**DEAD), page(**DEAD | {"diagnosis_outcomes": "['4', '1']"})],
        [
            page(**DEAD | {"autopsy": "null::varchar"}),
            page(**DEAD | {"diagnosis_outcomes": "['1']"}),
            page(diagnosis_outcomes="['4']", autopsy="'2'"),
        ],
    ),
    "hqms_12_receiving": (
        [page(discharge_mode="'2'", has_receiving_institution="true")],
        [page(discharge_mode="'2'"), page(discharge_mode="'3'", has_receiving_institution="null::boolean")],
    ),
    "hqms_13_ventilator": (
        [
            page(**VENTILATED),
            page(operations="['96.7101']", ventilator_hours="95"),
            page(operations="['96.7101', '96.7201']", ventilator_hours="120"),
        ],
        [
            page(**VENTILATED | {"ventilator_hours": "95"}),
            page(operations="['96.7101']", ventilator_hours="96"),
            page(operations="['96.7101']"),
        ],
    ),
    "hqms_13_coma": (
        [page(**HEAD), page(coma_before_hours="23", coma_after_minutes="59")],
        [
            page(**HEAD | {"coma_before_days": "null::integer"}),
            page(coma_before_hours="24"),
            page(coma_after_minutes="60"),
        ],
    ),
    "hqms_14_operation_fields": (
        [page()],
        [
            page(operation_dates="[date '2023-02-28']"),
            page(operation_dates="[date '2023-03-06']"),
            page(operation_dates="[null::date]"),
            page(operation_levels="['5']"),
            page(operation_has_surgeon="[false]"),
            page(operation_incisions="[null::varchar]"),
            page(operation_anaesthesias="null::varchar[]"),
        ],
    ),
    "hqms_14_incision": ([page(operation_incisions="['1', '6']")], [page(operation_incisions="['1', '3']")]),
    "hqms_15_allergy_drug": (
        [page(allergy_flag="'2'", has_allergy_drug="true")],
        [page(allergy_flag="'2'"), page(allergy_flag="'2'", has_allergy_drug="null::boolean")],
    ),
    "hqms_15_spouse_marital": ([page()], [page(marital_status="'1'")]),
    "hqms_16_organisation_code": (
        [page(), page(organisation_id="'1299010200000000000001'")],
        [page(organisation_id="'12990102MB0000001'"), page(organisation_id="'12990102mb0000001l'")],
    ),
    "hqms_17_icd_form": (
        [
            page(),
            *(page(diagnoses=f"['{code}']") for code in ("I10.x00", "M80.000x031", "E11.900", "J18", "A17.0+")),
            *(page(operations=f"['{code}']") for code in ("74.1x00", "00.6600x008", "36.0601", "96.72")),
            page(operations="[]::varchar[]"),
        ],
        [
            page(diagnoses="['K35900']"),
            page(diagnoses="['阑尾炎']"),
            page(operations="['4701']"),
            page(operations="['47.01 ']"),
        ],
    ),
    "hqms_residence_known": (
        [page(residence_basis="'postcode'")],
        [page(residence_division="null::varchar", residence_basis="'none'")],
    ),
    "hqms_department_mapped": ([page()], [page(specialty_code="'UNMAPPED'")]),
    "drg_grouped": ([page()], [page(drg_code="null::varchar")]),
    "drg_principal_in_scheme": (
        [page(), page(ungrouped_reason="'no_adrg'")],
        [page(ungrouped_reason="'principal_outside_scheme'")],
    ),
    "drg_case_fits_group": (
        [page(), page(ungrouped_reason="'principal_missing'")],
        [page(ungrouped_reason=f"'{what}_conflict'") for what in ("sex", "age", "weight")],
    ),
}

NOT_CHECKED = {
    "hqms_02_stay_days": page(discharge_time="timestamp '2023-02-01 00:00'"),
    "hqms_03_age_birth": page(age_from_birth_years="null::integer"),
    "hqms_03_id_birth": page(id_birth_matches="null::boolean"),
    "hqms_04_newborn_weight": page(**NEWBORN | {"age_days": "29"}),
    "hqms_05_total_below_items": page(total_fee_fen="0::bigint"),
    "hqms_06_stay_fees": page(length_of_stay_days="1", fee_d11_fen="0::bigint"),
    "hqms_06_anaesthesia_fee": page(operation_anaesthesias="[null::varchar]", fee_d20x01_fen="0::bigint"),
    "hqms_06_blood_type": page(),
    "hqms_07_pathology": page(diagnoses="['D50.900']"),
    "hqms_08_external_cause": page(diagnoses="['R99']"),
    "hqms_10_sex_diagnosis": page(sex="'9'", diagnoses="['O80.000']"),
    "hqms_11_age_diagnosis": page(age_years="13", diagnoses="['C50.900']"),
    "hqms_12_receiving": page(discharge_mode="'4'"),
    "hqms_14_operation_fields": page(operations="null::varchar[]"),
    "hqms_15_spouse_marital": page(contact_relation="'2'", marital_status="'1'"),
    "drg_grouped": page(is_analysed="false", drg_code="null::varchar"),
    "drg_principal_in_scheme": page(is_analysed="false", ungrouped_reason="'principal_outside_scheme'"),
    "drg_case_fits_group": page(is_analysed="false", ungrouped_reason="'sex_conflict'"),
}


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def counted(database: duckdb.DuckDBPyConnection, rule: Rule, pages: list[dict[str, str]]) -> tuple[Any, ...]:
    """Count as the warehouse does: violated only where checked."""
    rows = " union all ".join(
        "select " + ", ".join(f"{value} as {name}" for name, value in page.items()) for page in pages
    )
    database.execute(f"create or replace table {rule.relation} as {rows}")
    found = database.execute(
        f"""
        select count(*) filter (where {rule.checked_sql}),
               count(*) filter (where ({rule.checked_sql}) and ({rule.violated_sql}))
        from {rule.relation}
        """
    ).fetchall()
    return tuple(found[0])


def test_every_rule_has_cases() -> None:
    assert CASES.keys() | {"hqms_18_repeat_admission"} == ALL.keys()


@pytest.mark.parametrize("rule_id", CASES)
def test_pages_that_pass_and_pages_that_violate(rule_id: str, database: duckdb.DuckDBPyConnection) -> None:
    passing, violating = CASES[rule_id]
    for case in passing:
        assert counted(database, ALL[rule_id], [case]) == (1, 0), case
    for case in violating:
        assert counted(database, ALL[rule_id], [case]) == (1, 1), case


@pytest.mark.parametrize("rule_id", NOT_CHECKED)
def test_pages_that_a_rule_has_nothing_to_say_about(rule_id: str, database: duckdb.DuckDBPyConnection) -> None:
    assert counted(database, ALL[rule_id], [NOT_CHECKED[rule_id]]) == (0, 0)


@pytest.mark.parametrize("rule_id", [rule_id for rule_id in CASES if rule_id not in NOT_CHECKED])
def test_the_sound_page_violates_nothing(rule_id: str, database: duckdb.DuckDBPyConnection) -> None:
    assert counted(database, ALL[rule_id], [SOUND])[1] == 0


def test_repeated_admission_counts_the_later_page_once(database: duckdb.DuckDBPyConnection) -> None:
    later = "timestamp '2023-03-05 09:00'"
    pages = [
        page(),
        page(discharge_time=later),  # the same admission once more
        page(patient_id="'p2'", discharge_time=later),  # another patient
        page(admission_count="2", discharge_time=later),  # another admission
        page(patient_id="null::varchar"),
    ]
    assert counted(database, ALL["hqms_18_repeat_admission"], pages) == (4, 1)


def test_only_what_makes_the_numbers_wrong_is_critical() -> None:
    critical = {rule.rule_id for rule in ALL.values() if rule.severity is Severity.CRITICAL}
    assert critical == {"hqms_01_time_order", "hqms_05_total_positive"}
    for rule in ALL.values():
        assert 0 < rule.threshold <= 1 or rule.severity is Severity.CRITICAL, rule.rule_id
        assert all(words for _, words in rule), rule.rule_id
        assert all(name in SOUND for name in rule.fields.split(";")), rule.rule_id
