-- The DRGs that the grouper gave, without the pseudo groups (0000 and every …QY), and the specialty that a case of
-- the group counts for when specialties are told by disease: MDC = first letter, kind = second letter.
with codes as (
    select distinct drg_code
    from {{ ref('stg_drg_result') }}
    where drg_code <> '0000' and drg_code not like '%QY'
),

lettered as (
    select
        drg_code,
        left(drg_code, 1) as mdc,
        case
            when substr(drg_code, 2, 1) between 'A' and 'J' then 'surgical'
            when substr(drg_code, 2, 1) between 'K' and 'Q' then 'procedure'
            when substr(drg_code, 2, 1) between 'R' and 'Z' then 'medical'
        end as kind
    from codes
)

select
    lettered.drg_code,
    lettered.mdc,
    lettered.kind,
    coalesce(mdc_specialty.specialty_code, 'UNMAPPED') as mdc_specialty_code
from lettered
left join {{ ref('mdc_specialty') }} as mdc_specialty
    on lettered.mdc = mdc_specialty.mdc and lettered.kind = mdc_specialty.kind
