select
    source_id,
    source_row,
    division,
    division_name,
    year,
    population
from {{ source('landing', 'population') }}
