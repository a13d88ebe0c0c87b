-- The ledger with what its hospital is today: one row per project. A project counts towards quotas unless it is still
-- a candidate, in reserve or withdrawn; a stage that nobody knows counts, and says so.
select
    project.project_id,
    project.organisation_id as hospital_id,
    project.specialty_code,
    project.project_level,
    {{ project_level_rank('project.project_level') }} as level_rank,
    project.funding,
    coalesce(project.direction, '') as direction,
    project.year,
    coalesce(project.start_date, make_date(project.year, 1, 1)) as start_date,
    coalesce(
        project.end_date,
        cast(
            coalesce(project.start_date, make_date(project.year, 1, 1))
            + to_years(parameter.project_years) - to_days(1) as date
        )
    ) as end_date,
    case when stage.state = 'withdrawn' then project.end_date end as withdrawn_date,
    coalesce(stage.state, 'unknown') as state,
    coalesce(stage.is_counted, true) as is_counted,
    -- a province's own quota leaves out what is supported directly and what a hospital pays for itself
    coalesce(project.funding, '') not in ('定向支持', '自筹') as is_in_quota,
    project.amount_fen,
    project.matching_amount_fen,
    hospital.division,
    hospital.is_provincial_capital,
    hospital.is_national_medical_centre,
    hospital.is_directly_managed,
    coalesce(direction.list_ids, []) as list_ids
from {{ ref('stg_project') }} as project
cross join {{ ref('int_selection_parameter') }} as parameter
left join {{ ref('project_stages') }} as stage on project.stage = stage.stage
left join {{ ref('stg_hospital') }} as hospital on project.organisation_id = hospital.organisation_id
left join {{ ref('int_direction') }} as direction on project.specialty_code = direction.specialty_code
