-- The dates that a project has to keep, and whether it has kept them, as far as the ledger says.
with due as (
    select
        project.project_id,
        project.hospital_id,
        project.specialty_code,
        project.project_level,
        project.state,
        parameter.as_of_date,
        stage.stage_id,
        stage.serial,
        case stage.stage_id
            when 'mid_term' then cast(project.start_date + to_months(parameter.mid_term_months) as date)
            when 'completion' then project.end_date
            else cast(project.end_date + to_months(parameter.acceptance_months) as date)
        end as due_date,
        -- a ledger says what has been reached, not when
        case stage.stage_id
            when 'mid_term' then project.state in ('evaluating', 'rectifying', 'passed', 'titled')
            when 'completion' then project.state in ('evaluating', 'rectifying', 'passed', 'titled')
            else project.state in ('passed', 'titled')
        end as is_reached
    from {{ ref('int_project') }} as project
    cross join {{ ref('int_selection_parameter') }} as parameter
    cross join (
        values ('mid_term', 1), ('completion', 2), ('acceptance', 3)
    ) as stage (stage_id, serial)
)

select
    project_id,
    stage_id,
    serial,
    hospital_id,
    specialty_code,
    project_level,
    due_date,
    as_of_date,
    case
        when state in ('candidate', 'recommended', 'reserve', 'withdrawn') then 'not_applicable'
        when is_reached then 'done'
        when as_of_date is null then 'unknown'
        when due_date >= as_of_date then 'upcoming'
        when state = 'unknown' or stage_id = 'mid_term' then 'unknown'
        else 'overdue'
    end as status,
    case
        when state in ('candidate', 'recommended', 'reserve') then '尚未立项或在候补'
        when state = 'withdrawn' then '已退出'
        when is_reached then null
        when as_of_date is null then '没有台账基准日：无出院数据且未设定 as_of_date'
        when due_date >= as_of_date then null
        when state = 'unknown' then '台账阶段无法识别，请按 project_stages.csv 的名称填写'
        when stage_id = 'mid_term' then '台账不记录中期评估'
        else '应于 ' || strftime(due_date, '%Y-%m-%d') || ' 前完成，已逾期 ' || (as_of_date - due_date) || ' 天'
    end as status_reason
from due
