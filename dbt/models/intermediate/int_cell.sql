-- Additive sums per organisation, department specialty, DRG and month: the one table that reads every discharge.
-- drg_code is missing for cases without a group, which have a reason instead.
select
    organisation_id,
    specialty_code,
    drg_code,
    scheme_edition,
    ungrouped_reason,
    discharge_month,
    count(*) as discharge_count,
    count(*) filter (where has_died) as death_count,
    count(length_of_stay_days) as stay_known_count,
    cast(coalesce(sum(length_of_stay_days), 0) as bigint) as stay_days_sum,
    count(*) filter (where is_transfer_in) as transfer_in_count,
    count(*) filter (where is_residence_known) as known_residence_count,
    count(*) filter (where is_out_of_province) as out_of_province_count,
    count(*) filter (where has_surgery) as surgical_discharge_count,
    count(*) filter (where has_level4_surgery) as level4_discharge_count,
    count(*) filter (where has_minimally_invasive_surgery) as minimally_invasive_discharge_count,
    cast(sum(surgery_procedures) as bigint) as surgery_procedure_count,
    cast(sum(level4_procedures) as bigint) as level4_procedure_count,
    cast(sum(minimally_invasive_procedures) as bigint) as minimally_invasive_procedure_count,
    count(*) filter (where exclusion_reason = 'stay_missing') as excluded_stay_missing_count,
    count(*) filter (where exclusion_reason = 'stay_over_limit') as excluded_stay_over_limit_count,
    count(*) filter (where exclusion_reason = 'cost_missing') as excluded_cost_missing_count,
    count(*) filter (where exclusion_reason = 'cost_below_limit') as excluded_cost_below_limit_count,
    count(*) filter (where exclusion_reason = 'z53_short') as excluded_z53_short_count,
    count(*) filter (where is_analysed) as analysed_count,
    count(*) filter (where is_grouped) as grouped_count,
    cast(coalesce(sum(total_fee_fen) filter (where is_grouped), 0) as bigint) as grouped_cost_fen,
    cast(coalesce(sum(length_of_stay_days) filter (where is_grouped), 0) as bigint) as grouped_stay_days,
    count(*) filter (where is_grouped and has_died) as grouped_death_count
from {{ ref('int_discharge') }}
group by organisation_id, specialty_code, drg_code, scheme_edition, ungrouped_reason, discharge_month
