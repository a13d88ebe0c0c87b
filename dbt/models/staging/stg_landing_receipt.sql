select
    dataset,
    source_id,
    source_sha256,
    layout,
    encoding,
    rows_read,
    rows_landed,
    rows_quarantined,
    in_force
from {{ source('landing', 'receipt') }}
