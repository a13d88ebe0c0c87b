-- Drift of a hospital's month against its own history. What is compared is the hospital's figure relative to the
-- region's in the same month, which takes the season out; usual is the median of up to 24 months before, and what
-- deviates by more than a multiple of the median deviation is drift. Where the surgery catalogue or a definition
-- changed, history begins anew for the figures that follow it.
with sums as (
    select
        organisation_id,
        discharge_month,
        drift.measure_id,
        drift.follows_catalogue,
        drift.min_cases,
        drift.min_months,
        drift.deviation_factor,
        drift.least_deviation,
        cast(sum(case drift.measure_id
            when 'volume' then discharge_count
            when 'cost' then grouped_cost_fen
            when 'stay' then stay_days_sum
            when 'death' then death_count
            when 'surgery' then surgical_discharge_count
            when 'level4' then level4_surgery_count
            when 'minimally_invasive' then minimally_invasive_count
        end) as bigint) as numerator,
        cast(sum(case drift.measure_id
            when 'volume' then 0
            when 'cost' then grouped_count
            when 'stay' then stay_known_count
            when 'death' then discharge_count
            when 'surgery' then discharge_count
            when 'level4' then surgical_discharge_count
            when 'minimally_invasive' then surgical_discharge_count
        end) as bigint) as denominator,
        cast(sum(discharge_count) as bigint) as case_count
    from {{ ref('int_cell') }}
    cross join {{ ref('drift_rules') }} as drift
    group by all
),

related as (
    select
        *,
        sum(numerator) over region_month as region_numerator,
        sum(denominator) over region_month as region_denominator
    from sums
    window region_month as (partition by measure_id, discharge_month)
),

relative as (
    select
        * exclude (region_numerator, region_denominator),
        case
            when measure_id = 'volume' then {{ exact_ratio(['numerator'], ['region_numerator'], 8, 18) }}
            else {{ exact_ratio(
                ['numerator', 'region_denominator'], ['denominator', 'region_numerator'], 8, 18
            ) }}
        end as relative_value
    from related
),

changes as (
    select distinct date_trunc('month', valid_from) as changed_on
    from {{ ref('int_operation_catalogue') }}
    union
    select make_date(data_year, 1, 1) as changed_on
    from (
        select
            data_year,
            (surgery_scope, surgery_count_basis) is distinct from lag((surgery_scope, surgery_count_basis)) over (
                order by data_year
            ) as has_changed
        from {{ ref('int_definition') }}
    ) as yearly
    where has_changed
),

placed as (
    select
        relative.organisation_id,
        relative.discharge_month,
        relative.measure_id,
        max(changes.changed_on) as changed_on
    from relative
    left join changes on relative.follows_catalogue and relative.discharge_month >= changes.changed_on
    group by relative.organisation_id, relative.discharge_month, relative.measure_id
),

history as (
    select
        placed.organisation_id,
        placed.discharge_month,
        placed.measure_id,
        earlier.relative_value
    from placed
    inner join relative as earlier
        on
            placed.organisation_id = earlier.organisation_id
            and placed.measure_id = earlier.measure_id
            and placed.discharge_month > earlier.discharge_month
            and placed.discharge_month <= earlier.discharge_month + interval 24 month
            and earlier.discharge_month >= coalesce(placed.changed_on, earlier.discharge_month)
    where earlier.relative_value is not null
),

middle as (
    select
        organisation_id,
        discharge_month,
        measure_id,
        percentile_disc(0.5) within group (order by relative_value) as usual_value
    from history
    group by organisation_id, discharge_month, measure_id
),

usual as (
    select
        history.organisation_id,
        history.discharge_month,
        history.measure_id,
        middle.usual_value,
        count(*) as history_months,
        percentile_disc(0.5) within group (
            order by abs(history.relative_value - middle.usual_value)
        ) as usual_deviation
    from history
    inner join middle
        on
            history.organisation_id = middle.organisation_id
            and history.discharge_month = middle.discharge_month
            and history.measure_id = middle.measure_id
    group by history.organisation_id, history.discharge_month, history.measure_id, middle.usual_value
)

select
    relative.organisation_id as hospital_id,
    strftime(relative.discharge_month, '%Y-%m') as month,
    relative.measure_id,
    relative.case_count,
    relative.numerator,
    case when relative.measure_id <> 'volume' then relative.denominator end as denominator,
    relative.relative_value,
    usual.usual_value,
    usual.usual_deviation,
    cast(coalesce(usual.history_months, 0) as bigint) as history_months,
    case
        when relative.relative_value is null or relative.case_count < relative.min_cases then 'too_few_cases'
        when
            coalesce(usual.history_months, 0) < relative.min_months
            and placed.changed_on > relative.discharge_month - interval 24 month
            then 'definition_changed'
        when coalesce(usual.history_months, 0) < relative.min_months then 'too_little_history'
        when
            abs(relative.relative_value - usual.usual_value)
            > relative.deviation_factor
            * greatest(usual.usual_deviation, relative.least_deviation * usual.usual_value)
            then 'drift'
        else 'usual'
    end as status
from relative
inner join placed
    on
        relative.organisation_id = placed.organisation_id
        and relative.discharge_month = placed.discharge_month
        and relative.measure_id = placed.measure_id
left join usual
    on
        relative.organisation_id = usual.organisation_id
        and relative.discharge_month = usual.discharge_month
        and relative.measure_id = usual.measure_id
