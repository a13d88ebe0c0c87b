-- What a project has changed: every indicator of its hospital and specialty in the year before it began and in the
-- latest complete year, by the same code that computes the published indicators.
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
    case
        when judged.status_reason is null
            then cast(judged.latest_value - judged.baseline_value as decimal(24, 8))
    end as change,
    cast(judged.latest_case_count as bigint) as latest_case_count,
    case
        when judged.status_reason is not null then 'not_comparable'
        when judged.direction = 'neutral' then 'no_direction'
        when judged.latest_value = judged.baseline_value then 'unchanged'
        when (judged.latest_value > judged.baseline_value) = (judged.direction = 'higher') then 'improved'
        else 'worse'
    end as trend,
    judged.status_reason
from judged
