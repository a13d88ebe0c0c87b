-- Bed-days from the bed reports, with the discharges of the months that have one. Reports tell departments apart, not
-- diseases: under attribution mdc only the whole hospital (ALL) has beds. A hospital's own total goes before the sum
-- of its departments.
with monthly as (
    {{ bed_months() }}
),

windowed as (
    select
        monthly.hospital_id,
        monthly.specialty_code,
        data_window.window_id,
        cast(sum(monthly.open_bed_days) as bigint) as open_bed_days,
        cast(sum(monthly.occupied_bed_days) as bigint) as occupied_bed_days,
        cast(sum(monthly.bed_calendar_days) as bigint) as bed_calendar_days,
        cast(sum(monthly.bed_discharge_count) as bigint) as bed_discharge_count,
        cast(sum(monthly.bed_turnover_days) as bigint) as bed_turnover_days
    from monthly
    inner join {{ ref('int_window') }} as data_window
        on monthly.first_day between data_window.first_month and data_window.last_month
    group by monthly.hospital_id, monthly.specialty_code, data_window.window_id
)

select
    'department' as attribution,
    windowed.*
from windowed
union all
select
    'mdc' as attribution,
    windowed.*
from windowed
where windowed.specialty_code = 'ALL'
