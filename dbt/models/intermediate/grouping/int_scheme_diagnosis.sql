-- The diagnosis codes that matter wherever they stand, as they may be written: those that answer a question of some
-- reach, MCC and CC. A code that is both MCC and CC has two rows, each with its own exclusion table. code_no stands
-- for the canonical code where numbers are cheaper than text.
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
    cast(dense_rank() over (order by code.edition_no, code.canonical_code) as integer) as code_no,
    answering.code is not null as answers,
    complication.level,
    exclusion_table.place as exclusion_place
from {{ ref('int_scheme_code') }} as code
left join complication
    on code.edition_no = complication.edition_no and code.canonical_code = complication.code
left join answering
    on code.edition_no = answering.edition_no and code.canonical_code = answering.code
left join {{ ref('int_scheme_exclusion_table') }} as exclusion_table
    on
        code.edition_no = exclusion_table.edition_no
        and complication.exclusion_table = exclusion_table.exclusion_table
where code.kind = 'diagnosis' and (complication.level is not null or answering.code is not null)
