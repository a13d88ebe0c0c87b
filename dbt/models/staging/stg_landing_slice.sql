select
    dataset,
    source_id,
    organisation_id,
    month,
    rows,
    rows_before,
    in_force
from {{ source('landing', 'slice') }}
