-- The imported editions, with the discharge days on which each holds, and the one that groups all days if one was
-- chosen. Inside the grouping an edition is a small number: it is part of every join key.
{% set choice = var('drg_edition', 'latest') %}
with numbered as (
    select
        *,
        cast(row_number() over (order by effective_from, edition_id) as smallint) as edition_no,
        row_number() over (order by effective_from desc, edition_id desc) = 1 as is_latest,
        lead(effective_from) over (order by effective_from, edition_id) as next_effective_from
    from {{ source('scheme', 'scheme') }}
)

select
    numbered.edition_no,
    numbered.edition_id,
    numbered.name_zh,
    numbered.diagnosis_edition,
    numbered.procedure_edition,
    numbered.effective_from as groups_from,
    -- an edition holds until the next one begins, even where its own end was left open: no day has two answers
    least(
        coalesce(numbered.effective_to, date '9999-12-31'),
        coalesce(numbered.next_effective_from, date '9999-12-31')
    ) as groups_until,
    {{ 'numbered.is_latest' if choice == 'latest' else "numbered.edition_id = '" ~ choice ~ "'" }} as groups_all
from numbered
