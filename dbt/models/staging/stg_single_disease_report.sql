select
    source_id,
    source_row,
    organisation_id,
    patient_id,
    report_id,
    disease_code,
    report_state,
    admission_time,
    discharge_time,
    discharge_mode,
    reported_at,
    items,
    item_denominators,
    item_numerators,
    strftime(discharge_time, '%Y-%m') as month
from {{ source('landing', 'single_disease_report') }}
