-- Each item of each programme and tier: its window, its weight under the tier, and what the registry says of its
-- indicator. `item_no` is the item whatever the tier, `serial` the programme and tier: whole numbers, because a million
-- rows are joined by them.
select
    programme.programme_id,
    programme.tier,
    programme.serial,
    cast(dense_rank() over (order by item.programme_id, item.item_id) as integer) as item_no,
    programme.window_id,
    programme.window_first_year,
    programme.window_end_year,
    programme.attribution,
    programme.min_peers,
    item.item_id,
    item.part,
    item.group_id,
    item.group_zh,
    item.title_zh,
    item.source,
    item.indicator_id,
    item.evidence_items,
    data_window.window_id as indicator_window_id,
    registry.indicator_id is not null as is_registered,
    registry.is_share,
    registry.method as indicator_method,
    item.factor,
    item.direction,
    item.scale_method,
    item.scale_id,
    item.min_cases,
    item.missing_policy,
    item.applicability,
    item.applicability = 'central_funds_only' and not programme.uses_central_funds as is_outside_funding,
    item.weight * coalesce(tier_weight.factor, 1) as weight,
    cast(item.status = 'provisional' as integer)
    + cast(coalesce(registry.is_provisional, false) as integer)
    + cast(coalesce(tier_weight.status, 'confirmed') = 'provisional' as integer) as provisional_count
from {{ ref('int_programme') }} as programme
inner join {{ ref('programme_items') }} as item on programme.programme_id = item.programme_id
left join {{ ref('tier_weights') }} as tier_weight
    on
        programme.programme_id = tier_weight.programme_id
        and programme.tier = tier_weight.tier
        and item.group_id = tier_weight.group_id
left join {{ ref('dim_indicator') }} as registry on item.indicator_id = registry.indicator_id
left join {{ ref('dim_window') }} as data_window
    on programme.window_end_year = data_window.last_year and item.window_years = data_window.years
