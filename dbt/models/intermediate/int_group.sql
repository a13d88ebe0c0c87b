-- The cells summed to every level that is published: attribution x (hospital or REGION) x (specialty or ALL) x window,
-- still by DRG, so that each level divides after its own summation.
{% set sums = [
    'discharge_count', 'death_count', 'stay_known_count', 'stay_days_sum', 'transfer_in_count',
    'known_residence_count', 'out_of_province_count', 'surgical_discharge_count', 'level4_discharge_count',
    'minimally_invasive_discharge_count', 'surgery_procedure_count', 'level4_procedure_count',
    'minimally_invasive_procedure_count', 'excluded_stay_missing_count', 'excluded_stay_over_limit_count',
    'excluded_cost_missing_count', 'excluded_cost_below_limit_count', 'excluded_z53_short_count',
    'analysed_count', 'grouped_count', 'grouped_cost_fen', 'grouped_stay_days', 'grouped_death_count',
] %}
with yearly as (
    select
        organisation_id,
        specialty_code,
        drg_code,
        cast(extract(year from discharge_month) as integer) as data_year,
        {% for column in sums %}
            sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_cell') }}
    group by organisation_id, specialty_code, drg_code, data_year
),

attributed as (
    select
        'department' as attribution,
        yearly.*
    from yearly
    union all
    select
        'mdc' as attribution,
        yearly.* replace (coalesce(drg.mdc_specialty_code, 'UNMAPPED') as specialty_code)
    from yearly
    left join {{ ref('int_drg') }} as drg on yearly.drg_code = drg.drg_code
),

windowed as (
    select
        attributed.*,
        data_window.window_id
    from attributed
    inner join {{ ref('int_window') }} as data_window
        on attributed.data_year between data_window.first_year and data_window.last_year
)

select
    attribution,
    case when grouping(organisation_id) = 1 then 'REGION' else organisation_id end as hospital_id,
    case when grouping(specialty_code) = 1 then 'ALL' else specialty_code end as specialty_code,
    window_id,
    drg_code,
    {% for column in sums %}
        cast(sum({{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from windowed
group by
    attribution, window_id, drg_code,
    grouping sets ((organisation_id, specialty_code), (organisation_id), (specialty_code), ())
