select
    source_id,
    source_row,
    organisation_id,
    name_zh,
    level,
    grade,
    kind,
    division,
    city_name,
    is_provincial_capital,
    is_national_medical_centre,
    is_directly_managed,
    is_regional_medical_centre,
    subjects
from {{ source('landing', 'hospital') }}
