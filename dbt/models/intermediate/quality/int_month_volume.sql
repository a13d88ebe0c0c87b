-- Discharges of every organisation in every month from its first one on, with what is usual for it: the median of its
-- twelve months before. A month that nobody in the region reported is not expected of anyone, nor is any of an
-- organisation that is not in the register: most of those are mistyped codes.
with monthly as (
    select
        organisation_id,
        discharge_month,
        cast(sum(discharge_count) as bigint) as discharge_count
    from {{ ref('int_cell') }}
    group by organisation_id, discharge_month
),

region as (
    select distinct discharge_month
    from monthly
),

present as (
    select
        organisation_id,
        min(discharge_month) as first_month
    from monthly
    group by organisation_id
),

expected as (
    select
        present.organisation_id,
        region.discharge_month,
        coalesce(monthly.discharge_count, 0) as discharge_count
    from present
    inner join region on present.first_month <= region.discharge_month
    left join monthly
        on present.organisation_id = monthly.organisation_id and region.discharge_month = monthly.discharge_month
),

usual as (
    select
        expected.organisation_id,
        expected.discharge_month,
        percentile_disc(0.5) within group (order by earlier.discharge_count) as usual_discharge_count
    from expected
    inner join expected as earlier
        on
            expected.organisation_id = earlier.organisation_id
            and expected.discharge_month > earlier.discharge_month
            and expected.discharge_month <= earlier.discharge_month + interval 12 month
    group by expected.organisation_id, expected.discharge_month
    having count(*) >= 6
)

select
    expected.organisation_id,
    strftime(expected.discharge_month, '%Y-%m') as month,
    expected.discharge_month > present.first_month and hospital.organisation_id is not null as is_expected,
    expected.discharge_count,
    coalesce(usual.usual_discharge_count, 0) as usual_discharge_count
from expected
inner join present on expected.organisation_id = present.organisation_id
left join {{ ref('stg_hospital') }} as hospital on expected.organisation_id = hospital.organisation_id
left join usual
    on expected.organisation_id = usual.organisation_id and expected.discharge_month = usual.discharge_month
