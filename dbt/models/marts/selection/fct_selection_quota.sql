-- The quotas of every list: the limit, what is on the list, what the quota costs, and which of them conflict.
with list_size as (
    select
        programme_id,
        tier,
        window_id,
        count(*) filter (where decision = 'recommended') as list_size,
        max(conflict) is not null as has_conflict
    from {{ ref('int_selection') }}
    group by programme_id, tier, window_id
),

on_list as (
    select
        programme_id,
        tier,
        window_id,
        quota_id,
        max(members) as list_count
    from (
        select
            member.programme_id,
            member.tier,
            member.window_id,
            member.quota_id,
            member.group_key,
            count(*) as members
        from {{ ref('int_selection_member') }} as member
        inner join {{ ref('int_selection') }} as selection
            on
                member.programme_id = selection.programme_id
                and member.tier = selection.tier
                and member.window_id = selection.window_id
                and member.hospital_id = selection.hospital_id
                and member.specialty_code = selection.specialty_code
        where selection.decision = 'recommended'
        group by
            member.programme_id, member.tier, member.window_id, member.quota_id, member.group_key
    ) as by_group
    group by programme_id, tier, window_id, quota_id
)

select
    selection.programme_id,
    selection.tier,
    selection.window_id,
    selection.quota_id,
    quota.clause,
    quota.title_zh,
    quota.bound,
    quota.limit_numerator,
    quota.limit_denominator,
    coalesce(on_list.list_count, 0) as list_count,
    list_size.list_size,
    cast(cast(selection.cost_units as decimal(14, 0)) * cast(0.0001 as decimal(4, 4)) as decimal(18, 8)) as cost,
    case
        when selection.conflict is not null then 'conflicting'
        when list_size.has_conflict then 'unsolved'
        when selection.cost_units > 0 then 'binding'
        else 'slack'
    end as status,
    case
        when selection.conflict is not null
            then '不能同时满足的约束（去掉任何一项即可求解）：' || replace(selection.conflict, ';', '、')
    end as status_reason,
    quota.status = 'provisional' as is_provisional
from {{ ref('int_selection') }} as selection
inner join {{ ref('selection_quotas') }} as quota
    on
        selection.programme_id = quota.programme_id
        and selection.tier = quota.tier
        and selection.quota_id = quota.quota_id
inner join list_size
    on
        selection.programme_id = list_size.programme_id
        and selection.tier = list_size.tier
        and selection.window_id = list_size.window_id
left join on_list
    on
        selection.programme_id = on_list.programme_id
        and selection.tier = on_list.tier
        and selection.window_id = on_list.window_id
        and selection.quota_id = on_list.quota_id
