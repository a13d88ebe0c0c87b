-- What a project has changed: every indicator of its hospital and specialty in the year before it began, in the latest
-- complete year and, once it is over, in its last year, by the same code that computes the published indicators. The
-- improvement is positive where the change is one for the better. Year by year: fct_project_year.
with latest as (
    select max(last_year) as latest_year
    from {{ ref('dim_window') }}
    where years = 1 and is_complete
),

compared as (
    select
        project.project_id,
        project.hospital_id,
        project.specialty_code,
        project.project_level,
        indicator.indicator_id,
        indicator.direction,
        cast(
            extract(year from project.start_date) - parameter.baseline_years_before_start as integer
        ) as baseline_year,
        cast(extract(year from project.end_date) as integer) as final_year,
        latest.latest_year
    from {{ ref('int_project') }} as project
    cross join {{ ref('dim_indicator') }} as indicator
    cross join {{ ref('int_selection_parameter') }} as parameter
    cross join latest
    where project.is_counted
),

valued as (
    select
        compared.*,
        baseline.value as baseline_value,
        latest.value as latest_value,
        latest.case_count as latest_case_count,
        final.value as final_value,
        of_year.target_value,
        of_year.target_status,
        baseline.method_version is distinct from latest.method_version as is_redefined
    from compared
    left join {{ ref('fct_indicator') }} as baseline
        on
            compared.hospital_id = baseline.hospital_id
            and compared.specialty_code = baseline.specialty_code
            and compared.indicator_id = baseline.indicator_id
            and baseline.window_id = cast(compared.baseline_year as varchar)
            and baseline.attribution = 'department'
    left join {{ ref('fct_indicator') }} as latest
        on
            compared.hospital_id = latest.hospital_id
            and compared.specialty_code = latest.specialty_code
            and compared.indicator_id = latest.indicator_id
            and latest.window_id = cast(compared.latest_year as varchar)
            and latest.attribution = 'department'
    left join {{ ref('fct_indicator') }} as final
        on
            compared.hospital_id = final.hospital_id
            and compared.specialty_code = final.specialty_code
            and compared.indicator_id = final.indicator_id
            and final.window_id = cast(compared.final_year as varchar)
            and final.attribution = 'department'
            and compared.final_year <= compared.latest_year
    left join {{ ref('fct_project_year') }} as of_year
        on
            compared.project_id = of_year.project_id
            and compared.indicator_id = of_year.indicator_id
            and compared.latest_year = of_year.data_year
),

stage as (
    select
        project_id,
        count(*) filter (where status = 'overdue') as overdue_stage_count,
        min(due_date) filter (where status in ('upcoming', 'overdue', 'unknown')) as next_due_date
    from {{ ref('fct_project_stage') }}
    group by project_id
),

judged as (
    select
        *,
        case
            when latest_year is null then '没有月份齐全的年度'
            when latest_year <= baseline_year then '尚无基线年度之后月份齐全的年度'
            when baseline_value is null then '基线年度无值'
            when latest_value is null then '最近年度无值'
            when is_redefined then '两年的算法版本不同'
        end as status_reason
    from valued
),

changed as (
    select
        *,
        case when status_reason is null then cast(latest_value - baseline_value as decimal(24, 8)) end as change
    from judged
)

select
    judged.project_id,
    judged.indicator_id,
    judged.hospital_id,
    judged.specialty_code,
    judged.project_level,
    judged.baseline_year,
    judged.latest_year,
    judged.baseline_value,
    judged.latest_value,
    judged.change,
    case judged.direction when 'higher' then judged.change when 'lower' then -judged.change end as improvement,
    case
        when judged.direction <> 'neutral' and judged.change is not null
            then cast(
                case when (judged.change >= 0) = (judged.direction = 'higher') then 1 else -1 end
                * {{ exact_ratio(
                    [scaled_integer('abs(judged.change)', 8)], [scaled_integer('judged.baseline_value', 8)], 8, 24
                ) }} as decimal(24, 8)
            )
    end as improvement_share,
    judged.final_year,
    cast(judged.final_value as decimal(24, 8)) as final_value,
    judged.target_value,
    coalesce(judged.target_status, 'no_target') as target_status,
    stage.next_due_date,
    coalesce(stage.overdue_stage_count, 0) as overdue_stage_count,
    cast(judged.latest_case_count as bigint) as latest_case_count,
    case
        when judged.status_reason is not null then 'not_comparable'
        when judged.direction = 'neutral' then 'no_direction'
        when judged.latest_value = judged.baseline_value then 'unchanged'
        when (judged.latest_value > judged.baseline_value) = (judged.direction = 'higher') then 'improved'
        else 'worse'
    end as trend,
    judged.status_reason
from changed as judged
left join stage on judged.project_id = stage.project_id
