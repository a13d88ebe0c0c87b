-- A procedure code as the first of a case (first_mask) and anywhere else (mask): what it answers of a reach's questions.
select
    mask.reach_id,
    code.code,
    {{ union_of('mask.mask') }} as first_mask,
    {{ union_of("case when mask.part = 'procedure' then mask.mask end") }} as mask
from {{ ref('int_scheme_mask') }} as mask
inner join {{ ref('int_scheme_code') }} as code
    on mask.edition_no = code.edition_no and mask.code = code.canonical_code
where mask.part in ('first', 'procedure') and code.kind = 'procedure'
group by mask.reach_id, code.code
