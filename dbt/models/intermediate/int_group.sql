-- Grouped cases by DRG at every level that is published: attribution x (hospital or REGION) x (specialty or ALL) x
-- window, so that each level divides after its own summation. Levels first, windows second: years are summed once.
with yearly as (
    select
        organisation_id,
        specialty_code,
        drg_code,
        scheme_edition,
        cast(extract(year from discharge_month) as integer) as data_year,
        sum(grouped_count) as grouped_count,
        sum(grouped_cost_fen) as grouped_cost_fen,
        sum(grouped_stay_days) as grouped_stay_days,
        sum(grouped_death_count) as grouped_death_count,
        sum(grouped_transfer_in_count) as grouped_transfer_in_count
    from {{ ref('int_cell') }}
    where grouped_count > 0
    group by organisation_id, specialty_code, drg_code, scheme_edition, data_year
),

attributed as (
    select
        'department' as attribution,
        yearly.*
    from yearly
    union all
    select
        'mdc' as attribution,
        yearly.* replace (drg.mdc_specialty_code as specialty_code)
    from yearly
    inner join {{ ref('int_drg') }} as drg
        on yearly.drg_code = drg.drg_code and yearly.scheme_edition is not distinct from drg.scheme_edition
),

levelled as (
    select
        attribution,
        {{ level_keys() }},
        drg_code,
        scheme_edition,
        data_year,
        sum(grouped_count) as grouped_count,
        sum(grouped_cost_fen) as grouped_cost_fen,
        sum(grouped_stay_days) as grouped_stay_days,
        sum(grouped_death_count) as grouped_death_count,
        sum(grouped_transfer_in_count) as grouped_transfer_in_count
    from attributed
    group by attribution, drg_code, scheme_edition, data_year, {{ level_sets() }}
)

select
    levelled.attribution,
    levelled.hospital_id,
    levelled.specialty_code,
    data_window.window_id,
    levelled.drg_code,
    levelled.scheme_edition,
    cast(sum(levelled.grouped_count) as bigint) as grouped_count,
    cast(sum(levelled.grouped_cost_fen) as bigint) as grouped_cost_fen,
    cast(sum(levelled.grouped_stay_days) as bigint) as grouped_stay_days,
    cast(sum(levelled.grouped_death_count) as bigint) as grouped_death_count,
    cast(sum(levelled.grouped_transfer_in_count) as bigint) as grouped_transfer_in_count
from levelled
inner join {{ ref('int_window') }} as data_window
    on levelled.data_year between data_window.first_year and data_window.last_year
group by
    levelled.attribution, levelled.hospital_id, levelled.specialty_code, data_window.window_id, levelled.drg_code,
    levelled.scheme_edition
