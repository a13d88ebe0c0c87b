-- Every item of every candidate: what it was computed from, its score, and where there is none, why.
with scored as (
    select
        item_value.* exclude (candidate_no, serial, item_no),
        candidate.programme_id,
        candidate.tier,
        candidate.window_id,
        candidate.hospital_id,
        candidate.specialty_code,
        candidate.is_peer,
        item.item_id,
        item.indicator_id,
        item.source,
        item.scale_method,
        item.min_cases,
        item.min_peers,
        item.missing_policy,
        item.weight,
        item.provisional_count as choice_count,
        item_score.peer_count,
        item_score.score,
        item_score.score_error as error_of_score,
        case
            when item_value.obstacle is not null then item_value.obstacle
            when item_score.peer_count < item.min_peers then 'few_peers'
            when item_score.score is null then 'unknown_choice'
        end as first_obstacle
    from {{ ref('int_item_value') }} as item_value
    inner join {{ ref('int_candidate') }} as candidate on item_value.candidate_no = candidate.candidate_no
    inner join {{ ref('int_programme_item') }} as item
        on item_value.serial = item.serial and item_value.item_no = item.item_no
    left join {{ ref('int_item_score') }} as item_score
        on item_value.candidate_no = item_score.candidate_no and item_value.item_no = item_score.item_no
),

judged as (
    select
        *,
        case
            when first_obstacle is null then 'valued'
            when first_obstacle in ('outside_specialty', 'outside_funding') then 'not_applicable'
            when first_obstacle = 'without_value' then indicator_status
            when first_obstacle in ('missing_evidence', 'missing_comparison') and source = 'M' then 'awaiting_dossier'
            else 'not_scored'
        end as status,
        case first_obstacle
            when 'outside_specialty' then '限外科专业，本专科不是外科'
            when 'outside_funding' then '限中央财政资金支持项目'
            when 'unknown_indicator' then '指标 ' || indicator_id || ' 尚未登记'
            when 'no_cases' then '统计窗口内无出院病例'
            when 'without_value' then indicator_reason
            when 'few_cases' then '病例数 ' || case_count || ' 少于最低 ' || min_cases
            when 'missing_year' then '窗口内有年度没有值，不能逐年比较'
            when 'unreviewed' then '待评审专家评分'
            when 'missing_evidence'
                then case source when 'M' then '申报材料未填' when 'A' then '没有绩效考核结果' else '登记资料中没有' end
            when 'zero_denominator' then '分母为零'
            when 'missing_comparison' then coalesce(comparison_zh, '没有可比较的上年值或平均值')
            when 'few_peers' then '同类机构 ' || peer_count || ' 家，少于最低 ' || min_peers || ' 家'
            when 'unknown_choice' then '计分表中没有“' || coalesce(choice, '') || '”'
        end as obstacle_zh
    from scored
)

select
    programme_id,
    tier,
    window_id,
    hospital_id,
    specialty_code,
    item_id,
    is_peer,
    cast(numerator as decimal(28, 8)) as numerator,
    cast(denominator as decimal(28, 8)) as denominator,
    value,
    choice,
    cast(case_count as bigint) as case_count,
    value_error,
    data_window,
    peer_count,
    scale_method,
    case
        when status = 'valued' then score
        when missing_policy = 'zero' and status <> 'not_applicable' then cast(0 as decimal(12, 8))
    end as scale_score,
    case when status = 'valued' then error_of_score else cast(0 as decimal(12, 8)) end as score_error,
    weight,
    status,
    case
        when status <> 'valued' then coalesce(obstacle_zh, '无值')
        else nullif(
            concat_ws('；', indicator_reason, comparison_zh, case when is_flagged then '外科为主的指标，本专科不是外科' end), ''
        )
    end as status_reason,
    is_flagged,
    case when status = 'valued' then choice_count else 0 end as provisional_count
from judged
