select
    source_id,
    source_row,
    organisation_id,
    specialty_code,
    accident_date,
    accident_level
from {{ source('landing', 'accident') }}
