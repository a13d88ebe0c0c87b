{{ config(materialized='ephemeral') }}
-- Each case with all that it answers: cases with the same answers group alike up to their complications. One pass over
-- the codes, diagnoses and procedures side by side, the nth of each in one row; a row whose codes mean nothing goes no
-- further, but each case keeps its first.
with placed as (
    select
        grouping_case.*,
        coalesce(principal.code_no, 0) as principal_code_no,
        principal.excluded,
        case when grouping_case.diagnoses[1] <> '' then coalesce(principal.principal_no, -grouping_case.edition_no) end
            as principal_no,
        case when grouping_case.diagnoses[1] <> '' then coalesce(principal.reach_id, -grouping_case.edition_no) end
            as reach_id
    from {{ ref('int_grouping_case') }} as grouping_case
    left join {{ ref('int_scheme_principal') }} as principal
        on grouping_case.edition_no = principal.edition_no and grouping_case.diagnoses[1] = principal.code
),

-- sex, age and weight only where a rule of the reach asks: cases that no rule tells apart look the same
banded as (
    select
        placed.*,
        case when reach.asks_sex then placed.sex end as asked_sex,
        -- an unknown age holds no bound, as little as one above all bounds; one below zero, an error, holds all
        case
            when reach.age_days_limit is null then 0
            when coalesce(placed.age_years, 0) = 0 and placed.age_days is not null
                then greatest(least(placed.age_days, reach.age_days_limit), 0)
            else reach.age_days_limit
        end as age_days_band,
        case
            when reach.age_years_limit is null then 0
            when placed.age_years is not null then greatest(least(placed.age_years, reach.age_years_limit), 0)
            when placed.age_days is not null then 0
            else reach.age_years_limit
        end as age_years_band,
        {{ band_floor('placed.weight_g', 'reach.weight_cuts') }} as weight_band
    from placed
    left join {{ ref('int_scheme_reach') }} as reach on placed.reach_id = reach.reach_id
),

described as (
    select
        source_id,
        source_row,
        edition_no,
        principal_no,
        principal_code_no,
        reach_id,
        excluded,
        {{ case_traits('asked_sex', 'age_days_band', 'age_years_band', 'weight_band') }} as traits,
        -- without a principal diagnosis there is no reach, and no code that matters
        case when diagnoses[1] <> '' then diagnoses else [''] end as diagnoses,
        {{ filled_first('operations') }} as operations
    from banded
),

opened as (
    select
        * exclude (diagnoses, operations),
        {{ positioned_elements('diagnoses', 'diagnosis_code', 'place') }},
        {{ elements('operations', 'false') }} as procedure_code
    from described
),

known as (
    select
        opened.source_id,
        opened.source_row,
        opened.edition_no,
        opened.principal_no,
        opened.traits,
        opened.place,
        case when opened.place = 1 and opened.principal_no < 0 then opened.diagnosis_code end as unread_code,
        case when diagnosis.answers then opened.reach_id end as asking_reach_id,
        diagnosis.code_no,
        -- unless the principal diagnosis excludes it; the principal diagnosis written down again is no complication
        case
            when
                diagnosis.complication_order is not null
                and opened.place > 1
                and diagnosis.code_no <> opened.principal_code_no
                and not {{ has_bit('opened.excluded', 'diagnosis.exclusion_place') }}
                then {{ complication_at('diagnosis.complication_order', 'opened.place') }}
        end as complication,
        case when opened.place = 1 then procedure.first_mask else procedure.mask end as procedure_mask
    from opened
    left join {{ ref('int_scheme_diagnosis') }} as diagnosis
        on opened.edition_no = diagnosis.edition_no and opened.diagnosis_code = diagnosis.code
    left join {{ ref('int_scheme_procedure') }} as procedure
        on opened.reach_id = procedure.reach_id and opened.procedure_code = procedure.code
    where opened.place = 1 or diagnosis.code_no is not null or procedure.code is not null
),

answered as (
    select
        known.source_id,
        known.source_row,
        min(known.edition_no) as edition_no,
        min(known.principal_no) as principal_no,
        min(known.unread_code) as unread_code,
        min(known.traits) as traits,
        {{ union_of(
            "case
                when answer.mask is null then known.procedure_mask
                when known.procedure_mask is null then answer.mask
                else " ~ either_of('known.procedure_mask', 'answer.mask') ~ "
            end"
        ) }} as mask,
        min(known.complication) as complication
    from known
    left join {{ ref('int_scheme_answer') }} as answer
        on known.asking_reach_id = answer.reach_id and known.code_no = answer.code_no
    group by known.source_id, known.source_row
)

select
    answered.source_id,
    answered.source_row,
    answered.edition_no,
    answered.principal_no,
    answered.unread_code,
    principal.reach_id,
    answered.traits,
    {{ either_of('principal.mask', 'coalesce(answered.mask, principal.mask)') }} as mask,
    answered.complication
from answered
left join {{ ref('int_scheme_principal') }} as principal on answered.principal_no = principal.principal_no
