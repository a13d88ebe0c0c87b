-- The dates that a plan sets for a whole list, and how many of its projects have kept them as far as the ledger and the
-- dossiers say. What begins belongs to the batch in whose time it began; what ends is asked of every project.
with member as (
    select
        list.programme_id,
        list.tier,
        project.project_id,
        project.start_date,
        project.state,
        reviewed.value_text in ('合格', '整改', '动态调整') as is_reviewed
    from {{ ref('selection_lists') }} as list
    inner join {{ ref('int_project') }} as project
        on
            list.project_level = project.project_level
            and contains(project.direction, coalesce(list.direction_word, ''))
            and project.is_counted
    left join {{ ref('stg_dossier_item') }} as reviewed
        on
            project.hospital_id = reviewed.organisation_id
            and project.specialty_code = reviewed.specialty_code
            and reviewed.item_code = 'D0311'
),

counted as (
    select
        stage.programme_id,
        stage.tier,
        stage.rule_id,
        count(distinct member.project_id) as project_count,
        count(distinct member.project_id) filter (
            where
            case stage.measure
                when 'started' then true
                when 'accepted' then member.state in ('passed', 'titled')
                else member.is_reviewed and parameter.as_of_date between stage.first_date and stage.last_date
            end
        ) as reached_count
    from {{ ref('programme_stages') }} as stage
    cross join {{ ref('int_selection_parameter') }} as parameter
    left join member
        on
            stage.programme_id = member.programme_id
            and stage.tier = member.tier
            and (
                stage.measure <> 'started'
                or (
                    member.start_date <= stage.last_date + 1
                    and member.start_date > coalesce(stage.first_date, date '0001-01-01')
                )
            )
    group by stage.programme_id, stage.tier, stage.rule_id
)

select
    stage.programme_id,
    stage.tier,
    stage.rule_id,
    stage.clause,
    stage.title_zh,
    stage.measure,
    stage.first_date,
    stage.last_date,
    parameter.as_of_date,
    case
        when parameter.as_of_date is null then 'unknown'
        when parameter.as_of_date < stage.first_date then 'upcoming'
        when parameter.as_of_date <= stage.last_date then 'open'
        else 'closed'
    end as phase,
    counted.project_count,
    counted.reached_count,
    case
        when parameter.as_of_date is null then '没有台账基准日：无出院数据且未设定 as_of_date'
        when counted.project_count = 0 then '台账中没有相应的项目'
        when stage.measure = 'reviewed' and parameter.as_of_date > stage.last_date
            then '申报材料只写最近一次阶段验收，已过的年度无从得知'
    end as status_reason
from {{ ref('programme_stages') }} as stage
cross join {{ ref('int_selection_parameter') }} as parameter
inner join counted
    on
        stage.programme_id = counted.programme_id
        and stage.tier = counted.tier
        and stage.rule_id = counted.rule_id
