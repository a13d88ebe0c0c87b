-- The rules with the thresholds that hold now: somebody with authority may have changed one.
select
    rule.rule_id,
    rule.title_zh,
    rule.category,
    rule.dataset,
    rule.severity,
    coalesce(changed.threshold, rule.threshold, 0) as threshold
from {{ ref('dq_rules') }} as rule
left join {{ ref('stg_gate_threshold') }} as changed on rule.rule_id = changed.rule_id
