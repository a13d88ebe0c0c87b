{{ config(materialized='ephemeral') }}
-- The cases with procedures that answer a question of their reach.
with opened as (
    select
        source_id,
        source_row,
        reach_id,
        {{ elements('operations', 'false') }} as code
    from {{ ref('int_grouping_case') }}
    where reach_id is not null
)

select
    opened.source_id,
    opened.source_row,
    {{ union_of('procedure.mask') }} as mask
from opened
inner join {{ ref('int_scheme_procedure') }} as procedure
    on opened.reach_id = procedure.reach_id and opened.code = procedure.code
where procedure.mask is not null
group by opened.source_id, opened.source_row
