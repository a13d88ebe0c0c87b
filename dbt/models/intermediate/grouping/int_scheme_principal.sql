-- A diagnosis code as principal diagnosis: what it is read as, its reach, and what it answers by itself. principal_no
-- stands for the code as written; a code that the edition cannot read is '', with the number of the edition, negative.
select
    cast(row_number() over (order by code.edition_no, code.code) as integer) as principal_no,
    code.edition_no,
    code.code,
    code.canonical_code,
    code.code_no,
    reach.reach_id,
    coalesce(mask.mask, reach.nothing) as mask,
    exclusion.excluded
from {{ ref('int_scheme_code') }} as code
left join {{ ref('int_scheme_listing') }} as listing
    on code.edition_no = listing.edition_no and code.canonical_code = listing.code
inner join {{ ref('int_scheme_reach') }} as reach
    on coalesce(listing.reach_id, -code.edition_no) = reach.reach_id
left join {{ ref('int_scheme_mask') }} as mask
    on mask.part = 'principal' and reach.reach_id = mask.reach_id and code.canonical_code = mask.code
left join {{ ref('int_scheme_exclusion') }} as exclusion
    on code.edition_no = exclusion.edition_no and code.canonical_code = exclusion.principal_code
where code.kind = 'diagnosis'
union all
select
    -edition_no as principal_no,
    edition_no,
    '' as code,
    null as canonical_code,
    null as code_no,
    reach_id,
    nothing as mask,
    null as excluded
from {{ ref('int_scheme_reach') }}
where reach_id = -edition_no
