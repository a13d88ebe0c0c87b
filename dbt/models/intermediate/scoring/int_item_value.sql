-- Every item of every candidate: its value with numerator, denominator and cases, or the first thing that stands in
-- the way of one (`obstacle`). Nothing is scored here.
with improved_over_years as (
    -- each year of the window against the year before it
    select
        programme_id,
        tier,
        item_id,
        hospital_id,
        specialty_code,
        count(*) filter (where value is not null) as year_count,
        bool_and(coalesce(value > previous_value, true)) as is_improved
    from (
        select
            item.programme_id,
            item.tier,
            item.item_id,
            indicator.hospital_id,
            indicator.specialty_code,
            case item.direction when 'lower' then -indicator.value else indicator.value end as value,
            lag(case item.direction when 'lower' then -indicator.value else indicator.value end) over (
                partition by
                    item.programme_id, item.tier, item.item_id, indicator.hospital_id, indicator.specialty_code
                order by data_window.last_year
            ) as previous_value
        from {{ ref('int_programme_item') }} as item
        inner join {{ ref('dim_window') }} as data_window
            on
                data_window.years = 1
                and data_window.last_year between item.window_first_year and item.window_end_year
        inner join {{ ref('fct_indicator') }} as indicator
            on
                item.indicator_id = indicator.indicator_id
                and item.attribution = indicator.attribution
                and data_window.window_id = indicator.window_id
        where item.scale_id = 'every_year'
    ) as yearly
    group by programme_id, tier, item_id, hospital_id, specialty_code
),

graded as (
    select
        hospital_kind,
        grade,
        is_high,
        min(position) filter (where is_high) over (partition by hospital_kind) as lowest_high_position
    from {{ ref('appraisal_grades') }}
),

gathered as (
    select
        candidate.programme_id,
        candidate.tier,
        candidate.window_id,
        candidate.hospital_id,
        candidate.specialty_code,
        candidate.specialty_kind,
        candidate.hospital_kind,
        candidate.is_peer,
        item.* exclude (programme_id, tier, window_id),
        indicator.numerator as indicator_numerator,
        indicator.denominator as indicator_denominator,
        indicator.value as indicator_value,
        indicator.case_count,
        indicator.status as indicator_status,
        indicator.status_reason as indicator_reason,
        evidence.* exclude (programme_id, item_id, hospital_id, specialty_code),
        coalesce(years.year_count, 0) = item.window_end_year - item.window_first_year + 1 as has_every_year,
        case item.scale_id
            when 'every_year' then years.is_improved
            when 'any_comparison'
                then case
                    when evidence.value_sum > evidence.comparison_min then true
                    when evidence.has_every_comparison then false
                end
            when 'grade_kept'
                then evidence.value_sum > evidence.previous_value
                or (
                    grade.is_high and evidence.previous_value >= grade.lowest_high_position
                )
        end as is_improved
    from {{ ref('int_candidate') }} as candidate
    inner join {{ ref('int_programme_item') }} as item
        on candidate.programme_id = item.programme_id and candidate.tier = item.tier
    left join {{ ref('fct_indicator') }} as indicator
        on
            candidate.hospital_id = indicator.hospital_id
            and candidate.specialty_code = indicator.specialty_code
            and item.attribution = indicator.attribution
            and item.indicator_window_id = indicator.window_id
            and item.indicator_id = indicator.indicator_id
    left join {{ ref('int_item_evidence') }} as evidence
        on
            candidate.programme_id = evidence.programme_id
            and item.item_id = evidence.item_id
            and candidate.hospital_id = evidence.hospital_id
            and candidate.specialty_code = evidence.specialty_code
    left join improved_over_years as years
        on
            candidate.programme_id = years.programme_id
            and candidate.tier = years.tier
            and item.item_id = years.item_id
            and candidate.hospital_id = years.hospital_id
            and candidate.specialty_code = years.specialty_code
    left join graded as grade
        on candidate.hospital_kind = grade.hospital_kind and evidence.choice = grade.grade
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
    programme_id,
    tier,
    window_id,
    hospital_id,
    specialty_code,
    item_id,
    hospital_kind,
    is_peer,
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
    case when indicator_id is not null then indicator_window_id else data_window end as data_window,
    obstacle,
    indicator_status,
    indicator_reason,
    applicability = 'mainly_surgical' and specialty_kind <> 'surgical' and obstacle is null as is_flagged
from valued
