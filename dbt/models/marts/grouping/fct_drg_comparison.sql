-- Our groups beside those of an external grouper, for the cases that have both answers.
with answered as (
    select
        page.organisation_id,
        cast(extract(year from page.discharge_time) as integer) as data_year,
        own.scheme_edition,
        coalesce(own.drg_code, '未入组') as drg_code,
        coalesce(external.scheme_edition, '未注明') as external_edition,
        coalesce(
            case when external.drg_code <> '0000' and external.drg_code not like '%QY' then external.drg_code end,
            '未入组'
        ) as external_drg_code
    from {{ ref('stg_hqms_front_page') }} as page
    inner join {{ ref('int_drg_case') }} as own
        on page.source_id = own.source_id and page.source_row = own.source_row
    inner join {{ ref('stg_drg_result') }} as external
        on
            page.patient_id = external.patient_id
            and page.discharge_time = external.discharge_time
            and page.admission_count = external.admission_count
            and page.organisation_id = external.organisation_id
)

select
    organisation_id as hospital_id,
    data_year,
    scheme_edition,
    drg_code,
    external_edition,
    external_drg_code,
    drg_code = external_drg_code as is_same,
    count(*) as case_count
from answered
group by
    organisation_id, data_year, scheme_edition, drg_code, external_edition, external_drg_code
