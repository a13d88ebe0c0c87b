{{ config(materialized='view') }}
-- The complications of a case that its principal diagnosis excludes, in the order of the case. A view: nothing but the
-- trace asks.
with opened as (
    select
        grouping_case.source_id,
        grouping_case.source_row,
        grouping_case.edition_no,
        principal.code_no as principal_code_no,
        principal.excluded,
        {{ positioned_elements('grouping_case.diagnoses', 'diagnosis_code', 'place') }}
    from {{ ref('int_grouping_case') }} as grouping_case
    inner join {{ ref('int_scheme_principal') }} as principal
        on grouping_case.edition_no = principal.edition_no and grouping_case.diagnoses[1] = principal.code
    where principal.excluded is not null
),

excluded as (
    select
        opened.source_id,
        opened.source_row,
        diagnosis.canonical_code,
        min(opened.place) as place
    from opened
    inner join {{ ref('int_scheme_diagnosis') }} as diagnosis
        on opened.edition_no = diagnosis.edition_no and opened.diagnosis_code = diagnosis.code
    where
        opened.place > 1
        and diagnosis.complication_order is not null
        and diagnosis.code_no <> opened.principal_code_no
        and {{ has_bit('opened.excluded', 'diagnosis.exclusion_place') }}
    group by opened.source_id, opened.source_row, diagnosis.canonical_code
)

select
    source_id,
    source_row,
    {{ list_in_order('canonical_code', 'place, canonical_code') }} as excluded_codes
from excluded
group by source_id, source_row
