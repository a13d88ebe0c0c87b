select
    dataset,
    source_id,
    organisation_id,
    month,
    rows,
    in_force
from {{ source('landing', 'slice') }}
