-- One row per attribution, hospital, specialty and window; one column per measure, named as in
-- seeds/indicators/measures.csv. A new measure is a column here and a row there.
with grouped as (
    select
        part.*,
        -- integers in, decimals out; NULL where the reference has no such group
        benchmark.weight,
        {{ exact_ratio(
            ['part.grouped_cost_fen', 'benchmark.case_count'], ['benchmark.cost_fen_sum'], 12, 26
        ) }} as cost_ratio_sum,
        {{ exact_ratio(
            ['part.grouped_stay_days', 'benchmark.case_count'], ['benchmark.los_days_sum'], 12, 26
        ) }} as time_ratio_sum,
        risk.risk_class
    from {{ ref('int_group') }} as part
    left join {{ ref('ref_drg_benchmark') }} as benchmark
        on part.window_id = benchmark.window_id and part.drg_code = benchmark.drg_code
    left join {{ ref('ref_drg_risk') }} as risk
        on part.window_id = risk.window_id and part.drg_code = risk.drg_code
)

select
    grouped.attribution,
    grouped.hospital_id,
    grouped.specialty_code,
    grouped.window_id,
    sum(discharge_count) as discharge_count,
    sum(death_count) as death_count,
    sum(stay_known_count) as stay_known_count,
    sum(stay_days_sum) as stay_days_sum,
    sum(transfer_in_count) as transfer_in_count,
    sum(known_residence_count) as known_residence_count,
    sum(out_of_province_count) as out_of_province_count,
    sum(surgical_discharge_count) as surgical_discharge_count,
    sum(case switch.surgery_count_basis
        when 'procedure' then surgery_procedure_count else surgical_discharge_count
    end) as surgery_count,
    sum(case switch.surgery_count_basis
        when 'procedure' then level4_procedure_count else level4_discharge_count
    end) as level4_surgery_count,
    sum(case switch.surgery_count_basis
        when 'procedure' then minimally_invasive_procedure_count else minimally_invasive_discharge_count
    end) as minimally_invasive_count,
    sum(excluded_stay_missing_count) as excluded_stay_missing_count,
    sum(excluded_stay_over_limit_count) as excluded_stay_over_limit_count,
    sum(excluded_cost_missing_count) as excluded_cost_missing_count,
    sum(excluded_cost_below_limit_count) as excluded_cost_below_limit_count,
    sum(excluded_z53_short_count) as excluded_z53_short_count,
    sum(analysed_count) as analysed_count,
    sum(grouped_count) as grouped_count,
    sum(grouped_cost_fen) as grouped_cost_fen,
    sum(grouped_stay_days) as grouped_stay_days,
    sum(grouped_death_count) as grouped_death_count,
    count(*) filter (where drg_code is not null and grouped_count >= switch.drg_min_cases) as drg_group_count,
    coalesce(sum(grouped_count) filter (where drg_code is not null and weight is null), 0) as unreferenced_count,
    coalesce(sum(grouped_count) filter (where weight is not null), 0) as weighted_count,
    coalesce(sum(cast(grouped_count as decimal(12, 0)) * weight), 0) as weight_sum,
    coalesce(sum(grouped_count) filter (where weight >= 2), 0) as weight_2_count,
    coalesce(sum(cost_ratio_sum), 0) as cost_ratio_sum,
    coalesce(sum(grouped_count) filter (where cost_ratio_sum is not null), 0) as cost_ratio_count,
    coalesce(sum(time_ratio_sum), 0) as time_ratio_sum,
    coalesce(sum(grouped_count) filter (where time_ratio_sum is not null), 0) as time_ratio_count,
    coalesce(sum(grouped_count) filter (where risk_class = '1'), 0) as low_risk_count,
    coalesce(sum(grouped_death_count) filter (where risk_class = '1'), 0) as low_risk_death_count,
    coalesce(sum(grouped_count) filter (where risk_class = '2'), 0) as mid_low_risk_count,
    coalesce(sum(grouped_death_count) filter (where risk_class = '2'), 0) as mid_low_risk_death_count,
    coalesce(sum(grouped_count) filter (where risk_class in ('1', '2')), 0) as low_and_mid_low_risk_count,
    coalesce(
        sum(grouped_death_count) filter (where risk_class in ('1', '2')), 0
    ) as low_and_mid_low_risk_death_count
from grouped
cross join {{ ref('int_switch') }} as switch
group by grouped.attribution, grouped.hospital_id, grouped.specialty_code, grouped.window_id
