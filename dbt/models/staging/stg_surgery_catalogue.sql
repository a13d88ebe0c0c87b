select
    source_id,
    source_row,
    edition,
    operation_code,
    operation_name,
    operation_class,
    operation_level,
    is_minimally_invasive,
    is_day_surgery,
    effective_from,
    effective_to
from {{ source('landing', 'surgery_catalogue') }}
