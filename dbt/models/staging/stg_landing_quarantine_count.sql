select
    dataset,
    source_id,
    organisation_id,
    month,
    field,
    reason,
    rows
from {{ source('landing', 'quarantine_count') }}
