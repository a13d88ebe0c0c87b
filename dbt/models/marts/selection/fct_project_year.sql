-- Every indicator of a project's hospital and specialty year by year, from the year before it began to the year in which
-- it ends, against the target that its task book names for the year (年度目标). A year of which months are missing has
-- its value, but is no proof that a target was missed or met.
with span as (
    select
        project.project_id,
        project.hospital_id,
        project.specialty_code,
        project.project_level,
        project.baseline_year,
        {{ whole_numbers('project.baseline_year', 'project.final_year') }} as data_year
    from (
        select
            project.project_id,
            project.hospital_id,
            project.specialty_code,
            project.project_level,
            cast(
                extract(year from project.start_date) - parameter.baseline_years_before_start as integer
            ) as baseline_year,
            cast(extract(year from project.end_date) as integer) as final_year
        from {{ ref('int_project') }} as project
        cross join {{ ref('int_selection_parameter') }} as parameter
        where project.is_counted
    ) as project
),

valued as (
    select
        span.*,
        registry.indicator_id,
        registry.direction,
        indicator.value,
        indicator.case_count,
        indicator.method_version,
        data_window.is_complete,
        target.target_value,
        max(case when span.data_year = span.baseline_year then indicator.value end) over (
            partition by span.project_id, registry.indicator_id
        ) as baseline_value,
        max(case when span.data_year = span.baseline_year then indicator.method_version end) over (
            partition by span.project_id, registry.indicator_id
        ) as baseline_version
    from span
    cross join {{ ref('dim_indicator') }} as registry
    left join {{ ref('fct_indicator') }} as indicator
        on
            span.hospital_id = indicator.hospital_id
            and span.specialty_code = indicator.specialty_code
            and registry.indicator_id = indicator.indicator_id
            and indicator.window_id = cast(span.data_year as varchar)
            and indicator.attribution = 'department'
    left join {{ ref('dim_window') }} as data_window on data_window.window_id = cast(span.data_year as varchar)
    left join {{ ref('stg_project_target') }} as target
        on
            span.project_id = target.project_id
            and registry.indicator_id = target.indicator_id
            and span.data_year = target.year
)

select
    project_id,
    indicator_id,
    cast(data_year as integer) as data_year,
    hospital_id,
    specialty_code,
    project_level,
    data_year = baseline_year as is_baseline,
    cast(value as decimal(24, 8)) as value,
    cast(case_count as bigint) as case_count,
    case
        when method_version is not distinct from baseline_version then cast(value - baseline_value as decimal(24, 8))
    end as change,
    cast(target_value as decimal(24, 8)) as target_value,
    case
        when target_value is null then 'no_target'
        when value is null then 'no_value'
        when not coalesce(is_complete, false) then 'year_incomplete'
        when direction = 'neutral' then 'no_direction'
        when value = target_value or (value > target_value) = (direction = 'higher') then 'met'
        else 'missed'
    end as target_status
from valued
where value is not null or target_value is not null
