-- Entitlement and progress: every quota, share and term of the plans, what it asks for and what there is. Compared as
-- whole numbers, so that exactly one third is one third.
with bounded as (
    select
        measured.*,
        rule.clause,
        rule.title_zh,
        rule.unit,
        rule.status = 'provisional' as is_provisional,
        rule.measure like '%_population' as is_by_population,
        case
            when rule.measure like '%_population' then measured.population * rule.low_numerator // rule.low_denominator
            else rule.low_numerator
        end as low_numerator,
        case when rule.measure like '%_population' then 1 else rule.low_denominator end as low_denominator,
        case
            when rule.measure like '%_population'
                then (measured.population * rule.high_numerator + rule.high_denominator - 1) // rule.high_denominator
            else rule.high_numerator
        end as high_numerator,
        case when rule.measure like '%_population' then 1 else rule.high_denominator end as high_denominator
    from {{ ref('int_quota_measure') }} as measured
    inner join {{ ref('quota_rules') }} as rule on measured.rule_id = rule.rule_id
),

judged as (
    select
        *,
        case
            when unknown_reason_zh is not null or numerator is null or denominator is null then 'unknown'
            when denominator = 0 or (is_by_population and low_numerator = 0) then 'not_applicable'
            when
                cast(numerator as hugeint) * low_denominator < cast(low_numerator as hugeint) * denominator
                or cast(numerator as hugeint) * high_denominator > cast(high_numerator as hugeint) * denominator
                then 'not_met'
            else 'met'
        end as status
    from bounded
)

select
    judged.rule_id,
    judged.scope_kind,
    judged.scope_id,
    judged.period,
    judged.clause,
    judged.title_zh,
    judged.scope_zh,
    judged.unit,
    {{ exact_ratio(['judged.low_numerator'], ['judged.low_denominator'], 8, 18) }} as required_low,
    {{ exact_ratio(['judged.high_numerator'], ['judged.high_denominator'], 8, 18) }} as required_high,
    judged.numerator as actual_numerator,
    judged.denominator as actual_denominator,
    case
        when judged.numerator is not null
            then {{ exact_ratio(['judged.numerator'], ['judged.denominator'], 8, 18) }}
    end as actual,
    judged.population,
    judged.status,
    case judged.status
        when 'unknown' then coalesce(judged.unknown_reason_zh, '没有可用的数据')
        when 'not_applicable'
            then case when judged.denominator = 0 then '本期没有可计的项目' else '人口不足一个项目的匹配数' end
        when 'not_met' then concat(
            case
                when
                    cast(judged.numerator as hugeint) * judged.low_denominator
                    < cast(judged.low_numerator as hugeint) * judged.denominator
                    then '低于下限'
                else '高于上限'
            end,
            case
                when
                    judged.scope_kind <> 'project'
                    and parameter.as_of_date < make_date(cast(right(judged.period, 4) as integer), 12, 31)
                    then '；期间尚未结束'
            end
        )
    end as status_reason,
    judged.is_provisional
from judged
cross join {{ ref('int_selection_parameter') }} as parameter
