-- Single-disease reports per organisation and month: whether the same stay is among the front pages, whether both say
-- the same of death, and whether all reports of a disease say the same in every process item, which from five reports
-- on is unlikely to be true.
with on_front_page as (
    select
        report.source_id,
        report.source_row,
        bool_or(page.discharge_mode is not distinct from '5') as has_died
    from {{ ref('stg_single_disease_report') }} as report
    inner join {{ ref('stg_hqms_front_page') }} as page
        on
            report.patient_id = page.patient_id
            and report.discharge_time = page.discharge_time
            and report.organisation_id = page.organisation_id
    group by report.source_id, report.source_row
),

uniform as (
    select
        organisation_id,
        month,
        disease_code,
        count(*) >= 5 as is_comparable,
        count(distinct {{ row_hash(['items', 'item_denominators', 'item_numerators']) }}) = 1 as is_uniform
    from {{ ref('stg_single_disease_report') }}
    group by organisation_id, month, disease_code
)

select
    report.organisation_id,
    report.month,
    on_front_page.source_id is not null as is_on_front_page,
    on_front_page.source_id is not null and report.discharge_mode is not null as is_death_told,
    coalesce((report.discharge_mode = '5') <> on_front_page.has_died, false) as is_death_different,
    uniform.is_comparable,
    uniform.is_uniform,
    count(*) as report_count
from {{ ref('stg_single_disease_report') }} as report
inner join uniform
    on
        report.organisation_id = uniform.organisation_id
        and report.month = uniform.month
        and report.disease_code = uniform.disease_code
left join on_front_page
    on report.source_id = on_front_page.source_id and report.source_row = on_front_page.source_row
group by all
