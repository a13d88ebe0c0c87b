-- A diagnosis code as principal diagnosis: what it is read as, its reach, and what it answers by itself.
select
    code.edition_no,
    code.code,
    code.canonical_code,
    coalesce(listing.reach_id, -code.edition_no) as reach_id,
    mask.mask,
    exclusion.excluded
from {{ ref('int_scheme_code') }} as code
left join {{ ref('int_scheme_listing') }} as listing
    on code.edition_no = listing.edition_no and code.canonical_code = listing.code
left join {{ ref('int_scheme_mask') }} as mask
    on
        mask.part = 'principal'
        and coalesce(listing.reach_id, -code.edition_no) = mask.reach_id
        and code.canonical_code = mask.code
left join {{ ref('int_scheme_exclusion') }} as exclusion
    on code.edition_no = exclusion.edition_no and code.canonical_code = exclusion.principal_code
where code.kind = 'diagnosis'
