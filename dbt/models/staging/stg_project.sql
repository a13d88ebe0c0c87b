select
    source_id,
    source_row,
    project_id,
    organisation_id,
    specialty_code,
    project_level,
    funding,
    direction,
    year,
    start_date,
    end_date,
    stage,
    amount_fen,
    matching_amount_fen
from {{ source('landing', 'project') }}
