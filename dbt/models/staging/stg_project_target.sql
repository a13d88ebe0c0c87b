select
    source_id,
    source_row,
    project_id,
    indicator_id,
    year,
    target_value
from {{ source('landing', 'project_target') }}
