"""Cases of every rule: rows that are checked and pass, rows that violate, rows that the rule has nothing to say about.

A row is a column's name and its value as SQL. Rules of the front page see one sound page with a few changes.
"""

from __future__ import annotations

FEES = [f"fee_d{number}_fen" for number in range(11, 35)]

# an appendectomy that no rule objects to
SOUND: dict[str, str] = {
    "layout": "'hqms_abcd'",
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
    "person_id": "'person'",
    "payment_method": "'1.1'",
    "occupation": "'27'",
    "ethnicity": "'01'",
    "native_province": "'23'",
    "admission_route": "'2'",
    "outpatient_diagnosis": "'R10.400'",
    "record_quality": "'1'",
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
    "total_fee_fen": "2600050::bigint",
    "self_paid_fen": "500000::bigint",
    **dict.fromkeys(FEES, "100000::bigint"),
    **dict.fromkeys(["fee_d19x01_fen", "fee_d20x01_fen", "fee_d20x02_fen", "fee_d23x01_fen"], "50000::bigint"),
    "fee_d26_fen": "0::bigint",
    "diagnoses": "['K35.900']",
    "diagnosis_conditions": "['1']",
    "diagnosis_outcomes": "null::varchar[]",
    "operations": "['47.0100', '54.2100x001']",
    "operation_dates": "[date '2023-03-02', date '2023-03-02']",
    "operation_levels": "['2', null]",
    "operation_incisions": "['4', null]",
    "operation_anaesthesias": "['0101', null]",
    "operation_has_surgeon": "[true, null]",
    "residence_division": "'990102'",
    "residence_basis": "'address'",
}
NEWBORN = {"age_years": "0", "age_from_birth_years": "0", "age_days": "3", "marital_status": "null::varchar"}
WEIGHED = NEWBORN | {"birth_weight_g": "3250", "admission_weight_g": "3300"}
DEAD = {"discharge_mode": "'5'", "autopsy": "'2'"}
VENTILATED = {"operations": "['96.7201']", "ventilator_hours": "96"}
TUMOUR = {"diagnoses": "['C34.900']", "pathology_code": "'M81400/3'", "has_pathology_number": "true"}
MOTHER = {"diagnoses": "['O80.000', 'Z37.000']"}
HEAD = {"diagnoses": "['S06.500']", "external_cause": "'V04.1'", "coma_before_days": "0"}


def page(**changes: str) -> dict[str, str]:
    return SOUND | changes


def landed(reason: str) -> dict[str, str]:
    return {"dataset": "'hqms_front_page'", "reason": reason, "row_count": "7"}


def repeat(*flags: str) -> dict[str, str]:
    known = ("is_repeated_admission", "is_identical", "is_overlapping", "is_count_reset")
    found = {flag: str(flag in flags).lower() for flag in known}
    return found | {"is_identified": "true", "has_person": "true", "page_count": "7"}


def cell(drg_code: str | None, reason: str) -> dict[str, str]:
    return {"drg_code": f"'{drg_code}'" if drg_code else "null", "ungrouped_reason": reason, "analysed_count": "7"}


def report(**changes: str) -> dict[str, str]:
    told = {"is_on_front_page": "true", "is_death_told": "true", "is_death_different": "false"}
    return told | {"is_comparable": "true", "is_uniform": "false", "report_count": "7"} | changes


def resubmitted(dataset: str, is_lost: str) -> dict[str, str]:
    return {"dataset": f"'{dataset}'", "is_lost": is_lost, "row_count": "7"}


def volume(discharges: int, usual: int) -> dict[str, str]:
    return {"is_expected": "true", "discharge_count": str(discharges), "usual_discharge_count": str(usual)}


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
        [
            page(total_fee_fen="2300000::bigint")
        ],  # 23 items of 1,000 yuan; anaesthesia, surgery and antibiotics are inside
        [page(total_fee_fen="2299999::bigint")],
    ),
    "hqms_05_self_paid": (
        [page(), page(self_paid_fen="2600050::bigint"), page(self_paid_fen="0::bigint")],
        [page(self_paid_fen="2600051::bigint"), page(self_paid_fen="-1::bigint")],
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
    "hqms_03_infant_days": (
        [page(**NEWBORN), page(**NEWBORN | {"age_days": "365"})],
        [page(**NEWBORN | {"age_days": "null::integer"}), page(**NEWBORN | {"age_days": "366"})],
    ),
    "hqms_04_mother_birth_weight": (
        [page(**MOTHER | {"birth_weight_g": "3250"})],
        [page(**MOTHER), page(**MOTHER | {"birth_weight_g": "99"}), page(diagnoses="['Z37.300']")],
    ),
    "hqms_05_fee_not_negative": (
        [page(), page(fee_d13_fen="0::bigint", fee_d23x01_fen="null::bigint")],
        [page(fee_d34_fen="-1::bigint"), page(fee_d20x01_fen="-1::bigint")],
    ),
    "hqms_05_parts_within": (
        [page(), page(fee_d20x02_fen="50000::bigint")],
        [
            page(fee_d19x01_fen="100001::bigint"),
            page(fee_d20x02_fen="50001::bigint"),
            page(fee_d23_fen="null::bigint"),
        ],
    ),
    "hqms_05_self_paid_zero": ([page()], [page(self_paid_fen="0::bigint")]),
    "hqms_05_round_total": ([page()], [page(total_fee_fen="2600000::bigint")]),
    "hqms_09_dagger": (
        [page(diagnoses="['A17.000+', 'G01*']"), page(diagnoses="['K35.900', 'G01*', 'A17.000+']")],
        [page(diagnoses="['K35.900', 'G01*']")],
    ),
    "hqms_14_operation_dates": (
        [page(), page(operation_dates="[date '2023-03-01', null, date '2023-03-05']")],
        [
            page(operation_dates="[date '2023-03-02', date '2023-02-28']"),
            page(operation_dates="[date '2023-03-02', date '2023-03-06']"),
        ],
    ),
    "hqms_15_outpatient_diagnosis": (
        [page(), page(admission_route="'1'")],
        [page(outpatient_diagnosis="null::varchar")],
    ),
    "hqms_15_allergy_diagnosis": (
        [page(diagnoses="['K35.900', 'T88.700']", allergy_flag="'2'")],
        [
            page(diagnoses="['T88.600']"),
            page(diagnoses="['K35.900', 'T88.700']", allergy_flag="null::varchar"),
        ],
    ),
    "hqms_17_person_codes": (
        [page(), page(ethnicity="'66'", marital_status="null::varchar")],
        [
            page(payment_method="'10'"),
            page(marital_status="'5'"),
            page(occupation="'1'"),
            page(ethnicity="'57'"),
            page(ethnicity="'汉族'"),
            page(native_province="'36'"),
            page(native_province="'四川'"),
            page(contact_relation="'10'"),
        ],
    ),
    "hqms_17_clinical_codes": (
        [page(), page(diagnosis_conditions="['1', null, '4']", diagnosis_outcomes="['9', '1']")],
        [
            page(diagnosis_conditions="['1', '5']"),
            page(diagnosis_outcomes="['治愈']"),
            page(blood_abo="'A'"),
            page(blood_rh="'5'"),
            page(autopsy="'0'"),
            page(record_quality="'4'"),
            page(allergy_flag="'0'"),
        ],
    ),
    "hqms_17_operation_codes": (
        [page(), page(operation_incisions="['10', null, '30']", operation_anaesthesias="['99', '020101']")],
        [
            page(operation_levels="['2', '5']"),
            page(operation_incisions="['13']"),
            page(operation_incisions="['Ⅰ/甲']"),
            page(operation_anaesthesias="['01', '07']"),
        ],
    ),
    "hqms_17_other_icd_form": (
        [page(), page(diagnoses="['x', 'I10.x00', 'M80.000x031']"), page(operations="['x', '96.7201']")],
        [page(diagnoses="['K35.900', 'I10x00']"), page(operations="['47.0100', '阑尾切除']")],
    ),
}

# the same for rules whose relation has been counted before: rows, of which one stands for several
SUMMED: dict[str, tuple[list[dict[str, str]], list[dict[str, str]]]] = {
    "hqms_17_operation_edition": (
        [{"is_in_edition": "true", "page_count": "7"}],
        [{"is_in_edition": "false", "page_count": "7"}],
    ),
    "hqms_18_duplicate_key": (
        [landed("null::varchar"), landed("'not_datetime'")],
        [landed("'duplicate_key'")],
    ),
    "hqms_19_file_month": (
        [landed("null::varchar"), landed("'duplicate_key'")],
        [landed("'outside_file_month'")],
    ),
    "hqms_18_repeat_admission": ([repeat()], [repeat("is_repeated_admission")]),
    "hqms_18_identical_page": ([repeat()], [repeat("is_identical")]),
    "hqms_18_overlapping_stay": ([repeat()], [repeat("is_overlapping")]),
    "hqms_18_count_reset": ([repeat()], [repeat("is_count_reset")]),
    "hqms_department_mapped": (
        [{"specialty_code": "'0401'", "discharge_count": "7"}],
        [{"specialty_code": "'UNMAPPED'", "discharge_count": "7"}],
    ),
    "drg_grouped": ([cell("GD25", "null::varchar")], [cell(None, "'no_adrg'")]),
    "drg_principal_in_scheme": (
        [cell("GD25", "null::varchar"), cell(None, "'no_adrg'")],
        [cell(None, "'principal_outside_scheme'")],
    ),
    "drg_case_fits_group": (
        [cell("GD25", "null::varchar"), cell(None, "'principal_missing'")],
        [cell(None, f"'{what}_conflict'") for what in ("sex", "age", "weight")],
    ),
    **{
        rule_id: ([resubmitted(dataset, "false")], [resubmitted(dataset, "true")])
        for rule_id, dataset in (("hqms_19_month_shrunk", "hqms_front_page"), ("drg_month_shrunk", "drg_result"))
    },
    "cross_report_case": ([report()], [report(is_on_front_page="false")]),
    "cross_report_death": ([report()], [report(is_death_different="true")]),
    "cross_report_identical": ([report()], [report(is_uniform="true")]),
}
# and for rules that judge a hospital's month or year as one
PERIODS: dict[str, tuple[list[dict[str, str]], list[dict[str, str]]]] = {
    "hqms_19_month_missing": ([volume(80, 80)], [volume(0, 80)]),
    "hqms_19_month_volume": ([volume(40, 80), volume(300, 80)], [volume(39, 80), volume(0, 20)]),
    **{
        f"cross_{what}": (
            [{"rule_id": f"'cross_{what}'", "is_beyond_tolerance": "false"}],
            [{"rule_id": f"'cross_{what}'", "is_beyond_tolerance": "true"}],
        )
        for what in ("appraisal_discharges", "appraisal_operations", "appraisal_deaths", "report_deaths")
    },
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
    "hqms_03_infant_days": page(**NEWBORN | {"layout": "'hqms_p'", "age_days": "null::integer"}),
    "hqms_04_mother_birth_weight": page(**MOTHER | {"sex": "'1'"}),
    "hqms_09_dagger": page(diagnoses="['A17.000+']"),
    "hqms_14_operation_dates": page(operation_dates="[null::date]"),
    "hqms_15_outpatient_diagnosis": page(admission_route="'3'", outpatient_diagnosis="null::varchar"),
    "hqms_15_allergy_diagnosis": page(diagnoses="['T88.100']"),
    "hqms_17_other_icd_form": page(diagnoses="['i10']", operations="['47']"),
    "hqms_17_operation_codes": page(operations="[]::varchar[]", operation_levels="['7']"),
    "hqms_18_duplicate_key": landed("'duplicate_key'") | {"dataset": "'drg_result'"},
    "hqms_18_repeat_admission": repeat("is_repeated_admission") | {"is_identified": "false"},
    "hqms_18_overlapping_stay": repeat("is_overlapping") | {"has_person": "false"},
    "hqms_19_month_missing": volume(0, 80) | {"is_expected": "false"},
    "hqms_19_month_volume": volume(0, 19),
    "cross_report_identical": report(is_comparable="false", is_uniform="true"),
    "cross_report_death": report(is_death_told="false", is_death_different="true"),
    "hqms_19_month_shrunk": resubmitted("drg_result", "true"),
    "drg_month_shrunk": resubmitted("hqms_front_page", "true"),
}
