-- The rows of the ADRG alternatives. alternative_rank orders all alternatives of an edition as they are tried: MDC,
-- ADRG, alternative.
with ordered as (
    select
        scheme.edition_no,
        adrg.mdc,
        condition.adrg,
        condition.alternative,
        condition.role,
        coalesce(condition.list_id, '') as subject,
        condition.age_days_max,
        condition.weight_g_min,
        condition.weight_g_below,
        mdc.priority as mdc_priority,
        adrg.priority as adrg_priority
    from {{ source('scheme', 'adrg_condition') }} as condition
    inner join {{ ref('int_scheme') }} as scheme on condition.edition_id = scheme.edition_id
    inner join {{ source('scheme', 'adrg') }} as adrg
        on condition.edition_id = adrg.edition_id and condition.adrg = adrg.adrg
    inner join {{ source('scheme', 'mdc') }} as mdc
        on adrg.edition_id = mdc.edition_id and adrg.mdc = mdc.mdc
)

select
    edition_no,
    mdc,
    adrg,
    alternative,
    role,
    subject,
    age_days_max,
    weight_g_min,
    weight_g_below,
    dense_rank() over (
        partition by edition_no
        order by mdc_priority, mdc, adrg_priority, adrg, alternative
    ) as alternative_rank
from ordered
