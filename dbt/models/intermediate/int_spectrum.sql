-- Different operations of the catalogue, pooled over hospitals, specialties and years: counted at each level, for
-- they cannot be added up.
with operated as (
    select
        organisation_id,
        specialty_code,
        drg_code,
        scheme_edition,
        cast(extract(year from discharge_month) as integer) as data_year,
        {{ elements('operation_codes', 'false') }} as operation_code
    from {{ ref('int_cell') }}
),

attributed as (
    select distinct
        'department' as attribution,
        organisation_id,
        specialty_code,
        data_year,
        operation_code
    from operated
    union all
    select distinct
        'mdc' as attribution,
        operated.organisation_id,
        coalesce(drg.mdc_specialty_code, 'UNMAPPED') as specialty_code,
        operated.data_year,
        operated.operation_code
    from operated
    left join {{ ref('int_drg') }} as drg
        on operated.drg_code = drg.drg_code and operated.scheme_edition is not distinct from drg.scheme_edition
)

select
    attributed.attribution,
    {{ level_keys() }},
    data_window.window_id,
    count(distinct attributed.operation_code) as operation_spectrum_count
from attributed
inner join {{ ref('int_window') }} as data_window
    on attributed.data_year between data_window.first_year and data_window.last_year
group by attributed.attribution, data_window.window_id, {{ level_sets() }}
