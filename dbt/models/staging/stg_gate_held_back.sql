select
    dataset,
    organisation_id,
    month,
    source_id,
    rule_id,
    checked,
    violated,
    threshold,
    used_source_id
from {{ source('gate', 'held_back') }}
