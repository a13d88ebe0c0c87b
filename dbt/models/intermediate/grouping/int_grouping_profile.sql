{{ config(materialized='ephemeral') }}
-- Each case with all that it answers. Cases with the same answers group alike up to their complications.
select
    grouping_case.source_id,
    grouping_case.source_row,
    grouping_case.edition_no,
    grouping_case.principal_code,
    grouping_case.reach_id,
    grouping_case.sex,
    grouping_case.age_days_band,
    grouping_case.age_years_band,
    grouping_case.weight_band,
    {{ either_of(
        either_of('grouping_case.principal_mask', 'coalesce(first_procedure.first_mask, grouping_case.principal_mask)'),
        either_of(
            'coalesce(answer.procedure_mask, grouping_case.principal_mask)',
            'coalesce(answer.diagnosis_mask, grouping_case.principal_mask)'
        )
    ) }} as mask,
    answer.complication,
    answer.excluded
from {{ ref('int_grouping_case') }} as grouping_case
left join {{ ref('int_scheme_procedure') }} as first_procedure
    on
        grouping_case.reach_id = first_procedure.reach_id
        and {{ first_filled('grouping_case.operations') }} = first_procedure.code
left join {{ ref('int_case_answer') }} as answer
    on grouping_case.source_id = answer.source_id and grouping_case.source_row = answer.source_row
