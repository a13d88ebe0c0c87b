{{ config(materialized='ephemeral') }}
-- The cases with a code that matters beyond the principal diagnosis and the first procedure: what their codes answer of
-- the reach's questions, the MCC or CC that decides, and what the principal diagnosis excludes. Diagnoses and procedures
-- go side by side, the nth of each in one row.
with opened as (
    select
        source_id,
        source_row,
        edition_no,
        reach_id,
        principal_code,
        excluded,
        {{ positioned_elements('diagnoses', 'diagnosis_code', 'place') }},
        -- a single procedure is the first one, which the profile looks up
        {{ elements('case when len(operations) > 1 then operations end', 'false') }} as procedure_code
    from {{ ref('int_grouping_case') }}
    where reach_id is not null
),

known as (
    select
        opened.source_id,
        opened.source_row,
        opened.place,
        diagnosis.canonical_code,
        diagnosis.code_no,
        diagnosis.level,
        case when diagnosis.answers then opened.reach_id end as asking_reach_id,
        -- a principal diagnosis written down again is no complication of itself
        diagnosis.level is not null
        and opened.place > 1
        and diagnosis.canonical_code <> opened.principal_code as is_complication,
        {{ has_bit('opened.excluded', 'diagnosis.exclusion_place') }} as is_excluded,
        procedure.mask as procedure_mask
    from opened
    left join {{ ref('int_scheme_diagnosis') }} as diagnosis
        on opened.edition_no = diagnosis.edition_no and opened.diagnosis_code = diagnosis.code
    left join {{ ref('int_scheme_procedure') }} as procedure
        on opened.reach_id = procedure.reach_id and opened.procedure_code = procedure.code
    where
        procedure.mask is not null
        or diagnosis.answers
        or (
            diagnosis.level is not null
            and opened.place > 1
            and diagnosis.canonical_code <> opened.principal_code
        )
)

select
    known.source_id,
    known.source_row,
    {{ union_of('known.procedure_mask') }} as procedure_mask,
    {{ union_of('answer.mask') }} as diagnosis_mask,
    min({{ complication_order('known.level', 'known.place', 'known.code_no') }})
    filter (where known.is_complication and not known.is_excluded) as complication,
    {{ placed_values('known.canonical_code', 'known.place', 'known.is_complication and known.is_excluded') }}
        as excluded
from known
left join {{ ref('int_scheme_answer') }} as answer
    on known.asking_reach_id = answer.reach_id and known.canonical_code = answer.code
group by known.source_id, known.source_row
