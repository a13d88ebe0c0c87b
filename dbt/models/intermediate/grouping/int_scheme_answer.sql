-- What a diagnosis answers of a reach's questions wherever it stands. Few do: a table of its own tells the planner.
select
    mask.reach_id,
    code.code_no,
    any_value(mask.mask) as mask
from {{ ref('int_scheme_mask') }} as mask
inner join {{ ref('int_scheme_code') }} as code
    on mask.edition_no = code.edition_no and mask.code = code.canonical_code
where mask.part = 'diagnosis' and code.kind = 'diagnosis'
group by mask.reach_id, code.code_no
