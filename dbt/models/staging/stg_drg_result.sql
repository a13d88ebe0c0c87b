select
    source_id,
    source_row,
    organisation_id,
    patient_id,
    admission_count,
    discharge_time,
    drg_code,
    scheme_edition,
    ungrouped_reason,
    strftime(discharge_time, '%Y-%m') as month
from {{ source('landing', 'drg_result') }}
