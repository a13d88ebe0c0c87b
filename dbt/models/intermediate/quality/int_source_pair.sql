-- What two systems say of the same thing in a hospital's year: the front pages and the performance appraisal. Only
-- years of which the region has every month. The year stands in the column month.
with yearly as (
    select
        organisation_id,
        cast(extract(year from discharge_month) as integer) as data_year,
        discharge_month,
        discharge_count,
        surgical_discharge_count,
        death_count
    from {{ ref('int_cell') }}
),

whole as (
    select data_year
    from yearly
    group by data_year
    having count(distinct discharge_month) = 12
),

counted as (
    select
        organisation_id,
        data_year,
        sum(discharge_count) as discharge_count,
        sum(surgical_discharge_count) as surgical_discharge_count,
        sum(death_count) as death_count
    from yearly
    group by organisation_id, data_year
),

paired as (
    select
        pair.pair_id,
        appraisal.organisation_id,
        appraisal.data_year,
        case pair.part when 'numerator' then appraisal.numerator else appraisal.denominator end as reported_count,
        coalesce(
            case pair.measure_id
                when 'discharge_count' then counted.discharge_count
                when 'surgical_discharge_count' then counted.surgical_discharge_count
                when 'death_count' then counted.death_count
            end, 0
        ) as front_page_count,
        pair.tolerance
    from {{ ref('stg_appraisal_result') }} as appraisal
    inner join {{ ref('source_pairs') }} as pair on appraisal.indicator_code = pair.indicator_code
    inner join whole on appraisal.data_year = whole.data_year
    left join counted
        on appraisal.organisation_id = counted.organisation_id and appraisal.data_year = counted.data_year
)

select
    pair_id,
    organisation_id,
    cast(data_year as varchar) as month,
    reported_count,
    front_page_count,
    abs(front_page_count - reported_count) > tolerance * reported_count as is_beyond_tolerance
from paired
where reported_count is not null
