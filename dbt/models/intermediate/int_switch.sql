-- One row: what no source settles, as decided in seeds/indicators/switches.csv. A value that the switch does not
-- allow stops the run.
with checked as (
    select
        switch_id,
        {{ stop_unless(
            matches_in_full('value', 'allowed_values'),
            'value',
            "'开关 ' || switch_id || ' 的取值 ' || value || ' 不在允许范围 ' || allowed_values"
        ) }} as value
    from {{ ref('switches') }}
)

select
    cast(max(case when switch_id = 'trim_max_los_days' then value end) as integer) as trim_max_los_days,
    cast(max(case when switch_id = 'trim_min_cost_fen' then value end) as bigint) as trim_min_cost_fen,
    cast(max(case when switch_id = 'trim_z53_max_los_days' then value end) as integer) as trim_z53_max_los_days,
    max(case when switch_id = 'mortality_sd' then value end) as mortality_sd,
    max(case when switch_id = 'zero_death_groups' then value end) as zero_death_groups,
    max(case when switch_id = 'reference_population' then value end) as reference_population,
    cast(max(case when switch_id = 'day_surgery_max_hours' then value end) as integer) as day_surgery_max_hours,
    max(case when switch_id = 'critical_case_definition' then value end) as critical_case_definition,
    max(case when switch_id = 'single_disease_reported' then value end) as single_disease_reported,
    cast(
        max(case when switch_id = 'outflow_threshold' then value end) as decimal(18, 8)
    ) as outflow_threshold,
    cast(max(case when switch_id = 'drg_min_cases' then value end) as integer) as drg_min_cases,
    cast(
        max(case when switch_id = 'landing_quarantine_max_share' then value end) as decimal(18, 8)
    ) as landing_quarantine_max_share
from checked
