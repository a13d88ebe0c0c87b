-- Months of a window without a single discharge: of the whole province (hospital_id REGION), and of a hospital
-- beyond those. Only rows with a gap.
with reported as (
    select distinct
        organisation_id as hospital_id,
        discharge_month
    from {{ ref('int_cell') }}
),

months as (
    select
        window_id,
        first_year * 12 + month_number as month_index
    from (
        select
            window_id,
            first_year,
            {{ whole_numbers(0, 'years * 12 - 1') }} as month_number
        from {{ ref('int_window') }}
    ) as numbered
),

reported_index as (
    select
        hospital_id,
        cast(
            extract(year from discharge_month) * 12 + extract(month from discharge_month) - 1 as integer
        ) as month_index
    from reported
),

region_index as (
    select distinct month_index
    from reported_index
),

expected as (
    select
        'REGION' as hospital_id,
        window_id,
        month_index
    from months
    union all
    select
        present.hospital_id,
        months.window_id,
        months.month_index
    from months
    inner join region_index on months.month_index = region_index.month_index
    inner join (
        select distinct
            reported_index.hospital_id,
            months.window_id
        from reported_index
        inner join months on reported_index.month_index = months.month_index
    ) as present on months.window_id = present.window_id
),

missing as (
    select
        expected.hospital_id,
        expected.window_id,
        expected.month_index,
        expected.month_index
        - row_number() over (
            partition by expected.hospital_id, expected.window_id
            order by expected.month_index
        ) as run
    from expected
    left join (
        select
            hospital_id,
            month_index
        from reported_index
        union all
        select
            'REGION' as hospital_id,
            month_index
        from region_index
    ) as known
        on expected.hospital_id = known.hospital_id and expected.month_index = known.month_index
    where known.month_index is null
),

runs as (
    select
        hospital_id,
        window_id,
        min(month_index) as first_index,
        max(month_index) as last_index
    from missing
    group by hospital_id, window_id, run
),

named as (
    select
        hospital_id,
        window_id,
        first_index,
        last_index - first_index + 1 as month_count,
        first_index // 12 || '-' || lpad(cast(first_index % 12 + 1 as varchar), 2, '0') as first_month,
        last_index // 12 || '-' || lpad(cast(last_index % 12 + 1 as varchar), 2, '0') as last_month
    from runs
)

select
    hospital_id,
    window_id,
    cast(sum(month_count) as integer) as missing_months,
    string_agg(
        case when month_count = 1 then first_month else first_month || '至' || last_month end,
        '、' order by first_index
    ) as missing_text
from named
group by hospital_id, window_id
