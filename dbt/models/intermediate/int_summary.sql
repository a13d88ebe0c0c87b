-- One row per attribution, hospital, specialty and window; one column per measure, named as in
-- seeds/indicators/measures.csv. A new measure is a column here and a row there.
with by_drg as (
    select
        part.attribution,
        part.hospital_id,
        part.specialty_code,
        part.window_id,
        part.grouped_count,
        part.grouped_death_count,
        benchmark.weight,
        risk.risk_class,
        -- NULL where the reference population has no such group
        {{ exact_ratio(
            ['part.grouped_cost_fen', 'benchmark.case_count'], ['benchmark.cost_fen_sum'], 12, 26
        ) }} as cost_ratio,
        {{ exact_ratio(
            ['part.grouped_stay_days', 'benchmark.case_count'], ['benchmark.los_days_sum'], 12, 26
        ) }} as time_ratio
    from {{ ref('int_group') }} as part
    left join {{ ref('ref_drg_benchmark') }} as benchmark
        on
            part.window_id = benchmark.window_id
            and part.drg_code = benchmark.drg_code
            and part.scheme_edition is not distinct from benchmark.scheme_edition
    left join {{ ref('ref_drg_risk') }} as risk
        on
            part.window_id = risk.window_id
            and part.drg_code = risk.drg_code
            and part.scheme_edition is not distinct from risk.scheme_edition
),

weighed as (
    select
        by_drg.attribution,
        by_drg.hospital_id,
        by_drg.specialty_code,
        by_drg.window_id,
        count(*) filter (where grouped_count >= switch.drg_min_cases) as drg_group_count,
        sum(grouped_count) filter (where weight is null) as unreferenced_count,
        sum(grouped_count) filter (where weight is not null) as weighted_count,
        sum(cast(grouped_count as decimal(12, 0)) * weight) as weight_sum,
        sum(grouped_count) filter (where weight >= 2) as weight_2_count,
        sum(cost_ratio) as cost_ratio_sum,
        sum(grouped_count) filter (where cost_ratio is not null) as cost_ratio_count,
        sum(time_ratio) as time_ratio_sum,
        sum(grouped_count) filter (where time_ratio is not null) as time_ratio_count,
        sum(grouped_count) filter (where risk_class = '1') as low_risk_count,
        sum(grouped_death_count) filter (where risk_class = '1') as low_risk_death_count,
        sum(grouped_count) filter (where risk_class = '2') as mid_low_risk_count,
        sum(grouped_death_count) filter (where risk_class = '2') as mid_low_risk_death_count
    from by_drg
    cross join {{ ref('int_switch') }} as switch
    group by by_drg.attribution, by_drg.hospital_id, by_drg.specialty_code, by_drg.window_id
)

select
    counted.attribution,
    counted.hospital_id,
    counted.specialty_code,
    counted.window_id,
    counted.discharge_count,
    counted.death_count,
    counted.stay_known_count,
    counted.stay_days_sum,
    counted.transfer_in_count,
    counted.known_residence_count,
    counted.out_of_province_count,
    counted.surgical_discharge_count,
    case switch.surgery_count_basis
        when 'procedure' then counted.surgery_procedure_count else counted.surgical_discharge_count
    end as surgery_count,
    case switch.surgery_count_basis
        when 'procedure' then counted.level4_procedure_count else counted.level4_discharge_count
    end as level4_surgery_count,
    case switch.surgery_count_basis
        when 'procedure' then counted.minimally_invasive_procedure_count
        else counted.minimally_invasive_discharge_count
    end as minimally_invasive_count,
    counted.excluded_stay_missing_count,
    counted.excluded_stay_over_limit_count,
    counted.excluded_cost_missing_count,
    counted.excluded_cost_below_limit_count,
    counted.excluded_z53_short_count,
    counted.analysed_count,
    counted.grouped_count,
    counted.grouped_cost_fen,
    counted.grouped_stay_days,
    counted.grouped_death_count,
    coalesce(weighed.drg_group_count, 0) as drg_group_count,
    coalesce(weighed.unreferenced_count, 0) as unreferenced_count,
    coalesce(weighed.weighted_count, 0) as weighted_count,
    coalesce(weighed.weight_sum, 0) as weight_sum,
    coalesce(weighed.weight_2_count, 0) as weight_2_count,
    coalesce(weighed.cost_ratio_sum, 0) as cost_ratio_sum,
    coalesce(weighed.cost_ratio_count, 0) as cost_ratio_count,
    coalesce(weighed.time_ratio_sum, 0) as time_ratio_sum,
    coalesce(weighed.time_ratio_count, 0) as time_ratio_count,
    coalesce(weighed.low_risk_count, 0) as low_risk_count,
    coalesce(weighed.low_risk_death_count, 0) as low_risk_death_count,
    coalesce(weighed.mid_low_risk_count, 0) as mid_low_risk_count,
    coalesce(weighed.mid_low_risk_death_count, 0) as mid_low_risk_death_count,
    coalesce(weighed.low_risk_count, 0) + coalesce(weighed.mid_low_risk_count, 0) as low_and_mid_low_risk_count,
    coalesce(weighed.low_risk_death_count, 0)
    + coalesce(weighed.mid_low_risk_death_count, 0) as low_and_mid_low_risk_death_count
from {{ ref('int_count') }} as counted
cross join {{ ref('int_switch') }} as switch
left join weighed
    on
        counted.attribution = weighed.attribution
        and counted.hospital_id = weighed.hospital_id
        and counted.specialty_code = weighed.specialty_code
        and counted.window_id = weighed.window_id
