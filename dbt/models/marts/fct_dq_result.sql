-- The row rules, and the share of rows that landing had to set aside, per organisation and month, each judged against
-- the share that its rule allows. A rule without any row to check is not applicable.
with withdrawn as (
    select distinct
        dataset,
        source_id,
        organisation_id,
        month
    from {{ ref('stg_landing_slice') }}
    where not in_force
),

landed as (
    select
        dataset,
        organisation_id,
        month,
        rows as landed_rows,
        0 as quarantined_rows
    from {{ ref('stg_landing_slice') }}
    where in_force
    union all
    -- rows that were set aside count as long as the slice that they would have belonged to has not been replaced
    select
        quarantine.dataset,
        quarantine.organisation_id,
        quarantine.month,
        0 as landed_rows,
        quarantine.rows as quarantined_rows
    from {{ ref('stg_landing_quarantine_count') }} as quarantine
    inner join {{ ref('stg_landing_receipt') }} as receipt
        on quarantine.dataset = receipt.dataset and quarantine.source_id = receipt.source_id
    left join withdrawn
        on
            quarantine.dataset = withdrawn.dataset
            and quarantine.source_id = withdrawn.source_id
            and quarantine.organisation_id = withdrawn.organisation_id
            and quarantine.month = withdrawn.month
    where receipt.in_force and withdrawn.source_id is null
),

counted as (
    select
        'landing_quarantine_share' as rule_id,
        landed.dataset,
        coalesce(landed.organisation_id, '') as organisation_id,
        coalesce(landed.month, '') as month,
        sum(landed.landed_rows) + sum(landed.quarantined_rows) as checked,
        sum(landed.quarantined_rows) as violated,
        switch.landing_quarantine_max_share as threshold,
        'warning' as severity
    from landed
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
        coalesce(rule.threshold, 0) as threshold,
        rule.severity
    from {{ ref('dq_rules') }} as rule
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
