-- Which national projects are visited for the on-site check: the first in the order of a hash of seed and project, so
-- that anybody can draw the same sample again and nobody can foresee it without the seed.
with ordered as (
    select
        project.project_id,
        row_number() over (
            order by md5(parameter.sample_seed || '|' || project.project_id), project.project_id
        ) as sample_order,
        count(*) over () as project_count,
        {{ scaled_integer('parameter.sample_share', 8) }} as share_hundred_millionths
    from {{ ref('int_project') }} as project
    cross join {{ ref('int_selection_parameter') }} as parameter
    where project.project_level = '国家级' and project.is_counted
)

select
    project_id,
    cast(sample_order as integer) as sample_order,
    sample_order <= (project_count * share_hundred_millionths + 99999999) // 100000000 as is_sampled
from ordered
