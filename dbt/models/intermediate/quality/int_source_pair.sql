-- What two systems say of the same thing in a hospital's year: the performance appraisal against the front pages and
-- against the single-disease reports. Only years of which the region has every month; of a disease, of which it has
-- reports of every month. The year stands in the column month.
with monthly as (
    select
        organisation_id,
        discharge_month,
        '' as disease_code,
        'discharge_count' as measure_id,
        discharge_count as unit_count
    from {{ ref('int_cell') }}
    union all
    select
        organisation_id,
        discharge_month,
        '' as disease_code,
        'surgical_discharge_count' as measure_id,
        surgical_discharge_count as unit_count
    from {{ ref('int_cell') }}
    union all
    select
        organisation_id,
        cast(date_trunc('month', discharge_date) as date) as discharge_month,
        disease_code,
        'due_death_count' as measure_id,
        case when is_due and has_died then 1 else 0 end as unit_count
    from {{ ref('int_single_disease_case') }}
    union all
    select
        organisation_id,
        cast(date_trunc('month', discharge_date) as date) as discharge_month,
        disease_code,
        'reported_death_count' as measure_id,
        case when is_reported and has_died then 1 else 0 end as unit_count
    from {{ ref('int_single_disease_report') }}
),

whole as (
    select
        measure_id,
        cast(extract(year from discharge_month) as integer) as data_year
    from monthly
    group by measure_id, data_year
    having count(distinct discharge_month) = 12
),

counted as (
    select
        organisation_id,
        disease_code,
        measure_id,
        cast(extract(year from discharge_month) as integer) as data_year,
        sum(unit_count) as own_count
    from monthly
    group by organisation_id, disease_code, measure_id, data_year
),

paired as (
    select
        pair.pair_id,
        pair.rule_id,
        appraisal.organisation_id,
        appraisal.data_year,
        case pair.part when 'numerator' then appraisal.numerator else appraisal.denominator end as reported_count,
        coalesce(counted.own_count, 0) as own_count,
        pair.tolerance,
        pair.tolerance_count
    from {{ ref('stg_appraisal_result') }} as appraisal
    inner join {{ ref('source_pairs') }} as pair on appraisal.indicator_code = pair.indicator_code
    inner join whole on appraisal.data_year = whole.data_year and pair.measure_id = whole.measure_id
    left join counted
        on
            appraisal.organisation_id = counted.organisation_id
            and appraisal.data_year = counted.data_year
            and pair.measure_id = counted.measure_id
            and coalesce(pair.disease_code, '') = counted.disease_code
)

select
    pair_id,
    rule_id,
    organisation_id,
    cast(data_year as varchar) as month,
    reported_count,
    own_count,
    abs(own_count - reported_count) > greatest(tolerance * reported_count, tolerance_count) as is_beyond_tolerance
from paired
where reported_count is not null
