-- Every code that an edition can read, with the code that it is read as: itself, or what the crosswalk makes of a
-- code that the edition does not know. Codes of lists count even where the edition's own code table forgot them.
-- code_no stands for the canonical code where numbers are cheaper than text.
with named as (
    select
        edition_id,
        'diagnosis' as kind,
        code
    from {{ source('scheme', 'mdc_diagnosis') }}
    union
    select
        edition_id,
        'diagnosis' as kind,
        code
    from {{ source('scheme', 'complication') }}
    union
    select
        edition_id,
        'procedure' as kind,
        code
    from {{ source('scheme', 'valid_procedure') }}
    union
    select
        code_list.edition_id,
        case when condition.role like '%_diagnosis' then 'diagnosis' else 'procedure' end as kind,
        code_list.code
    from {{ source('scheme', 'code_list') }} as code_list
    inner join {{ source('scheme', 'adrg_condition') }} as condition
        on code_list.edition_id = condition.edition_id and code_list.list_id = condition.list_id
    union
    select
        edition_id,
        kind,
        from_code as code
    from {{ source('scheme', 'code_map') }}
    union
    select
        edition_id,
        kind,
        code
    from {{ source('scheme', 'edition_code') }}
),

-- older editions may write a code alike
crosswalk as (
    select distinct
        code_map.edition_id,
        code_map.kind,
        code_map.from_code,
        code_map.to_code
    from {{ source('scheme', 'code_map') }} as code_map
    inner join {{ ref('int_scheme') }} as scheme
        on
            code_map.edition_id = scheme.edition_id
            and code_map.to_edition
            = case code_map.kind when 'diagnosis' then scheme.diagnosis_edition else scheme.procedure_edition end
)

select
    scheme.edition_no,
    named.kind,
    named.code,
    case when known.code is null then coalesce(crosswalk.to_code, named.code) else named.code end as canonical_code,
    cast(dense_rank() over (order by scheme.edition_no, named.kind, canonical_code) as integer) as code_no,
    known.code is not null as is_known,
    known.code is null and crosswalk.to_code is not null as is_mapped,
    known.name_zh
from named
inner join {{ ref('int_scheme') }} as scheme on named.edition_id = scheme.edition_id
left join {{ source('scheme', 'edition_code') }} as known
    on named.edition_id = known.edition_id and named.kind = known.kind and named.code = known.code
left join crosswalk
    on named.edition_id = crosswalk.edition_id and named.kind = crosswalk.kind and named.code = crosswalk.from_code
