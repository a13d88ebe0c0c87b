-- The diagnosis codes that count as MCC or CC, as they may be written. A code that is both has two rows, each with its
-- own exclusion table.
select
    code.edition_no,
    code.code,
    code.canonical_code,
    complication.level,
    complication.exclusion_table
from {{ ref('int_scheme_code') }} as code
inner join {{ ref('int_scheme') }} as scheme on code.edition_no = scheme.edition_no
inner join {{ source('scheme', 'complication') }} as complication
    on scheme.edition_id = complication.edition_id and code.canonical_code = complication.code
where code.kind = 'diagnosis'
