-- Who came onto and left each list, and when, as the ledger says; how many stood on it after each day's moves.
with moved as (
    select
        * exclude (state, is_counted, start_date, withdrawn_date),
        case when state = 'reserve' then 'reserve' else 'enter' end as move,
        start_date as move_date,
        case when state = 'reserve' then 0 else 1 end as step
    from {{ ref('int_list_project') }}
    where state not in ('candidate', 'recommended')
    union all
    select
        * exclude (state, is_counted, start_date, withdrawn_date),
        'leave' as move,
        withdrawn_date as move_date,
        -1 as step
    from {{ ref('int_list_project') }}
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
