-- Who came onto and left each list, and when, as the ledger says; how many stood on it after each day's moves.
with listed as (
    select
        list.programme_id,
        list.tier,
        project.project_id,
        project.hospital_id,
        project.specialty_code,
        project.state,
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
),

moved as (
    select
        * exclude (state, start_date, withdrawn_date),
        case when state = 'reserve' then 'reserve' else 'enter' end as move,
        start_date as move_date,
        case when state = 'reserve' then 0 else 1 end as step
    from listed
    where state not in ('candidate', 'recommended')
    union all
    select
        * exclude (state, start_date, withdrawn_date),
        'leave' as move,
        withdrawn_date as move_date,
        -1 as step
    from listed
    where state = 'withdrawn'
)

select
    programme_id,
    tier,
    project_id,
    move,
    move_date,
    hospital_id,
    specialty_code,
    case
        when move_date is not null then cast(
            sum(step) over (
                partition by programme_id, tier
                order by move_date nulls last
                range between unbounded preceding and current row
            ) as integer
        )
    end as member_count,
    case when move_date is null then '台账未填退出日期' end as status_reason
from moved
