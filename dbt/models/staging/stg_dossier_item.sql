select
    source_id,
    source_row,
    organisation_id,
    specialty_code,
    item_code,
    period,
    value_text,
    value_number,
    unit,
    evidence_file,
    reviewer,
    sheet
from {{ source('landing', 'dossier_item') }}
