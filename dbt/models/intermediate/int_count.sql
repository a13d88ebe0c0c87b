-- Sums that need no DRG, at every level that is published: attribution x (hospital or REGION) x (specialty or ALL) x
-- window. Every sum of int_cell, under its own name.
with yearly as (
    select
        organisation_id,
        specialty_code,
        drg_code,
        scheme_edition,
        data_year,
        {{ sum_columns(['organisation_id', 'specialty_code', 'drg_code', 'scheme_edition', 'data_year']) }}
    from (
        select
            * exclude (discharge_month, ungrouped_reason, operation_codes),
            cast(extract(year from discharge_month) as integer) as data_year
        from {{ ref('int_cell') }}
    ) as cell
    group by organisation_id, specialty_code, drg_code, scheme_edition, data_year
),

attributed as (
    select
        'department' as attribution,
        yearly.* exclude (drg_code, scheme_edition)
    from yearly
    union all
    select
        'mdc' as attribution,
        yearly.* exclude (drg_code, scheme_edition)
        replace (coalesce(drg.mdc_specialty_code, 'UNMAPPED') as specialty_code)
    from yearly
    left join {{ ref('int_drg') }} as drg
        on yearly.drg_code = drg.drg_code and yearly.scheme_edition is not distinct from drg.scheme_edition
)

select
    attribution,
    {{ level_keys() }},
    window_id,
    {{ sum_columns(['attribution', 'organisation_id', 'specialty_code', 'data_year', 'window_id']) }}
from (
    select
        attributed.*,
        data_window.window_id
    from attributed
    inner join {{ ref('int_window') }} as data_window
        on attributed.data_year between data_window.first_year and data_window.last_year
) as windowed
group by attribution, window_id, {{ level_sets() }}
