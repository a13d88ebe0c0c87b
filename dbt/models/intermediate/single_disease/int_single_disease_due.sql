-- Which discharges the platform asks for, and for which disease, by the inclusion lists: one code of every part that a
-- disease has a list for, and the age where it asks for one. A case without an age is not asked for by age.
{% set page = ref('stg_hqms_front_page') %}
with coded as (
    {% for part, code in [
        ('principal_diagnosis', 'diagnoses[1]'),
        ('second_diagnosis', 'diagnoses[2]'),
        ('any_diagnosis', elements('diagnoses', 'false')),
        ('main_operation', 'operations[1]'),
        ('any_operation', elements('operations', 'false')),
    ] %}
        select
            source_id,
            source_row,
            '{{ part }}' as part,
            {{ code }} as code
        from {{ page }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

met as (
    select
        coded.source_id,
        coded.source_row,
        listed.disease_code,
        count(distinct coded.part) as part_count
    from coded
    inner join {{ ref('single_disease_codes') }} as listed
        on
            coded.part = listed.part
            and left(coded.code, 3) = left(listed.code_prefix, 3)
            and starts_with(coded.code, listed.code_prefix)
    group by coded.source_id, coded.source_row, listed.disease_code
),

disease as (
    select
        disease.disease_code,
        disease.age_from_years,
        disease.age_to_years,
        count(distinct listed.part) as part_count
    from {{ ref('single_diseases') }} as disease
    inner join {{ ref('single_disease_codes') }} as listed on disease.disease_code = listed.disease_code
    where disease.is_recomputed
    group by disease.disease_code, disease.age_from_years, disease.age_to_years
)

select
    met.source_id,
    met.source_row,
    met.disease_code
from met
inner join disease on met.disease_code = disease.disease_code and met.part_count = disease.part_count
inner join {{ page }} as page on met.source_id = page.source_id and met.source_row = page.source_row
where
    (disease.age_from_years is null or page.age_years >= disease.age_from_years)
    and (disease.age_to_years is null or page.age_years <= disease.age_to_years)
