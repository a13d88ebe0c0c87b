-- A diagnosis code as principal diagnosis: what it is read as, and its class (0: no rule names it).
select
    code.edition_no,
    code.code,
    code.canonical_code,
    coalesce(class.class_id, 0) as class_id
from {{ ref('int_scheme_code') }} as code
left join {{ ref('int_scheme_class') }} as class
    on code.edition_no = class.edition_no and code.canonical_code = class.code and class.kind = 'principal'
where code.kind = 'diagnosis' and (class.class_id is not null or code.code <> code.canonical_code)
