-- The projects of the ledger that belong to a list: by their level, their direction, and the years of the plan.
select
    list.programme_id,
    list.tier,
    project.project_id,
    project.hospital_id,
    project.specialty_code,
    project.state,
    project.is_counted,
    project.start_date,
    project.withdrawn_date
from {{ ref('int_project') }} as project
inner join {{ ref('selection_lists') }} as list
    on
        project.project_level = list.project_level
        and contains(project.direction, coalesce(list.direction_word, ''))
inner join {{ ref('programmes') }} as programme
    on
        list.programme_id = programme.programme_id
        and list.tier = programme.tier
        and project.year between programme.first_year and programme.last_year
