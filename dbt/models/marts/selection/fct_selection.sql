-- The recommended list of every programme and tier under all its quotas at once, its reserve, and why everybody else
-- is not on it.
with quota_name as (
    select
        programme_id,
        tier,
        map_from_entries(array_agg((quota_id, title_zh) order by quota_id)) as title_of
    from {{ ref('selection_quotas') }}
    group by programme_id, tier
),

conflict as (
    select
        programme_id,
        tier,
        window_id,
        max(conflict) as conflict
    from {{ ref('int_selection') }}
    group by programme_id, tier, window_id
),

decided as (
    select
        score.programme_id,
        score.tier,
        score.window_id,
        score.hospital_id,
        score.specialty_code,
        score.score,
        score.rank_reason,
        coalesce(judged.eligibility, 'unknown') as eligibility,
        concat_ws('；', judged.failed_zh, judged.unknown_zh) as eligibility_reason,
        candidate.score_units,
        case
            when candidate.hospital_id is null then 'not_eligible'
            else coalesce(selection.decision, 'not_recommended')
        end as decision,
        selection.decision is null as is_on_higher_list,
        selection.position,
        selection.excluded_by
    from {{ ref('fct_score') }} as score
    left join {{ ref('int_eligibility') }} as judged
        on
            score.programme_id = judged.programme_id
            and score.tier = judged.tier
            and score.hospital_id = judged.hospital_id
            and score.specialty_code = judged.specialty_code
    left join {{ ref('int_selection_candidate') }} as candidate
        on
            score.programme_id = candidate.programme_id
            and score.tier = candidate.tier
            and score.window_id = candidate.window_id
            and score.hospital_id = candidate.hospital_id
            and score.specialty_code = candidate.specialty_code
    left join {{ ref('int_selection') }} as selection
        on
            score.programme_id = selection.programme_id
            and score.tier = selection.tier
            and score.window_id = selection.window_id
            and score.hospital_id = selection.hospital_id
            and score.specialty_code = selection.specialty_code
    where score.level = 'total'
)

select
    decided.programme_id,
    decided.tier,
    decided.window_id,
    decided.hospital_id,
    decided.specialty_code,
    decided.score,
    case
        when decided.score_units is not null
            then cast(
                rank() over (
                    partition by decided.programme_id, decided.tier, decided.window_id, decided.score_units is null
                    order by decided.score_units desc
                ) as integer
            )
    end as score_rank,
    decided.eligibility,
    decided.decision,
    decided.position,
    decided.excluded_by,
    case decided.decision
        when 'not_eligible' then coalesce(nullif(decided.eligibility_reason, ''), decided.rank_reason, '没有可核对的申报事实')
        when 'infeasible' then '约束互相冲突：' || array_to_string(
            list_transform(string_split(conflict.conflict, ';'), lambda quota: quota_name.title_of[quota]), '；'
        )
        when 'not_recommended' then case
            when decided.is_on_higher_list then '已列入本方案较高层级的推荐名单'
            when decided.excluded_by is null then '单独去掉任何一项约束也不入选'
            else '受限于：' || array_to_string(
                list_transform(string_split(decided.excluded_by, ';'), lambda quota: quota_name.title_of[quota]), '；'
            )
        end
    end as decision_reason
from decided
left join conflict
    on
        decided.programme_id = conflict.programme_id
        and decided.tier = conflict.tier
        and decided.window_id = conflict.window_id
left join quota_name on decided.programme_id = quota_name.programme_id and decided.tier = quota_name.tier
