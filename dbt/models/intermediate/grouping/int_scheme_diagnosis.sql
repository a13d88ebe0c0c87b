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
    select distinct
        reach.edition_no,
        answer.code
    from {{ ref('int_scheme_answer') }} as answer
    inner join {{ ref('int_scheme_reach') }} as reach on answer.reach_id = reach.reach_id
)

select
    code.edition_no,
    code.code,
    code.canonical_code,
    complication.level,
    complication.exclusion_table
from {{ ref('int_scheme_code') }} as code
left join complication
    on code.edition_no = complication.edition_no and code.canonical_code = complication.code
left join answering
    on code.edition_no = answering.edition_no and code.canonical_code = answering.code
where code.kind = 'diagnosis' and (complication.level is not null or answering.code is not null)
