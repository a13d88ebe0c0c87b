-- The cases with a diagnosis that matters beyond being the principal one: classes of all their diagnoses, the first
-- counting MCC and CC, and what the principal diagnosis excludes.
with placed as (
    select
        grouping_case.source_id,
        grouping_case.source_row,
        grouping_case.edition_no,
        coalesce(principal.canonical_code, grouping_case.diagnoses[1]) as principal_code,
        {{ positioned_elements('grouping_case.diagnoses', 'code', 'place') }}
    from {{ ref('int_grouping_case') }} as grouping_case
    left join {{ ref('int_scheme_principal') }} as principal
        on grouping_case.edition_no = principal.edition_no and grouping_case.diagnoses[1] = principal.code
    where grouping_case.diagnoses[1] <> ''
),

exclusion as (
    select distinct
        scheme.edition_no,
        exclusion.principal_code,
        exclusion.exclusion_table
    from {{ source('scheme', 'exclusion') }} as exclusion
    inner join {{ ref('int_scheme') }} as scheme on exclusion.edition_id = scheme.edition_id
),

meaning as (
    select
        placed.source_id,
        placed.source_row,
        placed.place,
        diagnosis.canonical_code,
        diagnosis.class_id,
        -- a principal diagnosis written down again is no complication of itself
        case
            when placed.place > 1 and diagnosis.canonical_code <> placed.principal_code then diagnosis.level
        end as level,
        exclusion.principal_code is not null as is_excluded
    from placed
    inner join {{ ref('int_scheme_diagnosis') }} as diagnosis
        on placed.edition_no = diagnosis.edition_no and placed.code = diagnosis.code
    left join exclusion
        on
            placed.edition_no = exclusion.edition_no
            and placed.principal_code = exclusion.principal_code
            and diagnosis.exclusion_table = exclusion.exclusion_table
)

select
    source_id,
    source_row,
    {{ set_of('class_id') }} as diagnosis_set,
    arg_min(canonical_code, place) filter (where level = 'mcc' and not is_excluded) as mcc_code,
    arg_min(canonical_code, place) filter (where level = 'cc' and not is_excluded) as cc_code,
    list(canonical_code order by place) filter (where level is not null and is_excluded) as excluded_codes
from meaning
group by source_id, source_row
