-- The cases with a procedure that matters to a rule: the classes of all their procedures.
with opened as (
    select
        source_id,
        source_row,
        edition_no,
        {{ elements('operations', 'false') }} as code
    from {{ ref('int_grouping_case') }}
)

select
    opened.source_id,
    opened.source_row,
    {{ set_of('procedure.class_id') }} as procedure_set
from opened
inner join {{ ref('int_scheme_procedure') }} as procedure
    on opened.edition_no = procedure.edition_no and opened.code = procedure.code
group by opened.source_id, opened.source_row
