-- How far a mart may be relied on for a hospital's year, and because of which rules: D where a critical rule fails,
-- C where months or cases are missing or held back, B where another warning fails, A else.
with yearly as (
    select
        rule_id,
        dataset,
        coalesce(organisation_id, 'REGION') as hospital_id,
        data_year,
        sum(checked) as checked,
        sum(violated) as violated
    from (
        select
            rule_id,
            dataset,
            organisation_id,
            cast(left(month, 4) as integer) as data_year,
            checked,
            violated
        from {{ ref('fct_dq_result') }}
        where month <> '' and organisation_id <> ''
    ) as dated
    group by grouping sets ((rule_id, dataset, organisation_id, data_year), (rule_id, dataset, data_year))
),

judged as (
    select
        yearly.dataset,
        yearly.hospital_id,
        yearly.data_year,
        yearly.rule_id,
        yearly.checked > 0 as is_judged,
        yearly.violated > rule.threshold * yearly.checked as has_failed,
        rule.severity,
        rule.category
    from yearly
    inner join {{ ref('int_rule') }} as rule on yearly.rule_id = rule.rule_id
),

held_back as (
    select
        dataset,
        coalesce(organisation_id, 'REGION') as hospital_id,
        data_year,
        count(*) as held_back_months
    from (
        -- one row a month, however many rules it fails
        select distinct
            dataset,
            organisation_id,
            month,
            cast(left(month, 4) as integer) as data_year
        from {{ ref('stg_gate_held_back') }}
    ) as dated
    group by grouping sets ((dataset, organisation_id, data_year), (dataset, data_year))
),

places as (
    select
        hospital_id,
        data_year
    from judged
    union
    select
        hospital_id,
        data_year
    from held_back
),

inputs as (
    select
        places.hospital_id,
        places.data_year,
        mart_input.mart,
        mart_input.dataset
    from places
    cross join {{ ref('mart_inputs') }} as mart_input
),

summed as (
    select
        inputs.mart,
        inputs.hospital_id,
        inputs.data_year,
        count(judged.rule_id) filter (where judged.is_judged) as rules_judged,
        count(judged.rule_id) filter (where judged.has_failed and judged.severity <> 'info') as rules_failed,
        count(judged.rule_id) filter (where judged.has_failed and judged.severity = 'critical') as critical_failed,
        count(judged.rule_id) filter (
            where judged.has_failed and judged.severity <> 'info' and judged.category = 'completeness'
        ) as completeness_failed,
        string_agg(judged.rule_id, ';' order by judged.rule_id) filter (
            where judged.has_failed and judged.severity <> 'info'
        ) as failed_rules
    from inputs
    left join judged
        on
            inputs.dataset = judged.dataset
            and inputs.hospital_id = judged.hospital_id
            and inputs.data_year = judged.data_year
    group by inputs.mart, inputs.hospital_id, inputs.data_year
),

kept_out as (
    select
        inputs.mart,
        inputs.hospital_id,
        inputs.data_year,
        sum(held_back.held_back_months) as held_back_months
    from inputs
    inner join held_back
        on
            inputs.dataset = held_back.dataset
            and inputs.hospital_id = held_back.hospital_id
            and inputs.data_year = held_back.data_year
    group by inputs.mart, inputs.hospital_id, inputs.data_year
)

select
    summed.mart,
    summed.hospital_id,
    summed.data_year,
    case
        when summed.critical_failed > 0 then 'D'
        when summed.completeness_failed > 0 or kept_out.held_back_months > 0 then 'C'
        when summed.rules_failed > 0 then 'B'
        else 'A'
    end as grade,
    cast(summed.rules_judged as bigint) as rules_judged,
    cast(summed.rules_failed as bigint) as rules_failed,
    cast(coalesce(kept_out.held_back_months, 0) as bigint) as held_back_months,
    summed.failed_rules
from summed
left join kept_out
    on
        summed.mart = kept_out.mart
        and summed.hospital_id = kept_out.hospital_id
        and summed.data_year = kept_out.data_year
