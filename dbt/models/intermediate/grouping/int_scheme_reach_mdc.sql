-- The MDCs that a reach meets: those that list its principal diagnoses, and those without a list. A principal
-- diagnosis that no MDC lists has the reach minus the number of its edition.
with reach as (
    select
        edition_no,
        reach_id,
        min(code) as example_code
    from {{ ref('int_scheme_listing') }}
    group by edition_no, reach_id
    union all
    select
        edition_no,
        -edition_no as reach_id,
        null as example_code
    from {{ ref('int_scheme') }}
),

listing as (
    select
        edition_id,
        mdc,
        code
    from {{ source('scheme', 'mdc_diagnosis') }}
)

select distinct
    reach.edition_no,
    reach.reach_id,
    mdc.mdc,
    listing.code is not null as is_listed,
    mdc.priority,
    mdc.sex,
    mdc.age_days_max,
    mdc.age_years_max,
    mdc.min_body_regions,
    coalesce(mdc.requires_valid_procedure, false) as requires_valid_procedure
from reach
inner join {{ ref('int_scheme') }} as scheme on reach.edition_no = scheme.edition_no
inner join {{ source('scheme', 'mdc') }} as mdc on scheme.edition_id = mdc.edition_id
left join listing
    on mdc.edition_id = listing.edition_id and mdc.mdc = listing.mdc and reach.example_code = listing.code
where listing.code is not null or mdc.mdc not in (
    select listed.mdc
    from {{ source('scheme', 'mdc_diagnosis') }} as listed
    where listed.edition_id = mdc.edition_id
)
