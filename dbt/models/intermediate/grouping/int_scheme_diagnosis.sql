-- A diagnosis code wherever it stands: what it answers of a reach's questions.
select
    mask.reach_id,
    code.code,
    mask.mask
from {{ ref('int_scheme_mask') }} as mask
inner join {{ ref('int_scheme_code') }} as code
    on mask.edition_no = code.edition_no and mask.code = code.canonical_code
where mask.part = 'diagnosis' and code.kind = 'diagnosis'
