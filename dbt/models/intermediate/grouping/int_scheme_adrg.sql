-- The DRG of an ADRG at each level of complications: MCC before CC, and the undivided group where there is no other.
-- Levels for which an ADRG has no DRG stay empty: their cases are not grouped.
select
    scheme.edition_no,
    adrg.adrg,
    adrg.mdc,
    coalesce(bool_or(drg.severity in ('mcc', 'cc', 'none')), false) as is_divided,
    coalesce(
        max(drg.drg) filter (where drg.severity = 'mcc'),
        max(drg.drg) filter (where drg.severity = 'cc'),
        max(drg.drg) filter (where drg.severity = 'any')
    ) as mcc_drg,
    coalesce(
        max(drg.drg) filter (where drg.severity = 'cc'), max(drg.drg) filter (where drg.severity = 'any')
    ) as cc_drg,
    coalesce(
        max(drg.drg) filter (where drg.severity = 'none'), max(drg.drg) filter (where drg.severity = 'any')
    ) as none_drg
from {{ source('scheme', 'adrg') }} as adrg
inner join {{ ref('int_scheme') }} as scheme on adrg.edition_id = scheme.edition_id
left join {{ source('scheme', 'drg') }} as drg
    on adrg.edition_id = drg.edition_id and adrg.adrg = drg.adrg
group by scheme.edition_no, adrg.adrg, adrg.mdc
