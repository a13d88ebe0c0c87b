-- The MDCs that a signature's principal diagnosis is listed in, and those without a list, with what opens or closes
-- each. A signature whose principal diagnosis is listed nowhere still meets the MDCs without a list.
with region as (
    select
        signature_id,
        subject as mdc,
        count(distinct body_region) as region_count
    from {{ ref('int_grouping_fact') }}
    where role = 'body_region'
    group by signature_id, subject
),

valid as (
    select signature_id
    from {{ ref('int_grouping_fact') }}
    where role = 'any_valid_procedure'
),

mdc as (
    select
        scheme.edition_no,
        mdc.*,
        listed.mdc is not null as has_list
    from {{ source('scheme', 'mdc') }} as mdc
    inner join {{ ref('int_scheme') }} as scheme on mdc.edition_id = scheme.edition_id
    left join (
        select distinct
            edition_id,
            mdc
        from {{ source('scheme', 'mdc_diagnosis') }}
    ) as listed
        on mdc.edition_id = listed.edition_id and mdc.mdc = listed.mdc
),

met as (
    select
        signature.signature_id,
        signature.edition_no,
        signature.sex,
        signature.age_days_band,
        signature.age_years_band,
        fact.subject as mdc
    from {{ ref('int_grouping_signature') }} as signature
    inner join {{ ref('int_grouping_fact') }} as fact on signature.signature_id = fact.signature_id
    where fact.role = 'mdc'
    union all
    select
        signature.signature_id,
        signature.edition_no,
        signature.sex,
        signature.age_days_band,
        signature.age_years_band,
        mdc.mdc
    from {{ ref('int_grouping_signature') }} as signature
    inner join mdc on signature.edition_no = mdc.edition_no
    where not mdc.has_list
),

judged as (
    select
        met.signature_id,
        met.edition_no,
        met.mdc,
        mdc.has_list,
        mdc.priority,
        mdc.sex is null or met.sex = mdc.sex as sex_holds,
        (mdc.age_days_max is null or met.age_days_band <= mdc.age_days_max)
        and (mdc.age_years_max is null or met.age_years_band <= mdc.age_years_max) as age_holds,
        (not coalesce(mdc.requires_valid_procedure, false) or valid.signature_id is not null)
        and (mdc.min_body_regions is null or coalesce(region.region_count, 0) >= mdc.min_body_regions) as rest_holds
    from met
    inner join mdc on met.edition_no = mdc.edition_no and met.mdc = mdc.mdc
    left join valid on met.signature_id = valid.signature_id
    left join region on met.signature_id = region.signature_id and met.mdc = region.mdc
)

select
    signature_id,
    edition_no,
    mdc,
    priority,
    has_list,
    sex_holds,
    age_holds,
    sex_holds and age_holds and rest_holds as is_open
from judged
