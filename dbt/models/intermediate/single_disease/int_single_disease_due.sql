{{ config(materialized='kept_by_month') }}
-- Which discharges the platform asks for, and for which disease, by the inclusion lists: one code of every part that a
-- disease has a list for, and the age where it asks for one. A case without an age is not asked for by age. Each part is
-- a bit, so that the parts that a case meets are one number.
{% set parts = [
    ('principal_diagnosis', 'diagnoses', 1),
    ('second_diagnosis', 'diagnoses', 2),
    ('any_diagnosis', 'diagnoses', none),
    ('main_operation', 'operations', 1),
    ('any_operation', 'operations', none),
] %}
with part (part, part_bit, codes, place) as (
    values
    {% for part, codes, place in parts %}
        ('{{ part }}', {{ 2 ** loop.index0 }}, '{{ codes }}', {{ place or 'null' }}){{ ',' if not loop.last }}
    {% endfor %}
),

listed as (
    select
        code.disease_code,
        code.code_prefix,
        part.part_bit,
        part.codes,
        part.place
    from {{ ref('single_disease_codes') }} as code
    inner join part on code.part = part.part
),

found as (
    {% for codes in ['diagnoses', 'operations'] %}
        select
            coded.source_id,
            coded.source_row,
            coded.age_years,
            listed.disease_code,
            listed.part_bit
        from (
            select
                source_id,
                source_row,
                age_years,
                {{ positioned_elements(codes, 'code', 'place') }}
            from {{ ref('stg_hqms_front_page') }}
        ) as coded
        inner join listed
            on
                left(coded.code, 3) = left(listed.code_prefix, 3)
                and starts_with(coded.code, listed.code_prefix)
                and (listed.place is null or coded.place = listed.place)
        where listed.codes = '{{ codes }}'
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

met as (
    select
        source_id,
        source_row,
        disease_code,
        max(age_years) as age_years,
        bit_or(part_bit) as part_bits
    from found
    group by source_id, source_row, disease_code
),

disease as (
    select
        disease.disease_code,
        disease.age_from_years,
        disease.age_to_years,
        bit_or(listed.part_bit) as part_bits
    from {{ ref('single_diseases') }} as disease
    inner join listed on disease.disease_code = listed.disease_code
    where disease.is_recomputed
    group by disease.disease_code, disease.age_from_years, disease.age_to_years
)

select
    met.source_id,
    met.source_row,
    met.disease_code
from met
inner join disease on met.disease_code = disease.disease_code and met.part_bits = disease.part_bits
where
    (disease.age_from_years is null or met.age_years >= disease.age_from_years)
    and (disease.age_to_years is null or met.age_years <= disease.age_to_years)
