{{ config(materialized='kept_by_month') }}
-- Pages whose main operation has a level, per organisation and month: whether the catalogue that was valid on the
-- discharge date knows its code. Days that no edition covers are not judged.
with covered as (
    select
        min(valid_from) as first_day,
        max(valid_until) as end_day
    from {{ ref('int_operation_catalogue') }}
),

page as (
    select
        organisation_id,
        month,
        operations[1] as operation_code,
        cast(discharge_time as date) as discharge_date
    from {{ ref('stg_hqms_front_page') }}
    where operation_levels[1] in ('1', '2', '3', '4')
)

select
    page.organisation_id,
    page.month,
    catalogue.operation_code is not null as is_in_edition,
    count(*) as page_count
from page
inner join covered on page.discharge_date >= covered.first_day and page.discharge_date < covered.end_day
left join {{ ref('int_operation_catalogue') }} as catalogue
    on
        page.operation_code = catalogue.operation_code
        and page.discharge_date >= catalogue.valid_from
        and page.discharge_date < catalogue.valid_until
group by all
