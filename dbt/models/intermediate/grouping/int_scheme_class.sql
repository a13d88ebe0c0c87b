-- Codes that mean the same to every rule share a class: 33,000 diagnoses come down to some hundreds. Code after
-- crosswalk.
with meaning as (
    select
        edition_no,
        kind,
        code,
        string_agg(
            role || ' ' || subject || ' ' || body_region, '|' order by role, subject, body_region
        ) as features
    from {{ ref('int_scheme_feature') }}
    group by edition_no, kind, code
)

select
    edition_no,
    kind,
    code,
    cast(dense_rank() over (partition by edition_no, kind order by features) as integer) as class_id
from meaning
