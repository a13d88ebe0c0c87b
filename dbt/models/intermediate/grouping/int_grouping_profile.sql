-- Each case as the rules see it: classes for codes, bands for age and weight. Cases with the same profile group alike
-- up to their complications. No principal_code: the principal diagnosis is missing.
select
    grouping_case.source_id,
    grouping_case.source_row,
    grouping_case.edition_no,
    coalesce(principal.canonical_code, nullif(grouping_case.diagnoses[1], '')) as principal_code,
    -- unknown equals nothing: a case without principal diagnosis finds no outcome
    case when grouping_case.diagnoses[1] <> '' then coalesce(principal.class_id, 0) end as principal_class,
    coalesce(case_diagnosis.diagnosis_set, '') as diagnosis_set,
    coalesce(first_procedure.class_id, 0) as first_procedure_class,
    coalesce(case_procedure.procedure_set, '') as procedure_set,
    case when grouping_case.sex in ('1', '2') then grouping_case.sex else '' end as sex,
    -- an unknown age holds no bound, as little as one above all bounds
    case
        when scheme.age_days_limit is null then 0
        when coalesce(grouping_case.age_years, 0) = 0 and grouping_case.age_days is not null
            then least(grouping_case.age_days, scheme.age_days_limit)
        else scheme.age_days_limit
    end as age_days_band,
    case
        when scheme.age_years_limit is null then 0
        when grouping_case.age_years is not null then least(grouping_case.age_years, scheme.age_years_limit)
        when grouping_case.age_days is not null then 0
        else scheme.age_years_limit
    end as age_years_band,
    {{ band_floor('grouping_case.weight_g', 'scheme.weight_cuts') }} as weight_band,
    case_diagnosis.mcc_code,
    case_diagnosis.cc_code,
    case_diagnosis.excluded_codes
from {{ ref('int_grouping_case') }} as grouping_case
inner join {{ ref('int_scheme') }} as scheme on grouping_case.edition_no = scheme.edition_no
left join {{ ref('int_scheme_principal') }} as principal
    on grouping_case.edition_no = principal.edition_no and grouping_case.diagnoses[1] = principal.code
left join {{ ref('int_scheme_procedure') }} as first_procedure
    on
        grouping_case.edition_no = first_procedure.edition_no
        and {{ first_filled('grouping_case.operations') }} = first_procedure.code
left join {{ ref('int_case_diagnosis') }} as case_diagnosis
    on grouping_case.source_id = case_diagnosis.source_id and grouping_case.source_row = case_diagnosis.source_row
left join {{ ref('int_case_procedure') }} as case_procedure
    on grouping_case.source_id = case_procedure.source_id and grouping_case.source_row = case_procedure.source_row
