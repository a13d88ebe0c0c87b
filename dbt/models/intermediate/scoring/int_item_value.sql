-- Every item of every candidate: its value with numerator, denominator and cases, or the first thing that stands in
-- the way of one (`obstacle`). Nothing is scored here.
with gathered as (
    select
        candidate.candidate_no,
        candidate.serial,
        candidate.specialty_kind,
        item.item_no,
        item.indicator_id,
        item.indicator_window_id,
        item.is_registered,
        item.is_share,
        item.indicator_method,
        item.factor,
        item.scale_method,
        item.min_cases,
        item.applicability,
        item.is_outside_funding,
        measured.numerator as indicator_numerator,
        measured.denominator as indicator_denominator,
        measured.value as indicator_value,
        measured.case_count,
        measured.status as indicator_status,
        measured.status_reason as indicator_reason,
        evidence.* exclude (item_no, pair_no),
        coalesce(improvement.has_every_year, false) as has_every_year,
        improvement.comparison_zh,
        case
            when item.scale_id = 'any_comparison'
                then case
                    when evidence.value_sum > evidence.comparison_min then true
                    when evidence.has_every_comparison then false
                end
            else improvement.is_improved
        end as is_improved
    from {{ ref('int_candidate') }} as candidate
    inner join {{ ref('int_programme_item') }} as item on candidate.serial = item.serial
    left join {{ ref('int_item_indicator') }} as measured
        on candidate.candidate_no = measured.candidate_no and item.item_no = measured.item_no
    left join {{ ref('int_item_evidence') }} as evidence
        on candidate.pair_no = evidence.pair_no and item.item_no = evidence.item_no
    left join {{ ref('int_item_improvement') }} as improvement
        on candidate.candidate_no = improvement.candidate_no and item.item_no = improvement.item_no
),

judged as (
    select
        *,
        case
            when applicability = 'surgical_only' and specialty_kind <> 'surgical' then 'outside_specialty'
            when is_outside_funding then 'outside_funding'
            when indicator_id is not null
                then case
                    when not is_registered then 'unknown_indicator'
                    when indicator_status is null then 'no_cases'
                    when indicator_status <> 'valued' then 'without_value'
                    when case_count < min_cases then 'few_cases'
                    when scale_method = 'improvement' and not has_every_year then 'missing_year'
                end
            when unreviewed_count > 0 then 'unreviewed'
            when scale_method = 'presence' and value_max > 0 then null
            when not coalesce(has_every_value, false) then 'missing_evidence'
            when not has_every_denominator then 'missing_evidence'
            when denominator_sum = 0 then 'zero_denominator'
            when scale_method = 'improvement' and is_improved is null then 'missing_comparison'
        end as obstacle
    from gathered
),

valued as (
    select
        *,
        case
            -- too few cases for a score are still a value to be read
            when obstacle = 'few_cases' then indicator_value
            when obstacle is not null then null
            when indicator_id is not null then indicator_value
            when scale_method = 'presence' then cast(case when value_max > 0 then 1 else 0 end as decimal(24, 8))
            when denominator_sum is null then cast(value_sum as decimal(24, 8))
            else {{ exact_ratio(
                [scaled_integer('value_sum', 8), 'factor'], [scaled_integer('denominator_sum', 8)], 8, 24
            ) }}
        end as value
    from judged
)

select
    candidate_no,
    serial,
    item_no,
    case when value is not null then coalesce(indicator_numerator, value_sum) end as numerator,
    case when value is not null then coalesce(indicator_denominator, denominator_sum) end as denominator,
    value,
    case_count,
    -- how far the value would move by chance: binomial for shares, Poisson for counts, otherwise as if single cases
    -- scattered as widely as their mean; one event is added so that none is not taken for certainty. Each cell is
    -- rounded before anything is added up.
    case
        when obstacle is not null or indicator_id is null then cast(0 as decimal(24, 8))
        when indicator_method = 'count' then cast(sqrt(cast(value as double) + 1) as decimal(24, 8))
        when is_share then cast(
            sqrt(
                (cast(indicator_numerator as double) + 1)
                * (cast(indicator_denominator as double) - cast(indicator_numerator as double) + 1)
                / cast(indicator_denominator as double)
            ) / (cast(indicator_denominator as double) + 2) as decimal(24, 8)
        )
        else cast(cast(value as double) / sqrt(cast(case_count as double)) as decimal(24, 8))
    end as value_error,
    case when obstacle is null then choice end as choice,
    is_improved,
    comparison_zh,
    case when indicator_id is not null then indicator_window_id else data_window end as data_window,
    obstacle,
    indicator_status,
    indicator_reason,
    applicability = 'mainly_surgical' and specialty_kind <> 'surgical' and obstacle is null as is_flagged
from valued
