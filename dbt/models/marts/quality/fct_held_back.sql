-- Versions of a hospital's month that are not used because a critical rule fails in them, and what is used instead.
select
    dataset,
    organisation_id,
    month,
    source_id,
    rule_id,
    checked,
    violated,
    {{ exact_ratio(['violated'], ['checked'], 8, 18) }} as violated_share,
    threshold,
    used_source_id,
    case when used_source_id is null then 'missing' else 'earlier_version' end as consequence
from {{ ref('stg_gate_held_back') }}
