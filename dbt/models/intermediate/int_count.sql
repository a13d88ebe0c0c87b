-- What needs no DRG, at every level that is published: attribution x (hospital or REGION) x (specialty or ALL) x
-- window.
{% set sums = [
    'discharge_count', 'death_count', 'stay_known_count', 'stay_days_sum', 'transfer_in_count',
    'known_residence_count', 'out_of_province_count', 'surgical_discharge_count', 'level4_discharge_count',
    'minimally_invasive_discharge_count', 'surgery_procedure_count', 'level4_procedure_count',
    'minimally_invasive_procedure_count', 'excluded_stay_missing_count', 'excluded_stay_over_limit_count',
    'excluded_cost_missing_count', 'excluded_cost_below_limit_count', 'excluded_z53_short_count',
    'analysed_count', 'grouped_count', 'grouped_cost_fen', 'grouped_stay_days', 'grouped_death_count',
] %}
with attributed as (
    select
        'department' as attribution,
        cell.organisation_id,
        cell.specialty_code,
        cast(extract(year from cell.discharge_month) as integer) as data_year,
        {% for column in sums %}
            sum(cell.{{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_cell') }} as cell
    group by all
    union all
    select
        'mdc' as attribution,
        cell.organisation_id,
        coalesce(drg.mdc_specialty_code, 'UNMAPPED') as specialty_code,
        cast(extract(year from cell.discharge_month) as integer) as data_year,
        {% for column in sums %}
            sum(cell.{{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_cell') }} as cell
    left join {{ ref('int_drg') }} as drg
        on cell.drg_code = drg.drg_code and cell.scheme_edition is not distinct from drg.scheme_edition
    group by all
)

select
    attributed.attribution,
    {{ level_keys() }},
    data_window.window_id,
    {% for column in sums %}
        cast(sum(attributed.{{ column }}) as bigint) as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from attributed
inner join {{ ref('int_window') }} as data_window
    on attributed.data_year between data_window.first_year and data_window.last_year
group by attributed.attribution, data_window.window_id, {{ level_sets() }}
