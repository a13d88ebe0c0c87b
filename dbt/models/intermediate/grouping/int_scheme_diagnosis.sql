-- The diagnosis codes that matter wherever they stand, as they may be written: those that answer a question of some
-- reach, MCC and CC. A code that is both MCC and CC has two rows, each with its own exclusion table.
with complication as (
    select
        scheme.edition_no,
        complication.code,
        complication.level,
        complication.exclusion_table
    from {{ source('scheme', 'complication') }} as complication
    inner join {{ ref('int_scheme') }} as scheme on complication.edition_id = scheme.edition_id
),

answering as (
    select distinct code_no
    from {{ ref('int_scheme_answer') }}
)

select
    code.edition_no,
    code.code,
    code.canonical_code,
    code.code_no,
    answering.code_no is not null as answers,
    {{ complication_order('complication.level', 'code.code_no') }} as complication_order,
    exclusion_table.place as exclusion_place
from {{ ref('int_scheme_code') }} as code
left join complication
    on code.edition_no = complication.edition_no and code.canonical_code = complication.code
left join answering
    on code.code_no = answering.code_no
left join {{ ref('int_scheme_exclusion_table') }} as exclusion_table
    on
        code.edition_no = exclusion_table.edition_no
        and complication.exclusion_table = exclusion_table.exclusion_table
where code.kind = 'diagnosis' and (complication.level is not null or answering.code_no is not null)
