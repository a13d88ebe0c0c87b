-- The diagnosis codes that matter wherever they stand: for a rule on any diagnosis or body regions (class_id), or as
-- a complication (level). A code that is both an MCC and a CC has two rows, each with its own exclusion table.
select
    code.edition_no,
    code.code,
    code.canonical_code,
    class.class_id,
    complication.level,
    complication.exclusion_table
from {{ ref('int_scheme_code') }} as code
inner join {{ ref('int_scheme') }} as scheme on code.edition_no = scheme.edition_no
left join {{ ref('int_scheme_class') }} as class
    on code.edition_no = class.edition_no and code.canonical_code = class.code and class.kind = 'diagnosis'
left join {{ source('scheme', 'complication') }} as complication
    on scheme.edition_id = complication.edition_id and code.canonical_code = complication.code
where code.kind = 'diagnosis' and (class.class_id is not null or complication.level is not null)
