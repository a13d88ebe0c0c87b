-- What the conditions of a reach ask of a case, each with a place in the reach's set: a list and the part of the case
-- that is looked up in it (role), whether a procedure is valid, a body region of an MDC.
with asked as (
    select
        reach_mdc.edition_no,
        reach_mdc.reach_id,
        case condition.role when 'no_valid_procedure' then 'any_valid_procedure' else condition.role end as role,
        condition.subject,
        '' as body_region
    from {{ ref('int_scheme_reach_mdc') }} as reach_mdc
    inner join {{ ref('int_scheme_condition') }} as condition
        on reach_mdc.edition_no = condition.edition_no and reach_mdc.mdc = condition.mdc
    union
    select
        edition_no,
        reach_id,
        'any_valid_procedure' as role,
        '' as subject,
        '' as body_region
    from {{ ref('int_scheme_reach_mdc') }}
    where requires_valid_procedure
    union
    select
        reach_mdc.edition_no,
        reach_mdc.reach_id,
        'body_region' as role,
        reach_mdc.mdc as subject,
        mdc_diagnosis.body_region
    from {{ ref('int_scheme_reach_mdc') }} as reach_mdc
    inner join {{ ref('int_scheme') }} as scheme on reach_mdc.edition_no = scheme.edition_no
    inner join {{ source('scheme', 'mdc_diagnosis') }} as mdc_diagnosis
        on scheme.edition_id = mdc_diagnosis.edition_id and reach_mdc.mdc = mdc_diagnosis.mdc
    where reach_mdc.min_body_regions is not null and mdc_diagnosis.body_region <> ''
    union
    -- `none` is asked of every case and answered by no code: no set is empty
    select
        edition_no,
        reach_id,
        'none' as role,
        '' as subject,
        '' as body_region
    from {{ ref('int_scheme_listing') }}
    union
    select
        edition_no,
        -edition_no as reach_id,
        'none' as role,
        '' as subject,
        '' as body_region
    from {{ ref('int_scheme') }}
)

select
    edition_no,
    reach_id,
    role,
    subject,
    body_region,
    cast(row_number() over (partition by reach_id order by role, subject, body_region) - 1 as integer) as place,
    cast(count(*) over (partition by reach_id) as integer) as width
from asked
