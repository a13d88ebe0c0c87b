-- The cases with a diagnosis that matters beyond being the principal one: what their diagnoses answer of the reach's
-- questions, the first MCC and the first CC that count, and what the principal diagnosis excludes.
with placed as (
    select
        source_id,
        source_row,
        edition_no,
        reach_id,
        principal_code,
        {{ positioned_elements('diagnoses', 'code', 'place') }}
    from {{ ref('int_grouping_case') }}
    where reach_id is not null
),

exclusion as (
    select distinct
        scheme.edition_no,
        exclusion.principal_code,
        exclusion.exclusion_table
    from {{ source('scheme', 'exclusion') }} as exclusion
    inner join {{ ref('int_scheme') }} as scheme on exclusion.edition_id = scheme.edition_id
),

found as (
    select
        placed.source_id,
        placed.source_row,
        placed.place,
        diagnosis.mask,
        complication.canonical_code,
        -- a principal diagnosis written down again is no complication of itself
        case
            when placed.place > 1 and complication.canonical_code <> placed.principal_code then complication.level
        end as level,
        exclusion.principal_code is not null as is_excluded
    from placed
    left join {{ ref('int_scheme_complication') }} as complication
        on placed.edition_no = complication.edition_no and placed.code = complication.code
    left join exclusion
        on
            placed.edition_no = exclusion.edition_no
            and placed.principal_code = exclusion.principal_code
            and complication.exclusion_table = exclusion.exclusion_table
    left join {{ ref('int_scheme_diagnosis') }} as diagnosis
        on placed.reach_id = diagnosis.reach_id and placed.code = diagnosis.code
)

select
    source_id,
    source_row,
    {{ union_of('mask') }} as mask,
    arg_min(canonical_code, place) filter (where level = 'mcc' and not is_excluded) as mcc_code,
    arg_min(canonical_code, place) filter (where level = 'cc' and not is_excluded) as cc_code,
    {{ placed_values('canonical_code', 'place', 'level is not null and is_excluded') }} as excluded
from found
where mask is not null or level is not null
group by source_id, source_row
