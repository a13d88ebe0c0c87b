-- The row rules, and the share of rows that landing had to set aside, per organisation and month, each judged against
-- the share that its rule allows. A rule without any row to check is not applicable.
with counted as (
    select
        'landing_quarantine_share' as rule_id,
        landed.dataset,
        landed.organisation_id,
        landed.month,
        sum(landed.row_count) as checked,
        coalesce(sum(landed.row_count) filter (where landed.reason is not null), 0) as violated,
        switch.landing_quarantine_max_share as threshold,
        'warning' as severity
    from {{ ref('int_landing_row') }} as landed
    cross join {{ ref('int_switch') }} as switch
    group by all
    union all
    select
        rule.rule_id,
        rule.dataset,
        coalesce(rule_count.organisation_id, '') as organisation_id,
        coalesce(rule_count.month, '') as month,
        coalesce(rule_count.checked, 0) as checked,
        coalesce(rule_count.violated, 0) as violated,
        rule.threshold,
        rule.severity
    from {{ ref('int_rule') }} as rule
    left join {{ ref('int_rule_count') }} as rule_count on rule.rule_id = rule_count.rule_id
)

select
    rule_id,
    dataset,
    organisation_id,
    month,
    cast(checked as bigint) as checked,
    cast(violated as bigint) as violated,
    {{ exact_ratio(['violated'], ['checked'], 8, 18) }} as violated_share,
    cast(threshold as decimal(18, 8)) as threshold,
    severity,
    case
        when violated > checked then 'error'
        when checked = 0 then 'not_applicable'
        when violated > threshold * checked then 'failed'
        else 'passed'
    end as status
from counted
