-- Scores of first-level groups, of the two parts, and in total. A score is the weighted mean of the items that have
-- one; coverage is the share of weight that rests on values, and a score is never published without it. The parts are
-- combined by the programme's shares; a part without any score leaves its share to the other. All can be recomputed
-- from fct_item.
with item as (
    select
        item.*,
        registry.part,
        registry.group_id,
        registry.group_zh,
        registry.title_zh,
        item.status <> 'not_applicable' as is_applicable,
        item.status = 'valued' as is_valued,
        item.scale_score is not null as is_scored,
        item.weight * {{ scaled_integer('item.scale_score', 8, bits=64) }} as weighted_units,
        item.weight * {{ scaled_integer('item.score_error', 8, bits=64) }} as weighted_error
    from {{ ref('fct_item') }} as item
    inner join {{ ref('dim_programme_item') }} as registry
        on item.programme_id = registry.programme_id and item.item_id = registry.item_id
),

grouped as (
    select
        programme_id,
        tier,
        window_id,
        hospital_id,
        specialty_code,
        'group' as level,
        group_id,
        min(group_zh) as group_zh,
        part,
        coalesce(sum(weight) filter (where is_applicable), 0) as applicable_weight,
        coalesce(sum(weight) filter (where is_valued), 0) as valued_weight,
        coalesce(sum(weight) filter (where is_scored), 0) as scored_weight,
        coalesce(sum(weighted_units) filter (where is_scored), 0) as weighted_units,
        coalesce(sum(cast(weighted_error as decimal(19, 0)) * weighted_error) filter (where is_scored), 0) as error_square,
        count(*) filter (where is_applicable) as item_count,
        count(*) filter (where is_valued) as valued_count,
        {{ joined_in_order('title_zh', 'item_id', '、', 'is_applicable and not is_valued') }} as missing_items,
        sum(provisional_count) as provisional_count
    from item
    group by programme_id, tier, window_id, hospital_id, specialty_code, part, group_id
),

summed as (
    select * from grouped
    union all
    select
        programme_id,
        tier,
        window_id,
        hospital_id,
        specialty_code,
        'part' as level,
        part as group_id,
        case part when 'data' then '数据分析' else '声誉评价' end as group_zh,
        part,
        sum(applicable_weight) as applicable_weight,
        sum(valued_weight) as valued_weight,
        sum(scored_weight) as scored_weight,
        sum(weighted_units) as weighted_units,
        sum(error_square) as error_square,
        sum(item_count) as item_count,
        sum(valued_count) as valued_count,
        {{ joined_in_order('missing_items', 'group_id', '、') }} as missing_items,
        sum(provisional_count) as provisional_count
    from grouped
    group by programme_id, tier, window_id, hospital_id, specialty_code, part
),

averaged as (
    select
        *,
        {{ exact_ratio(['weighted_units'], ['scored_weight', '100000000'], 8, 12) }} as score,
        {{ exact_ratio(['valued_weight'], ['applicable_weight'], 8, 9, bits=64) }} as coverage,
        cast(
            sqrt(cast(error_square as double)) / 1e8 / nullif(cast(scored_weight as double), 0) as decimal(12, 8)
        ) as score_error
    from summed
),

shared as (
    select
        averaged.*,
        programme.is_provisional,
        case averaged.part when 'data' then programme.data_share else programme.reputation_share end as share
    from averaged
    inner join {{ ref('dim_programme') }} as programme
        on averaged.programme_id = programme.programme_id and averaged.tier = programme.tier
    where averaged.level = 'part'
),

combined as (
    select
        programme_id,
        tier,
        window_id,
        hospital_id,
        specialty_code,
        sum(share) filter (where applicable_weight > 0) as applicable_weight,
        coalesce(sum(share) filter (where score is not null), 0) as scored_weight,
        coalesce(sum(share * {{ scaled_integer('score', 8) }}), 0) as weighted_units,
        coalesce(sum(share * {{ scaled_integer('coverage', 8) }}), 0) as covered_units,
        coalesce(
            sum(share * {{ scaled_integer('score_error', 8) }} * share * {{ scaled_integer('score_error', 8) }}), 0
        ) as error_square,
        sum(item_count) as item_count,
        sum(valued_count) as valued_count,
        {{ joined_in_order('missing_items', 'part', '、') }} as missing_items,
        sum(provisional_count) + max(cast(is_provisional as integer)) as provisional_count
    from shared
    where share > 0
    group by programme_id, tier, window_id, hospital_id, specialty_code
),

every_level as (
    select
        programme_id,
        tier,
        window_id,
        hospital_id,
        specialty_code,
        level,
        group_id,
        group_zh,
        part,
        score,
        score_error,
        coverage,
        applicable_weight,
        scored_weight,
        item_count,
        valued_count,
        missing_items,
        provisional_count
    from averaged
    union all
    select
        programme_id,
        tier,
        window_id,
        hospital_id,
        specialty_code,
        'total' as level,
        'total' as group_id,
        '总分' as group_zh,
        cast(null as varchar) as part,
        {{ exact_ratio(['weighted_units'], ['scored_weight', '100000000'], 8, 12) }} as score,
        cast(
            sqrt(cast(error_square as double)) / 1e8 / nullif(cast(scored_weight as double), 0) as decimal(12, 8)
        ) as score_error,
        {{ exact_ratio(['covered_units'], ['applicable_weight', '100000000'], 8, 9) }} as coverage,
        applicable_weight,
        scored_weight,
        item_count,
        valued_count,
        missing_items,
        provisional_count
    from combined
),

ranked as (
    select
        every_level.*,
        programme.min_coverage,
        coalesce(every_level.coverage >= programme.min_coverage, false) and every_level.score is not null as is_ranked
    from every_level
    inner join {{ ref('dim_programme') }} as programme
        on every_level.programme_id = programme.programme_id and every_level.tier = programme.tier
)

select
    programme_id,
    tier,
    window_id,
    hospital_id,
    specialty_code,
    level,
    group_id,
    group_zh,
    part,
    score,
    score_error,
    coverage,
    cast(applicable_weight as integer) as applicable_weight,
    cast(scored_weight as integer) as scored_weight,
    cast(item_count as integer) as item_count,
    cast(valued_count as integer) as valued_count,
    cast(item_count - valued_count as integer) as missing_count,
    missing_items,
    cast(provisional_count as integer) as provisional_count,
    cast(
        case
            when is_ranked
                then rank() over (
                    partition by programme_id, tier, window_id, specialty_code, level, group_id, is_ranked
                    order by score desc
                )
        end as integer
    ) as rank,
    case
        when is_ranked then null
        when coverage is null then '没有适用的指标'
        when score is null then '没有可计分的指标'
        else '覆盖率低于参加排名的最低要求 ' || cast(min_coverage as decimal(9, 2))
    end as rank_reason
from ranked
