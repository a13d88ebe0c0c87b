-- Whether what an item asks to get better over the years did: a value that rises every year of the window, and a grade
-- of the appraisal that is higher than before the project, or high in every year since. Who has no project on the list
-- is compared with the year before the latest. What beats an average is judged where the averages are: int_item_value.
with yearly as (
    select
        candidate.candidate_no,
        item.item_no,
        item.window_end_year - item.window_first_year + 1 as window_years,
        case item.direction when 'lower' then -indicator.value else indicator.value end as value,
        lag(case item.direction when 'lower' then -indicator.value else indicator.value end) over (
            partition by candidate.candidate_no, item.item_no
            order by data_window.last_year
        ) as previous_value
    from {{ ref('int_programme_item') }} as item
    inner join {{ ref('dim_window') }} as data_window
        on
            data_window.years = 1
            and data_window.last_year between item.window_first_year and item.window_end_year
    inner join {{ ref('fct_indicator') }} as indicator
        on
            item.indicator_id = indicator.indicator_id
            and item.attribution = indicator.attribution
            and data_window.window_id = indicator.window_id
    inner join {{ ref('int_candidate') }} as candidate
        on
            item.serial = candidate.serial
            and indicator.hospital_id = candidate.hospital_id
            and indicator.specialty_code = candidate.specialty_code
    where item.scale_id = 'every_year'
),

-- the project that a candidate is building on this list; of several the last that began
project as (
    select
        project.programme_id,
        project.tier,
        project.hospital_id,
        project.specialty_code,
        extract(year from max(project.start_date)) - max(parameter.baseline_years_before_start) as baseline_year
    from {{ ref('int_list_project') }} as project
    cross join {{ ref('int_selection_parameter') }} as parameter
    where project.is_counted
    group by project.programme_id, project.tier, project.hospital_id, project.specialty_code
),

graded as (
    select
        hospital_id,
        indicator_code || '.grade' as item_code,
        data_year,
        position,
        is_high,
        max(data_year) over (partition by hospital_id, indicator_code) as latest_year
    from {{ ref('fct_appraisal') }}
    where grade is not null
),

followed as (
    select
        candidate.candidate_no,
        item.item_no,
        coalesce(project.baseline_year, graded.latest_year - 1) as baseline_year,
        case
            when project.baseline_year is null then '上一年度（' || (graded.latest_year - 1) || ' 年，未立项）'
            else '建设前（' || project.baseline_year || ' 年）'
        end as baseline_zh,
        graded.latest_year,
        graded.data_year,
        graded.position,
        coalesce(graded.is_high, false) as is_high
    from {{ ref('int_candidate') }} as candidate
    inner join {{ ref('int_programme_item') }} as item
        on candidate.serial = item.serial and item.scale_id = 'grade_kept'
    inner join graded on candidate.hospital_id = graded.hospital_id and item.evidence_items = graded.item_code
    left join project
        on
            candidate.programme_id = project.programme_id
            and candidate.tier = project.tier
            and candidate.hospital_id = project.hospital_id
            and candidate.specialty_code = project.specialty_code
),

kept as (
    select
        candidate_no,
        item_no,
        baseline_year,
        baseline_zh,
        latest_year,
        max(position) filter (where data_year = baseline_year) as baseline_position,
        max(position) filter (where data_year = latest_year) as latest_position,
        bool_and(is_high) filter (where data_year >= baseline_year) as is_always_high
    from followed
    group by candidate_no, item_no, baseline_year, baseline_zh, latest_year
)

select
    candidate_no,
    item_no,
    count(value) = max(window_years) as has_every_year,
    bool_and(coalesce(value > previous_value, true)) as is_improved,
    cast(null as varchar) as comparison_zh
from yearly
group by candidate_no, item_no
union all
select
    candidate_no,
    item_no,
    true as has_every_year,
    case
        when latest_year > baseline_year and baseline_position is not null and latest_position is not null
            then latest_position > baseline_position or is_always_high
    end as is_improved,
    case
        when latest_position is null then '等级表中没有最近一年的档位'
        when latest_year <= baseline_year then baseline_zh || '以来没有新的档位'
        when baseline_position is null then '没有' || baseline_zh || '的档位'
        else '与' || baseline_zh || '相比'
    end as comparison_zh
from kept
