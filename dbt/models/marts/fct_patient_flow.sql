-- Where the patients of a specialty come from and where they are treated, per year: home (city of this province, other
-- province, UNKNOWN) against the city of the hospital. Counts of divisions; nothing about a patient.
with placed as (
    select
        data_year,
        coalesce({{ home_of('residence_division') }}, 'UNKNOWN') as residence_division,
        coalesce({{ city_of('hospital_division') }}, 'UNKNOWN') as hospital_division,
        specialty_code,
        discharge_count
    from {{ ref('int_flow') }}
),

flow as (
    select
        data_year,
        residence_division,
        hospital_division,
        case when grouping(specialty_code) = 1 then 'ALL' else specialty_code end as specialty_code,
        sum(discharge_count) as discharge_count
    from placed
    group by grouping sets (
        (data_year, residence_division, hospital_division, specialty_code),
        (data_year, residence_division, hospital_division)
    )
),

with_totals as (
    select
        *,
        sum(discharge_count) over (partition by data_year, residence_division, specialty_code) as residence_total,
        sum(discharge_count) over (partition by data_year, hospital_division, specialty_code) as hospital_total
    from flow
)

select
    data_year,
    residence_division,
    hospital_division,
    specialty_code,
    cast(discharge_count as bigint) as discharge_count,
    {{ exact_ratio(['discharge_count'], ['residence_total'], 8, 18) }} as share_of_residence,
    {{ exact_ratio(['discharge_count'], ['hospital_total'], 8, 18) }} as share_of_hospital
from with_totals
