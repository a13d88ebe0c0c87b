{{ config(materialized='ephemeral') }}
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

-- few of the diagnoses matter: the dictionary comes first, what it says of a case second
known as (
    select
        placed.*,
        item.canonical_code,
        item.level,
        item.exclusion_table
    from placed
    inner join {{ ref('int_scheme_diagnosis') }} as item
        on placed.edition_no = item.edition_no and placed.code = item.code
),

found as (
    select
        known.source_id,
        known.source_row,
        known.place,
        answer.mask,
        known.canonical_code,
        -- a principal diagnosis written down again is no complication of itself
        case when known.place > 1 and known.canonical_code <> known.principal_code then known.level end as level,
        exclusion.principal_code is not null as is_excluded
    from known
    left join exclusion
        on
            known.edition_no = exclusion.edition_no
            and known.principal_code = exclusion.principal_code
            and known.exclusion_table = exclusion.exclusion_table
    left join {{ ref('int_scheme_answer') }} as answer
        on known.reach_id = answer.reach_id and known.canonical_code = answer.code
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
