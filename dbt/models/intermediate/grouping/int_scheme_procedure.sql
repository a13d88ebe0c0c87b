-- The procedure codes that matter to a rule.
select
    code.edition_no,
    code.code,
    class.class_id
from {{ ref('int_scheme_code') }} as code
inner join {{ ref('int_scheme_class') }} as class
    on code.edition_no = class.edition_no and code.canonical_code = class.code and class.kind = 'procedure'
where code.kind = 'procedure'
