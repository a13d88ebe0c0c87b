"""Every check of every suite passes on sound marts and fails on marts that lack exactly what it asks for."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml
from hand_made_marts import judged_folder

from expectations.checks import load_rules, load_suites
from expectations.runner import judge
from expectations.verdict import RULES, SUITES, Severity, Status

ONE = "hospital_id = 'H1' and specialty_code = '0304'"
CMI = f"indicator_id = 'cmi' and {ONE}"
SHARE = f"indicator_id = 'share_1' and {ONE}"
ABSENT = f"indicator_id = 'level4_surgery_share' and {ONE}"
DISCHARGES = f"measure_id = 'discharge_count' and {ONE}"


def twice(table: str) -> str:
    return f"insert into {table} from {table} limit 1"


def emptied(table: str, column: str) -> str:
    """One value of the column goes missing."""
    return f"update {table} set {column} = null where rowid = 0"


def strange(table: str, column: str) -> str:
    """One value of the column is one that nobody knows."""
    return f"update {table} set {column} = '?' where rowid = 0"


def indicator(assignment: str, where: str) -> str:
    return f"update fct_indicator set {assignment} where {where}"


# check -> a change of the marts that it must notice
MUST_FAIL = {
    "held_back_key_unique": twice("fct_held_back"),
    "held_back_consequence_known": strange("fct_held_back", "consequence"),
    "dq_trend_key_unique": twice("fct_dq_trend"),
    "dq_trend_trend_known": strange("fct_dq_trend", "trend"),
    "fitness_key_unique": twice("fct_fitness"),
    "fitness_grade_known": strange("fct_fitness", "grade"),
    "anomaly_key_unique": twice("fct_anomaly"),
    "anomaly_status_known": strange("fct_anomaly", "status"),
    "hospital_key_unique": twice("dim_hospital"),
    "hospital_id_filled": emptied("dim_hospital", "hospital_id"),
    "hospital_name_zh_filled": emptied("dim_hospital", "name_zh"),
    "hospital_has_region": "delete from dim_hospital where hospital_id = 'REGION'",
    "hospital_is_registered_known": "update dim_hospital set is_registered = false where hospital_id = 'H2'",
    "registry_key_unique": twice("dim_indicator"),
    "registry_indicator_id_filled": emptied("dim_indicator", "indicator_id"),
    "registry_size": "delete from dim_indicator where indicator_id = 'count_1'",
    "registry_name_zh_filled": emptied("dim_indicator", "name_zh"),
    "registry_definition_zh_filled": emptied("dim_indicator", "definition_zh"),
    "registry_numerator_measure_filled": emptied("dim_indicator", "numerator_measure"),
    "registry_method_version_filled": emptied("dim_indicator", "method_version"),
    "registry_direction_known": strange("dim_indicator", "direction"),
    "registry_is_share_filled": emptied("dim_indicator", "is_share"),
    "registry_is_provisional_known": "update dim_indicator set is_provisional = true where rowid = 0",
    "specialty_key_unique": twice("dim_specialty"),
    "specialty_code_filled": emptied("dim_specialty", "specialty_code"),
    "specialty_name_zh_filled": emptied("dim_specialty", "name_zh"),
    "specialty_has_aggregates": "delete from dim_specialty where specialty_code = 'UNMAPPED'",
    "window_key_unique": twice("dim_window"),
    "window_id_filled": emptied("dim_window", "window_id"),
    "window_any": "delete from dim_window",
    "window_years_match": "update dim_window set first_year = 2022",
    "window_has_region_rows": "delete from fct_indicator where hospital_id = 'REGION'",
    "window_reason_when_incomplete": "update dim_window set is_complete = false",
    "window_is_complete_known": "update dim_window set is_complete = false, incomplete_reason = '缺 12 月'",
    "dq_key_unique": twice("fct_dq_result"),
    "dq_rule_id_filled": emptied("fct_dq_result", "rule_id"),
    "dq_dataset_filled": emptied("fct_dq_result", "dataset"),
    "dq_organisation_id_filled": emptied("fct_dq_result", "organisation_id"),
    "dq_month_filled": emptied("fct_dq_result", "month"),
    "dq_violated_within_checked": "update fct_dq_result set violated = 1001 where rowid = 0",
    "dq_violated_not_negative": "update fct_dq_result set violated = -1 where rowid = 0",
    "dq_severity_known": strange("fct_dq_result", "severity"),
    "dq_status_known": strange("fct_dq_result", "status"),
    "dq_no_error": "update fct_dq_result set status = 'error' where rowid = 0",
    "indicator_key_unique": twice("fct_indicator"),
    "indicator_hospital_id_filled": emptied("fct_indicator", "hospital_id"),
    "indicator_specialty_code_filled": emptied("fct_indicator", "specialty_code"),
    "indicator_window_id_filled": emptied("fct_indicator", "window_id"),
    "indicator_id_filled": emptied("fct_indicator", "indicator_id"),
    "indicator_hospital_id_known": strange("fct_indicator", "hospital_id"),
    "indicator_specialty_code_known": strange("fct_indicator", "specialty_code"),
    "indicator_window_id_known": strange("fct_indicator", "window_id"),
    "indicator_attribution_known": strange("fct_indicator", "attribution"),
    "indicator_id_known": strange("fct_indicator", "indicator_id"),
    "indicator_all_present": "delete from fct_indicator where indicator_id = 'count_3'",
    "indicator_status_known": strange("fct_indicator", "status"),
    "indicator_status_filled": emptied("fct_indicator", "status"),
    "indicator_value_when_valued": indicator("value = null", CMI),
    "indicator_no_value_otherwise": indicator("value = 0", ABSENT),
    "indicator_reason_when_not_valued": indicator("status_reason = null", ABSENT),
    "indicator_share_in_range": indicator("value = 1.00000001", SHARE),
    "indicator_numerator_within_denominator": indicator("numerator = denominator + 0.00000001", SHARE),
    "indicator_numerator_not_negative": indicator("numerator = -0.00000001", CMI),
    "indicator_value_not_negative": indicator("value = -0.00000001", CMI),
    "indicator_denominator_behind_value": indicator("denominator = 0", CMI),
    "indicator_method_version_filled": emptied("fct_indicator", "method_version"),
    "combination_indicators_complete": f"delete from fct_indicator where {CMI}",
    "region_index_is_one": indicator(
        "value = 1.00000001",
        "indicator_id = 'time_consumption_index' and hospital_id = 'REGION' and specialty_code = 'ALL'",
    ),
    "region_index_present": "delete from fct_indicator where indicator_id = 'cost_consumption_index'",
    "region_cmi_is_one": indicator(
        "value = 1.00000001", "indicator_id = 'cmi' and hospital_id = 'REGION' and specialty_code = 'ALL'"
    ),
    "region_cmi_present": "update fct_indicator set indicator_id = 'cmi_' where indicator_id = 'cmi'",
    "measure_key_unique": twice("fct_measure"),
    "measure_hospital_id_filled": emptied("fct_measure", "hospital_id"),
    "measure_specialty_code_filled": emptied("fct_measure", "specialty_code"),
    "measure_window_id_filled": emptied("fct_measure", "window_id"),
    "measure_id_filled": emptied("fct_measure", "measure_id"),
    "measure_hospital_id_known": strange("fct_measure", "hospital_id"),
    "measure_specialty_code_known": strange("fct_measure", "specialty_code"),
    "measure_window_id_known": strange("fct_measure", "window_id"),
    "measure_attribution_known": strange("fct_measure", "attribution"),
    "measure_value_filled": emptied("fct_measure", "value"),
    "measure_value_not_negative": f"update fct_measure set value = -1 where {DISCHARGES}",
    "flow_key_unique": twice("fct_patient_flow"),
    "flow_residence_division_filled": emptied("fct_patient_flow", "residence_division"),
    "flow_specialty_code_known": strange("fct_patient_flow", "specialty_code"),
    "flow_count_positive": "update fct_patient_flow set discharge_count = 0 where rowid = 0",
    "flow_share_in_range": "update fct_patient_flow set share_of_residence = 1.00000001 where rowid = 0",
    "flow_specialties_add_up": "update fct_patient_flow set discharge_count = 24 where specialty_code = '0304'",
    "flow_matches_discharges": "update fct_patient_flow set discharge_count = discharge_count + 1",
    "outflow_key_unique": twice("fct_outflow"),
    "outflow_specialty_code_known": strange("fct_outflow", "specialty_code"),
    "outflow_window_id_known": strange("fct_outflow", "window_id"),
    "outflow_within_residents": "update fct_outflow set outflow_count = 21 where rowid = 0",
    "outflow_rate_in_range": "update fct_outflow set outflow_rate = 1.00000001 where rowid = 0",
    "outflow_residence_named": emptied("fct_outflow", "residence_name_zh"),
    "single_disease_key_unique": twice("fct_single_disease"),
    "single_disease_hospital_id_known": strange("fct_single_disease", "hospital_id"),
    "single_disease_window_id_known": strange("fct_single_disease", "window_id"),
    "single_disease_reported_within_due": "update fct_single_disease set reported_count = 11",
    "single_disease_completed_within_records": "update fct_single_disease set completed_count = 10",
    "single_disease_items_met_within_due": "update fct_single_disease set item_met_count = 41",
    "single_disease_records_have_front_pages": "update fct_single_disease set unmatched_count = 1",
    "region_sum_matches": f"update fct_measure set value = value + 0.00000001 where {DISCHARGES}",
    "specialty_sum_matches": f"update fct_measure set value = value + 0.00000001 where {DISCHARGES}",
    "benchmark_key_unique": twice("ref_drg_benchmark"),
    "benchmark_window_id_filled": emptied("ref_drg_benchmark", "window_id"),
    "benchmark_drg_code_filled": emptied("ref_drg_benchmark", "drg_code"),
    "benchmark_window_id_known": strange("ref_drg_benchmark", "window_id"),
    "benchmark_reference_population_known": strange("ref_drg_benchmark", "reference_population"),
    "benchmark_one_population": "update ref_drg_benchmark set reference_population = 'tertiary' where rowid = 0",
    "benchmark_case_count_positive": "update ref_drg_benchmark set case_count = 0 where rowid = 0",
    "benchmark_weight_filled": emptied("ref_drg_benchmark", "weight"),
    "benchmark_weight_positive": "update ref_drg_benchmark set weight = 0 where rowid = 0",
    "benchmark_mean_cost_positive": "update ref_drg_benchmark set mean_cost_fen = 0 where rowid = 0",
    "benchmark_edition_named": "update ref_drg_benchmark set scheme_edition = '未注明' where rowid = 0",
    "benchmark_scheme_edition_filled": emptied("ref_drg_benchmark", "scheme_edition"),
    "benchmark_one_weight_source": strange("ref_drg_benchmark", "weight_source"),
    "grouping_outcome_key_unique": twice("fct_grouping_outcome"),
    "grouping_outcome_hospital_id_filled": emptied("fct_grouping_outcome", "hospital_id"),
    "grouping_outcome_window_id_filled": emptied("fct_grouping_outcome", "window_id"),
    "grouping_outcome_outcome_filled": emptied("fct_grouping_outcome", "outcome"),
    "grouping_outcome_hospital_id_known": strange("fct_grouping_outcome", "hospital_id"),
    "grouping_outcome_window_id_known": strange("fct_grouping_outcome", "window_id"),
    "grouping_outcome_outcome_known": strange("fct_grouping_outcome", "outcome"),
    "grouping_outcome_case_count_positive": "update fct_grouping_outcome set case_count = 0 where rowid = 0",
    "grouping_outcome_within_analysed": "update fct_grouping_outcome set case_count = 11 where rowid = 0",
    "code_coverage_key_unique": twice("fct_code_coverage"),
    "code_coverage_hospital_id_filled": emptied("fct_code_coverage", "hospital_id"),
    "code_coverage_data_year_filled": emptied("fct_code_coverage", "data_year"),
    "code_coverage_scheme_edition_filled": emptied("fct_code_coverage", "scheme_edition"),
    "code_coverage_kind_filled": emptied("fct_code_coverage", "kind"),
    "code_coverage_hospital_id_known": strange("fct_code_coverage", "hospital_id"),
    "code_coverage_kind_known": strange("fct_code_coverage", "kind"),
    "code_coverage_outside_within_all": "update fct_code_coverage set outside_count = 101 where rowid = 0",
    "code_coverage_outside_share": "update fct_code_coverage set outside_share = 0.11 where rowid = 0",
    "drg_comparison_key_unique": twice("fct_drg_comparison"),
    "drg_comparison_hospital_id_filled": emptied("fct_drg_comparison", "hospital_id"),
    "drg_comparison_data_year_filled": emptied("fct_drg_comparison", "data_year"),
    "drg_comparison_scheme_edition_filled": emptied("fct_drg_comparison", "scheme_edition"),
    "drg_comparison_drg_code_filled": emptied("fct_drg_comparison", "drg_code"),
    "drg_comparison_external_edition_filled": emptied("fct_drg_comparison", "external_edition"),
    "drg_comparison_external_drg_code_filled": emptied("fct_drg_comparison", "external_drg_code"),
    "drg_comparison_hospital_id_known": strange("fct_drg_comparison", "hospital_id"),
    "drg_comparison_case_count_positive": "update fct_drg_comparison set case_count = 0 where rowid = 0",
    "risk_key_unique": twice("ref_drg_risk"),
    "risk_window_id_filled": emptied("ref_drg_risk", "window_id"),
    "risk_scheme_edition_filled": emptied("ref_drg_risk", "scheme_edition"),
    "risk_drg_code_filled": emptied("ref_drg_risk", "drg_code"),
    "risk_class_filled": emptied("ref_drg_risk", "risk_class"),
    "risk_class_known": strange("ref_drg_risk", "risk_class"),
    "risk_deaths_within_cases": "update ref_drg_risk set death_count = 16 where rowid = 0",
    "risk_mortality_in_range": "update ref_drg_risk set mortality = 1.000000000001 where rowid = 0",
    "risk_cuts_ordered_low": "update ref_drg_risk set cut_low = cut_mid + 0.000000000001 where rowid = 0",
    "risk_cuts_ordered_high": "update ref_drg_risk set cut_high = cut_mid - 0.000000000001 where rowid = 0",
    "programme_key_unique": twice("dim_programme"),
    "programme_window_filled": emptied("dim_programme", "window_id"),
    "programme_is_provisional_known": "update dim_programme set is_provisional = true",
    "programme_item_key_unique": twice("dim_programme_item"),
    "programme_item_entries_complete": "delete from dim_programme_item where rowid = 0",
    "programme_item_scale_filled": emptied("dim_programme_item", "scale_zh"),
    "programme_item_weight_positive": "update dim_programme_item set weight = 0 where rowid = 0",
    "evidence_key_unique": twice("fct_evidence"),
    "evidence_status_known": strange("fct_evidence", "status"),
    "evidence_reason_when_not_valued": "update fct_evidence set status_reason = null",
    "item_key_unique": twice("fct_item"),
    "item_hospital_id_known": strange("fct_item", "hospital_id"),
    "item_specialty_code_known": strange("fct_item", "specialty_code"),
    "item_id_known": strange("fct_item", "item_id"),
    "item_status_known": strange("fct_item", "status"),
    "item_score_when_valued": "update fct_item set status = 'valued' where scale_score is null",
    "item_reason_when_not_valued": "update fct_item set status_reason = null",
    "item_score_in_range": "update fct_item set scale_score = 100.00000001 where scale_score is not null",
    "candidate_items_complete": "delete from fct_item where rowid = 0",
    "score_key_unique": twice("fct_score"),
    "score_level_known": strange("fct_score", "level"),
    "score_in_range": "update fct_score set score = 100.00000001 where rowid = 0",
    "score_coverage_in_range": "update fct_score set coverage = 1.00000001 where rowid = 0",
    "score_coverage_beside_score": emptied("fct_score", "coverage"),
    "score_reason_without_rank": "update fct_score set rank_reason = null",
    "score_rank_positive": "update fct_score set rank = 0 where rank = 1",
    "group_score_recomputable": "update fct_score set score = score + 0.0000001",
    "stability_key_unique": twice("fct_rank_stability"),
    "stability_within_draws": "update fct_rank_stability set above_cut_count = 201",
    "stability_rank_matches": "update fct_rank_stability set rank = 2",
    "eligibility_key_unique": twice("fct_eligibility"),
    "eligibility_specialty_code_known": strange("fct_eligibility", "specialty_code"),
    "eligibility_result_known": strange("fct_eligibility", "result"),
    "eligibility_evidence_filled": emptied("fct_eligibility", "evidence_zh"),
    "eligibility_reason_when_unknown": "update fct_eligibility set unknown_reason_zh = null",
    "quota_key_unique": twice("fct_quota"),
    "quota_status_known": strange("fct_quota", "status"),
    "quota_reason_unless_met": "update fct_quota set status_reason = null",
    "quota_count_when_met": "update fct_quota set actual_numerator = null where status = 'met'",
    "quota_count_not_negative": "update fct_quota set actual_numerator = -1 where rowid = 0",
    "stage_key_unique": twice("fct_project_stage"),
    "stage_status_known": strange("fct_project_stage", "status"),
    "stage_due_date_filled": emptied("fct_project_stage", "due_date"),
    "stage_reason_when_overdue": "update fct_project_stage set status_reason = null",
    "programme_stage_key_unique": twice("fct_programme_stage"),
    "programme_stage_reached_within_projects": "update fct_programme_stage set reached_count = 3",
    "project_year_key_unique": twice("fct_project_year"),
    "project_year_indicator_id_known": strange("fct_project_year", "indicator_id"),
    "project_year_target_status_known": strange("fct_project_year", "target_status"),
    "appraisal_key_unique": twice("fct_appraisal"),
    "appraisal_hospital_id_known": strange("fct_appraisal", "hospital_id"),
    "appraisal_trend_known": strange("fct_appraisal", "trend"),
    "appraisal_grade_on_scale": "update fct_appraisal set position = null",
    "progress_key_unique": twice("fct_project_progress"),
    "progress_indicator_id_known": strange("fct_project_progress", "indicator_id"),
    "progress_trend_known": strange("fct_project_progress", "trend"),
    "progress_change_when_comparable": emptied("fct_project_progress", "change"),
    "progress_reason_when_not_comparable": "update fct_project_progress set status_reason = null",
    "move_key_unique": twice("fct_list_move"),
    "move_known": strange("fct_list_move", "move"),
    "move_member_count_not_negative": "update fct_list_move set member_count = -1 where rowid = 0",
    "move_reason_without_date": "update fct_list_move set status_reason = null",
    "selection_key_unique": twice("fct_selection"),
    "selection_specialty_code_known": strange("fct_selection", "specialty_code"),
    "selection_decision_known": strange("fct_selection", "decision"),
    "selection_only_eligible": "update fct_selection set eligibility = 'unknown' where decision = 'recommended'",
    "selection_position_when_recommended": "update fct_selection set position = null",
    "selection_reason_when_not_eligible": "update fct_selection set decision_reason = null",
    "selection_quota_key_unique": twice("fct_selection_quota"),
    "selection_quota_status_known": strange("fct_selection_quota", "status"),
    "selection_quota_kept": "update fct_selection_quota set limit_numerator = 0 where bound = 'at_most'",
    "selection_quota_size_matches": "delete from fct_selection where decision = 'recommended'",
    "selection_quota_cost_not_negative": "update fct_selection_quota set cost = -1 where rowid = 0",
    "selection_quota_reason_when_conflicting": "update fct_selection_quota set status_reason = null",
}
CHECKS = {check.id: (suite, check) for suite in load_suites(SUITES) for check in suite.expectations}


def test_every_check_has_a_fixture_that_must_fail() -> None:
    assert MUST_FAIL.keys() == CHECKS.keys()


def test_sound_marts_open_the_gate(tmp_path: Path) -> None:
    verdict = judge(judged_folder(tmp_path / "marts"))
    assert [result for result in verdict.results if result.status is not Status.PASSED] == [
        result for result in verdict.results if result.id == "window_reason_when_incomplete"
    ], "only the reason of incomplete windows has nothing to check"
    assert verdict.gate == "open"
    assert len(verdict.results) == len(CHECKS) + len(load_rules(RULES)) + 1  # + what landing set aside


@pytest.mark.parametrize("check_id", MUST_FAIL)
def test_check_fails_on_marts_that_lack_what_it_asks_for(check_id: str, tmp_path: Path) -> None:
    suite, check = CHECKS[check_id]
    alone = tmp_path / "suites"
    alone.mkdir()
    document = suite.model_copy(update={"expectations": (check,)}).model_dump(mode="json", exclude_none=True)
    (alone / "one.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    no_rules = tmp_path / "rules" / "dq_rules.csv"
    no_rules.parent.mkdir()
    with RULES.open(encoding="utf-8", newline="") as stream:
        no_rules.write_text(",".join(next(csv.reader(stream))) + "\n", encoding="utf-8")

    marts = judged_folder(tmp_path / "marts", MUST_FAIL[check_id])
    verdict = judge(marts, rules=no_rules, suites=alone)

    result = next(result for result in verdict.results if result.id == check_id)
    assert (result.status, result.reason) == (Status.FAILED, "")
    if check.severity is Severity.CRITICAL:
        assert result in verdict.closing()
        assert verdict.gate == "closed"
