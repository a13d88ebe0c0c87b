-- All that grouping can come to, numbered: an alternative of an ADRG, or a reason and the MDC, if any, where it ends.
with ending as (
    select
        reach.edition_no,
        alternative.mdc,
        alternative.adrg,
        alternative.alternative,
        null as ungrouped_reason
    from {{ ref('int_scheme_alternative') }} as alternative
    inner join {{ ref('int_scheme_reach') }} as reach on alternative.reach_id = reach.reach_id
    union
    select
        met.edition_no,
        met.mdc,
        null as adrg,
        null as alternative,
        reason.ungrouped_reason
    from {{ ref('int_scheme_reach_mdc') }} as met
    cross join {{ ref('ungrouped_reasons') }} as reason
    union
    select
        scheme.edition_no,
        null as mdc,
        null as adrg,
        null as alternative,
        reason.ungrouped_reason
    from {{ ref('int_scheme') }} as scheme
    cross join {{ ref('ungrouped_reasons') }} as reason
)

select
    cast(row_number() over (order by edition_no, mdc, adrg, alternative, ungrouped_reason) as integer) as group_no,
    edition_no,
    mdc,
    adrg,
    alternative,
    ungrouped_reason
from ending
