-- The values of int_item_value on a scale from 0 to 100. A place among peers is (peers worse + half of the peers
-- equal) / peers, oneself counted among both: ties are equal, and a better value never has a lower place. What the
-- score would be if the value were one standard error worse or better gives the error of the score.
with item_value as (
    select
        item_value.*,
        item.direction,
        item.scale_method,
        -- one column a method: a join that names the method itself would not be looked up but tried row by row
        case when item.scale_method = 'bands' then item.scale_id end as band_scale_id,
        case when item.scale_method = 'ordinal' and item.scale_id <> 'appraisal_grade' then item.scale_id end
            as choice_scale_id,
        case when item.scale_method = 'ordinal' and item.scale_id = 'appraisal_grade' then item_value.hospital_kind end
            as grade_hospital_kind
    from {{ ref('int_item_value') }} as item_value
    inner join {{ ref('int_programme_item') }} as item
        on
            item_value.programme_id = item.programme_id
            and item_value.tier = item.tier
            and item_value.item_id = item.item_id
    where item_value.obstacle is null
),

standing as (
    select
        programme_id,
        tier,
        specialty_code,
        item_id,
        hospital_id,
        cast(is_peer as integer) as own,
        value_error,
        case direction when 'lower' then -value else value end as own_merit
    from item_value
    where scale_method = 'percentile'
),

point as (
    select
        *,
        'value' as point,
        own_merit as merit,
        own as counted
    from standing
    union all
    select
        *,
        'worse' as point,
        own_merit - value_error as merit,
        0 as counted
    from standing
    where value_error > 0
    union all
    select
        *,
        'better' as point,
        own_merit + value_error as merit,
        0 as counted
    from standing
    where value_error > 0
),

placed as (
    select
        *,
        -- the other peers: oneself is taken out wherever one's own value stands
        sum(counted) over (partition by programme_id, tier, specialty_code, item_id) - own as others,
        sum(counted) over (
            partition by programme_id, tier, specialty_code, item_id
            order by merit range between current row and current row
        ) - case when own_merit = merit then own else 0 end as equals,
        sum(counted) over (partition by programme_id, tier, specialty_code, item_id order by merit)
        - case when own_merit <= merit then own else 0 end as not_better
    from point
),

ranked as (
    select
        programme_id,
        tier,
        specialty_code,
        item_id,
        hospital_id,
        point,
        others + 1 as peer_count,
        {{ exact_ratio(['100', '(2 * not_better - equals + 1)'], ['2', '(others + 1)'], 8, 12) }} as score
    from placed
),

percentile as (
    select
        programme_id,
        tier,
        specialty_code,
        item_id,
        hospital_id,
        max(peer_count) as peer_count,
        max(case when point = 'value' then score end) as score,
        max(case when point = 'better' then score end) - max(case when point = 'worse' then score end) as spread
    from ranked
    group by programme_id, tier, specialty_code, item_id, hospital_id
),

band as (
    select
        scale_id,
        choice,
        score,
        lower_bound,
        lead(lower_bound) over (partition by scale_id order by lower_bound) as upper_bound
    from {{ ref('scale_bands') }}
)

select
    item_value.programme_id,
    item_value.tier,
    item_value.specialty_code,
    item_value.item_id,
    item_value.hospital_id,
    cast(percentile.peer_count as integer) as peer_count,
    cast(
        case item_value.scale_method
            when 'percentile' then percentile.score
            when 'bands' then band.score
            when 'ordinal' then coalesce(choice.score, grade.score)
            when 'presence' then 100 * item_value.value
            when 'reviewer' then item_value.value
            when 'improvement' then case when item_value.is_improved then 100 else 0 end
        end as decimal(12, 8)
    ) as score,
    cast(coalesce(percentile.spread, 0) * 0.5 as decimal(12, 8)) as score_error
from item_value
left join percentile
    on
        item_value.programme_id = percentile.programme_id
        and item_value.tier = percentile.tier
        and item_value.specialty_code = percentile.specialty_code
        and item_value.item_id = percentile.item_id
        and item_value.hospital_id = percentile.hospital_id
left join band
    on
        item_value.band_scale_id = band.scale_id
        and item_value.value >= band.lower_bound
        and item_value.value < coalesce(band.upper_bound, item_value.value + 1)
left join {{ ref('scale_bands') }} as choice
    on item_value.choice_scale_id = choice.scale_id and item_value.choice = choice.choice
left join {{ ref('appraisal_grades') }} as grade
    on item_value.grade_hospital_kind = grade.hospital_kind and item_value.choice = grade.grade
