-- The outflow of the city that a hospital lies in, and of all cities for REGION. Residence is told by department only:
-- under attribution mdc there is ALL and nothing else.
with city as (
    select
        window_id,
        specialty_code,
        residence_division,
        resident_count,
        outflow_count
    from {{ ref('int_outflow') }}
    where division_rank = 'prefecture'
),

placed as (
    select
        hospital.organisation_id as hospital_id,
        city.window_id,
        city.specialty_code,
        city.resident_count,
        city.outflow_count
    from city
    inner join {{ ref('stg_hospital') }} as hospital
        on city.residence_division = {{ city_of('hospital.division') }}
    union all
    select
        'REGION' as hospital_id,
        window_id,
        specialty_code,
        sum(resident_count) as resident_count,
        sum(outflow_count) as outflow_count
    from city
    group by window_id, specialty_code
)

select
    'department' as attribution,
    hospital_id,
    window_id,
    specialty_code,
    resident_count,
    outflow_count
from placed
union all
select
    'mdc' as attribution,
    hospital_id,
    window_id,
    specialty_code,
    resident_count,
    outflow_count
from placed
where specialty_code = 'ALL'
