{# What the bed reports of each month add to the measures of beds, for a hospital and REGION, a specialty and ALL, with
   the discharges of the same month. #}
{% macro bed_months() -%}
with report as (
    select
        bed_report.organisation_id,
        bed_report.month,
        case when bed_report.specialty_code is null then 'ALL' else {{ specialty_of_joins() }} end as specialty_code,
        bed_report.open_bed_days,
        bed_report.occupied_bed_days
    from {{ ref('stg_bed_report') }} as bed_report
    {{ specialty_joins('bed_report.specialty_code') }}
),

with_total as (
    select
        organisation_id,
        month,
        case when grouping(specialty_code) = 1 then 'ALL' else specialty_code end as specialty_code,
        case
            when grouping(specialty_code) = 0 then sum(open_bed_days)
            else coalesce(
                sum(open_bed_days) filter (where specialty_code = 'ALL'), sum(open_bed_days)
            )
        end as open_bed_days,
        case
            when grouping(specialty_code) = 0 then sum(occupied_bed_days)
            else coalesce(
                sum(occupied_bed_days) filter (where specialty_code = 'ALL'), sum(occupied_bed_days)
            )
        end as occupied_bed_days
    from report
    group by grouping sets ((organisation_id, month, specialty_code), (organisation_id, month))
    having grouping(specialty_code) = 1 or specialty_code <> 'ALL'
),

discharged as (
    select
        organisation_id,
        strftime(discharge_month, '%Y-%m') as month,
        case when grouping(specialty_code) = 1 then 'ALL' else specialty_code end as specialty_code,
        sum(discharge_count) as discharge_count
    from {{ ref('int_cell') }}
    group by grouping sets ((organisation_id, discharge_month, specialty_code), (organisation_id, discharge_month))
),

monthly as (
    select
        case when grouping(with_total.organisation_id) = 1 then 'REGION' else with_total.organisation_id end
            as hospital_id,
        with_total.specialty_code,
        cast(with_total.month || '-01' as date) as first_day,
        sum(with_total.open_bed_days) as open_bed_days,
        sum(with_total.occupied_bed_days) as occupied_bed_days,
        sum(coalesce(discharged.discharge_count, 0)) as discharge_count
    from with_total
    left join discharged
        on
            with_total.organisation_id = discharged.organisation_id
            and with_total.month = discharged.month
            and with_total.specialty_code = discharged.specialty_code
    group by grouping sets (
        (with_total.organisation_id, with_total.specialty_code, with_total.month),
        (with_total.specialty_code, with_total.month)
    )
)

select
    hospital_id,
    specialty_code,
    first_day,
    open_bed_days,
    occupied_bed_days,
    {{ days_in_month('first_day') }} as bed_calendar_days,
    discharge_count as bed_discharge_count,
    -- over open bed-days this is discharges per bed and year, leap years included
    discharge_count * {{ days_in_year('first_day') }} as bed_turnover_days
from monthly
{%- endmacro %}
