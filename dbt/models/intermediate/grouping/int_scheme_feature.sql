-- All that a code can mean to a rule, one row each: what it opens and where it is listed as principal diagnosis, what
-- it adds as any diagnosis, what it is as a procedure.
with listed as (
    select distinct
        code_list.edition_id,
        code_list.code,
        code_list.list_id,
        condition.role
    from {{ source('scheme', 'code_list') }} as code_list
    inner join {{ source('scheme', 'adrg_condition') }} as condition
        on code_list.edition_id = condition.edition_id and code_list.list_id = condition.list_id
),

feature as (
    select
        edition_id,
        'principal' as kind,
        code,
        'mdc' as role,
        mdc as subject,
        '' as body_region
    from {{ source('scheme', 'mdc_diagnosis') }}
    union
    select
        edition_id,
        'principal' as kind,
        code,
        role,
        list_id as subject,
        '' as body_region
    from listed
    where role = 'principal_diagnosis'
    union
    select
        edition_id,
        'diagnosis' as kind,
        code,
        role,
        list_id as subject,
        '' as body_region
    from listed
    where role = 'any_diagnosis'
    union
    select
        mdc_diagnosis.edition_id,
        'diagnosis' as kind,
        mdc_diagnosis.code,
        'body_region' as role,
        mdc_diagnosis.mdc as subject,
        mdc_diagnosis.body_region
    from {{ source('scheme', 'mdc_diagnosis') }} as mdc_diagnosis
    inner join {{ source('scheme', 'mdc') }} as mdc
        on mdc_diagnosis.edition_id = mdc.edition_id and mdc_diagnosis.mdc = mdc.mdc
    where mdc.min_body_regions is not null and mdc_diagnosis.body_region <> ''
    union
    select
        edition_id,
        'procedure' as kind,
        code,
        'any_procedure' as role,
        list_id as subject,
        '' as body_region
    from listed
    where role in ('principal_procedure', 'any_procedure')
    union
    select
        edition_id,
        'procedure' as kind,
        code,
        'valid' as role,
        '' as subject,
        '' as body_region
    from {{ source('scheme', 'valid_procedure') }}
)

select
    scheme.edition_no,
    feature.kind,
    feature.code,
    feature.role,
    feature.subject,
    feature.body_region
from feature
inner join {{ ref('int_scheme') }} as scheme on feature.edition_id = scheme.edition_id
