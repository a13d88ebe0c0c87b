select
    source_id,
    source_row,
    organisation_id,
    month,
    specialty_code,
    bed_count,
    open_bed_days,
    occupied_bed_days
from {{ source('landing', 'bed_report') }}
