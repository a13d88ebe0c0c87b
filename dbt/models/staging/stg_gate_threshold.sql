select
    rule_id,
    threshold
from {{ source('gate', 'threshold') }}
