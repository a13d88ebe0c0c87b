-- The DRGs that the numbers rest on, and the specialty that a case of the group counts for when specialties are told
-- by disease. A code means its group only within its edition; results that name no edition share one.
{% if var('drg_source', 'external') == 'own' %}
    with lettered as (
        select
            drg.edition_id as scheme_edition,
            drg.drg as drg_code,
            adrg.mdc,
            adrg.kind
        from {{ source('scheme', 'drg') }} as drg
        inner join {{ source('scheme', 'adrg') }} as adrg
            on drg.edition_id = adrg.edition_id and drg.adrg = adrg.adrg
    )
{% else %}
    -- without the pseudo groups (0000 and every …QY); MDC = first letter, kind = second letter
    with codes as (
        select distinct
            coalesce(scheme_edition, '未注明') as scheme_edition,
            drg_code
        from {{ ref('stg_drg_result') }}
        where drg_code <> '0000' and drg_code not like '%QY'
    ),

    lettered as (
        select
            scheme_edition,
            drg_code,
            left(drg_code, 1) as mdc,
            case
                when substr(drg_code, 2, 1) between 'A' and 'J' then 'surgical'
                when substr(drg_code, 2, 1) between 'K' and 'Q' then 'procedure'
                when substr(drg_code, 2, 1) between 'R' and 'Z' then 'medical'
            end as kind
        from codes
    )
{% endif %}
select
    lettered.scheme_edition,
    lettered.drg_code,
    lettered.mdc,
    lettered.kind,
    coalesce(mdc_specialty.specialty_code, 'UNMAPPED') as mdc_specialty_code
from lettered
left join {{ ref('mdc_specialty') }} as mdc_specialty
    on lettered.mdc = mdc_specialty.mdc and lettered.kind = mdc_specialty.kind
