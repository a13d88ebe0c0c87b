-- The values of int_item_value on a scale from 0 to 100. A place among peers is (peers worse + half of the peers
-- equal) / peers, oneself counted among both: ties are equal, and a better value never has a lower place. What the
-- score would be if the value were one standard error worse or better gives the error of the score.
with item_value as (
    select
        item_value.candidate_no,
        item_value.item_no,
        item_value.value,
        item_value.value_error,
        item_value.choice,
        item_value.is_improved,
        candidate.field_no,
        candidate.is_peer,
        item.direction,
        item.scale_method,
        -- one column a method: a join that names the method itself would not be looked up but tried row by row
        case when item.scale_method = 'bands' then item.scale_id end as band_scale_id,
        case when item.scale_method = 'ordinal' and item.scale_id <> 'appraisal_grade' then item.scale_id end
            as choice_scale_id,
        case when item.scale_method = 'ordinal' and item.scale_id = 'appraisal_grade' then candidate.hospital_kind end
            as grade_hospital_kind
    from {{ ref('int_item_value') }} as item_value
    inner join {{ ref('int_candidate') }} as candidate on item_value.candidate_no = candidate.candidate_no
    inner join {{ ref('int_programme_item') }} as item
        on item_value.serial = item.serial and item_value.item_no = item.item_no
    where item_value.obstacle is null
),

standing as (
    select
        candidate_no,
        field_no,
        item_no,
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
        sum(counted) over (partition by field_no, item_no) - own as others,
        sum(counted) over (
            partition by field_no, item_no
            order by merit range between current row and current row
        ) - case when own_merit = merit then own else 0 end as equals,
        sum(counted) over (partition by field_no, item_no order by merit)
        - case when own_merit <= merit then own else 0 end as not_better
    from point
),

ranked as (
    select
        candidate_no,
        item_no,
        point,
        others + 1 as peer_count,
        {{ exact_ratio(['100', '(2 * not_better - equals + 1)'], ['2', '(others + 1)'], 8, 12, bits=64) }} as score
    from placed
),

percentile as (
    select
        candidate_no,
        item_no,
        max(peer_count) as peer_count,
        max(case when point = 'value' then score end) as score,
        max(case when point = 'better' then score end) - max(case when point = 'worse' then score end) as spread
    from ranked
    group by candidate_no, item_no
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
    item_value.candidate_no,
    item_value.item_no,
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
    on item_value.candidate_no = percentile.candidate_no and item_value.item_no = percentile.item_no
left join band
    on
        item_value.band_scale_id = band.scale_id
        and item_value.value >= band.lower_bound
        and item_value.value < coalesce(band.upper_bound, item_value.value + 1)
left join {{ ref('scale_bands') }} as choice
    on item_value.choice_scale_id = choice.scale_id and item_value.choice = choice.choice
left join {{ ref('appraisal_grades') }} as grade
    on item_value.grade_hospital_kind = grade.hospital_kind and item_value.choice = grade.grade
