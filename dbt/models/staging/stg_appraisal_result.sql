select
    source_id,
    source_row,
    organisation_id,
    data_year,
    indicator_code,
    indicator_name,
    value,
    numerator,
    denominator,
    grade,
    rank,
    release_date
from {{ source('landing', 'appraisal_result') }}
