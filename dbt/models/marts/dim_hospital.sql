-- The register, every organisation that only the data name, and REGION, the province as a whole.
with reporting as (
    select distinct organisation_id
    from {{ ref('int_cell') }}
),

listed as (
    select
        coalesce(register.organisation_id, reporting.organisation_id) as hospital_id,
        coalesce(register.name_zh, '未登记机构 ' || reporting.organisation_id) as name_zh,
        register.level,
        register.grade,
        register.kind,
        register.division,
        register.city_name,
        register.is_provincial_capital,
        register.is_national_medical_centre,
        register.is_directly_managed,
        register.is_regional_medical_centre,
        array_to_string(register.subjects, '；') as subjects,
        register.organisation_id is not null as is_registered,
        reporting.organisation_id is not null as has_discharges,
        false as is_region
    from {{ ref('stg_hospital') }} as register
    full join reporting on register.organisation_id = reporting.organisation_id
),

region as (
    select
        'REGION' as hospital_id,
        coalesce(
            (select name_zh from {{ ref('divisions') }} where division = {{ province_division() }} limit 1), '全省'
        ) as name_zh
)

select * from listed
union all
select
    hospital_id,
    name_zh,
    null as level,
    null as grade,
    null as kind,
    {{ province_division() }} as division,
    null as city_name,
    null as is_provincial_capital,
    null as is_national_medical_centre,
    null as is_directly_managed,
    null as is_regional_medical_centre,
    null as subjects,
    false as is_registered,
    (select count(*) > 0 from reporting) as has_discharges,
    true as is_region
from region
