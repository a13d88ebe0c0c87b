"""Marts of a province of two hospitals, small enough to read, that satisfy every check.

Tests change them by SQL and look at what the gate and the publisher make of it.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from expectations.content import DATA, DATABASE
from expectations.verdict import RULES
from publishing.export import ColumnSpec, MartSpec

KEYS = {
    "dim_hospital": ("hospital_id",),
    "dim_specialty": ("specialty_code",),
    "dim_indicator": ("indicator_id",),
    "dim_window": ("window_id",),
    "ref_drg_benchmark": ("window_id", "drg_code"),
    "ref_drg_risk": ("window_id", "drg_code"),
    "fct_measure": ("hospital_id", "specialty_code", "attribution", "window_id", "measure_id"),
    "fct_indicator": ("hospital_id", "specialty_code", "attribution", "window_id", "indicator_id"),
    "fct_dq_result": ("rule_id", "dataset", "organisation_id", "month"),
    "fct_held_back": ("dataset", "organisation_id", "month", "source_id", "rule_id"),
    "fct_dq_trend": ("rule_id", "dataset", "hospital_id", "month"),
    "fct_fitness": ("mart", "hospital_id", "data_year"),
    "fct_anomaly": ("hospital_id", "month", "measure_id"),
    "fct_outflow": ("window_id", "division_rank", "residence_division", "specialty_code"),
    "fct_single_disease": ("hospital_id", "disease_code", "window_id"),
    "fct_patient_flow": ("data_year", "residence_division", "hospital_division", "specialty_code"),
    "dim_programme": ("programme_id", "tier"),
    "dim_programme_item": ("programme_id", "item_id"),
    "fct_evidence": ("hospital_id", "specialty_code", "item_code", "period"),
    "fct_item": ("programme_id", "tier", "window_id", "hospital_id", "specialty_code", "item_id"),
    "fct_score": ("programme_id", "tier", "window_id", "hospital_id", "specialty_code", "level", "group_id"),
    "fct_rank_stability": ("programme_id", "tier", "window_id", "hospital_id", "specialty_code"),
    "fct_eligibility": ("programme_id", "tier", "hospital_id", "specialty_code", "rule_id"),
    "fct_quota": ("rule_id", "scope_kind", "scope_id", "period"),
    "fct_project_stage": ("project_id", "stage_id"),
    "fct_project_progress": ("project_id", "indicator_id"),
    "fct_programme_stage": ("programme_id", "tier", "rule_id"),
    "fct_project_year": ("project_id", "indicator_id", "data_year"),
    "fct_appraisal": ("hospital_id", "indicator_code", "data_year"),
    "fct_list_move": ("programme_id", "tier", "project_id", "move"),
    "fct_selection": ("programme_id", "tier", "window_id", "hospital_id", "specialty_code"),
    "fct_selection_quota": ("programme_id", "tier", "window_id", "quota_id"),
}

# Of 36 indicators 3 are indices, 28 shares and 5 counts; 四级手术占比 has no cases in specialty 0304.
MARTS = f"""
create table dim_hospital as
    select * from (values ('H1', '示例一院', true), ('H2', '示例二院', true), ('REGION', '云岫省', false))
        t (hospital_id, name_zh, is_registered);
create table dim_specialty as
    select * from (values ('ALL', '全部专科'), ('UNMAPPED', '未对照专科'), ('0304', '消化内科专业'))
        t (specialty_code, name_zh);
create table dim_indicator as
    select indicator_id, '指标' || indicator_id as name_zh, unit, '分子除以分母' as definition_zh,
           indicator_id || '_sum' as numerator_measure, '1' as method_version, 'higher' as direction,
           false as is_provisional, unit = '%' as is_share
    from (
        select unnest(['cmi', 'cost_consumption_index', 'time_consumption_index']) as indicator_id, '—' as unit
        union all select 'share_' || i, '%' from range(1, 28) t (i)
        union all select 'level4_surgery_share', '%'
        union all select 'count_' || i, '人次' from range(1, 6) t (i)
    );
create table dim_window as
    select '2023' as window_id, 2023 as first_year, 2023 as last_year, 1 as years, true as is_complete,
           cast(null as varchar) as incomplete_reason;
create table ref_drg_benchmark as
    select '2023' as window_id, drg_code, 'region' as reference_population, 15 as case_count,
           cast(weight as decimal(20, 12)) as weight, cast(weight * 1000000 as decimal(24, 8)) as mean_cost_fen,
           'YX-1.0' as scheme_edition, 'computed' as weight_source
    from (values ('FR11', 0.8), ('EB19', 1.2)) t (drg_code, weight);
create table ref_drg_risk as
    select '2023' as window_id, 'YX-1.0' as scheme_edition, drg_code, 15 as case_count, deaths as death_count,
           cast(deaths / 15 as decimal(20, 12)) as mortality, risk_class,
           cast(-3 as decimal(20, 12)) as cut_low, cast(-2 as decimal(20, 12)) as cut_mid,
           cast(-1 as decimal(20, 12)) as cut_high
    from (values ('FR11', 0, '1'), ('EB19', 3, '3')) t (drg_code, deaths, risk_class);
create table fct_grouping_outcome as
    select hospital_id, '2023' as window_id, outcome, outcome_zh, 5 as case_count, 10 as analysed_count,
           cast(0.5 as decimal(18, 8)) as share
    from (values ('H1'), ('H2'), ('REGION')) h (hospital_id),
         (values ('grouped', '已入组'), ('no_adrg', '没有符合条件的 ADRG')) o (outcome, outcome_zh);
create table fct_code_coverage as
    select hospital_id, 2023 as data_year, 'YX-1.0' as scheme_edition, kind, 100 as code_count, 3 as mapped_count,
           2 as outside_count, cast(0.02 as decimal(18, 8)) as outside_share
    from (values ('H1'), ('H2'), ('REGION')) h (hospital_id), (values ('diagnosis'), ('procedure')) k (kind);
create table fct_drg_comparison as
    select hospital_id, 2023 as data_year, 'YX-1.0' as scheme_edition, 'FR11' as drg_code, '1.0' as external_edition,
           external_drg_code, external_drg_code = 'FR11' as is_same, 7 as case_count
    from (values ('H1'), ('H2')) h (hospital_id), (values ('FR11'), ('未入组')) e (external_drg_code);
create table place as
    select hospital_id, specialty_code, 'department' as attribution, '2023' as window_id, cases
    from (values ('H1', 10), ('H2', 20), ('REGION', 30)) h (hospital_id, cases),
         (values ('0304'), ('ALL')) s (specialty_code);
create table fct_measure as
    select place.* exclude (cases), measure_id, cast(cases * factor as decimal(28, 8)) as value
    from place, (values ('discharge_count', 1), ('stay_days_sum', 8), ('grouped_cost_fen', 900000))
        m (measure_id, factor);
create table fct_indicator as
    select place.* exclude (cases), indicator_id,
           cast(case when unit = '%' then cases / 5 else cases end as decimal(28, 8)) as numerator,
           cast(case when unit <> '人次' then cases end as decimal(28, 8)) as denominator,
           cast(case when absent then null when unit = '%' then 0.2 when unit = '—' then 1 else cases end
                as decimal(24, 8)) as value,
           case when absent then 0 else cases end as case_count,
           case when absent then 'not_applicable' else 'valued' end as status,
           case when absent then '本窗口无手术病例' end as status_reason, '1' as method_version
    from place, (select * from dim_indicator),
         lateral (select indicator_id = 'level4_surgery_share' and specialty_code = '0304' as absent);
create table fct_patient_flow as
    select 2023 as data_year, residence_division, '990100' as hospital_division, specialty_code, discharge_count,
           cast(1 as decimal(18, 8)) as share_of_residence
    from (values ('990100', 25), ('UNKNOWN', 5)) f (residence_division, discharge_count),
         (values ('0304'), ('ALL')) s (specialty_code);
create table fct_outflow as
    select '2023' as window_id, 'prefecture' as division_rank, residence_division, '岫宁市' as residence_name_zh,
           specialty_code, 20 as resident_count, 5 as outflow_count, cast(0.25 as decimal(18, 8)) as outflow_rate
    from (values ('990100'), ('990200')) d (residence_division), (values ('0304'), ('ALL')) s (specialty_code);
create table fct_single_disease as
    select hospital_id, 'STEMI' as disease_code, '2023' as window_id, 10 as due_count, 8 as reported_count,
           9 as record_count, 7 as completed_count, 0 as unmatched_count, 40 as item_due_count, 30 as item_met_count
    from (values ('H1'), ('REGION')) h (hospital_id);
create table fct_dq_result as
    select rule_id, dataset, organisation_id, '2023-01' as month, 1000 as checked, 0 as violated,
           cast(0 as decimal(18, 8)) as violated_share, cast(threshold as decimal(18, 8)) as threshold, severity,
           'passed' as status
    from (
        select rule_id, dataset, threshold, severity from read_csv('{RULES}', all_varchar = true)
        union all select 'landing_quarantine_share', 'drg_result', '0.05', 'warning'
    ), (values ('H1'), ('H2')) o (organisation_id);
create table fct_held_back as
    select 'hqms_front_page' as dataset, 'H2' as organisation_id, '2023-02' as month, 'abc' as source_id,
           'hqms_01_time_order' as rule_id, 'missing' as consequence;
create table fct_dq_trend as
    select rule_id, dataset, organisation_id as hospital_id, month, 'steady' as trend from fct_dq_result;
create table fct_fitness as
    select 'fct_indicator' as mart, hospital_id, 2023 as data_year, 'A' as grade from dim_hospital;
create table fct_anomaly as
    select hospital_id, '2023-01' as month, 'volume' as measure_id, 'usual' as status from dim_hospital;
create table dim_programme as
    select 'national_2021' as programme_id, 'national' as tier, '2023' as window_id, false as is_provisional;
create table dim_programme_item as
    select 'national_2021' as programme_id, 'NI-' || i as item_id, 'NI-' || i as entry_id, 'data' as part,
           '1' as group_id, '同类机构位次' as scale_zh, 60 as weight
    from range(28) t (i);
create table fct_evidence as
    select 'H1' as hospital_id, '0304' as specialty_code, item_code, '当前' as period,
           case when value is null then 'awaiting_dossier' else 'valued' end as status,
           case when value is null then '申报材料未填' end as status_reason
    from (values ('D0401', 2), ('D0501', null)) t (item_code, value);
create table fct_item as
    select programme_id, tier, window_id, hospital_id, '0304' as specialty_code, item_id, weight,
           cast(case when item_id <> 'NI-0' then score end as decimal(12, 8)) as scale_score,
           case when item_id = 'NI-0' then 'awaiting_dossier' else 'valued' end as status,
           case when item_id = 'NI-0' then '申报材料未填' end as status_reason
    from dim_programme inner join dim_programme_item using (programme_id),
         (values ('H1', 75), ('H2', 25)) t (hospital_id, score);
create table fct_score as
    select programme_id, tier, window_id, hospital_id, specialty_code, level, level as group_id,
           cast(min(scale_score) as decimal(12, 8)) as score, cast(0.96428571 as decimal(9, 8)) as coverage,
           27 * 60 as scored_weight, case hospital_id when 'H1' then 1 end as rank,
           case hospital_id when 'H2' then '覆盖率低于参加排名的最低要求 1.00' end as rank_reason
    from fct_item, (values ('total'), ('part'), ('group')) t (level)
    group by all;
update fct_score set group_id = '1' where level = 'group';
create table fct_rank_stability as
    select programme_id, tier, window_id, hospital_id, specialty_code, rank, 200 as draws, 150 as above_cut_count
    from fct_score where level = 'total' and rank is not null;
create table fct_eligibility as
    select 'national_2021' as programme_id, 'national' as tier, hospital_id, '0304' as specialty_code, rule_id, result,
           '医院级别：三级' as evidence_zh, case result when 'unknown' then '登记册未填' end as unknown_reason_zh
    from (values ('H1', 'G-06', 'passed'), ('H1', 'N-13', 'passed'),
                 ('H2', 'G-06', 'failed'), ('H2', 'N-13', 'unknown'))
        t (hospital_id, rule_id, result);
create table fct_quota as
    select rule_id, 'province' as scope_kind, '990000' as scope_id, '2023' as period, count as actual_numerator, status,
           case status when 'met' then null when 'not_met' then '低于下限' else '缺该年人口' end as status_reason
    from (values ('N-09', 3, 'met'), ('N-12', 1, 'not_met'), ('N-18', null, 'unknown')) t (rule_id, count, status);
create table fct_project_stage as
    select 'P1' as project_id, stage_id, due_date, status,
           case status when 'overdue' then '应于 2023-09-30 前完成' end as status_reason
    from (values ('completion', date '2023-06-30', 'done'), ('acceptance', date '2023-09-30', 'overdue'))
        t (stage_id, due_date, status);
create table fct_project_progress as
    select 'P1' as project_id, indicator_id, change, trend,
           case trend when 'not_comparable' then '基线年度无值' end as status_reason
    from (values ('cmi', 0.1, 'improved'), ('share_1', null, 'not_comparable')) t (indicator_id, change, trend);
create table fct_programme_stage as
    select 'guizhou_942' as programme_id, 'dengfeng' as tier, 'Z-11' as rule_id, 2 as project_count,
           1 as reached_count;
create table fct_project_year as
    select 'P1' as project_id, 'cmi' as indicator_id, 2023 as data_year, 1.1 as value, 'met' as target_status;
create table fct_appraisal as
    select 'H1' as hospital_id, 'GK000' as indicator_code, 2022 as data_year, 'A' as grade, 9 as position,
           'kept' as trend;
create table fct_list_move as
    select 'guizhou_942' as programme_id, 'dengfeng' as tier, 'P1' as project_id, move, move_date,
           count as member_count, case when move_date is null then '台账未填退出日期' end as status_reason
    from (values ('enter', date '2023-01-01', 1), ('leave', null, null)) t (move, move_date, count);
create table fct_selection as
    select programme_id, tier, window_id, hospital_id, specialty_code,
           case hospital_id when 'H1' then 'passed' else 'failed' end as eligibility,
           case hospital_id when 'H1' then 'recommended' else 'not_eligible' end as decision,
           case hospital_id when 'H1' then 1 end as position,
           case hospital_id when 'H2' then '二级以上医院' end as decision_reason
    from fct_score where level = 'total';
create table fct_selection_quota as
    select 'national_2021' as programme_id, tier, '2023' as window_id, quota_id, bound, 1 as limit_numerator,
           2 as limit_denominator, count as list_count, count as list_size, cost, status,
           case status when 'conflicting' then '不能同时满足的约束' end as status_reason
    from (values ('national', 'places', 'at_most', 1, 0, 'slack'),
                 ('national', 'core', 'share_at_least', 1, 3, 'binding'),
                 ('other', 'places', 'at_least', 0, null, 'conflicting'))
        t (tier, quota_id, bound, count, cost, status);
drop table place;
"""


def warehouse(path: Path, *changes: str) -> Path:
    """A candidate database with the marts, after the changes."""
    with duckdb.connect(path) as connection:
        connection.execute(MARTS)
        for change in changes:
            connection.execute(change)
    return path


def specs() -> list[MartSpec]:
    """What dbt would say about these marts."""
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        return [
            MartSpec(
                name=name,
                schema="main",
                title_zh=f"表 {name}",
                description=f"表 {name}。 Table.",
                key=key,
                columns=tuple(
                    ColumnSpec(column, f"列 {column}", f"列 {column}。 Column.", "")
                    for column, *_ in connection.execute(f"describe {name}").fetchall()
                ),
            )
            for name, key in sorted(KEYS.items())
        ]


def judged_folder(folder: Path, *changes: str) -> Path:
    """The marts as an export would lay them out, after the changes; without the work of a real export."""
    (folder / DATA).mkdir(parents=True)
    (folder / DATABASE).touch()
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        for change in changes:
            connection.execute(change)
        for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            connection.execute(f"copy {name} to '{folder / DATA / name}.parquet' (format parquet)")
    return folder
