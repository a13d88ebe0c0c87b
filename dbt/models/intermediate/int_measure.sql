-- The measures of int_summary, one row each.
select
    hospital_id,
    specialty_code,
    attribution,
    window_id,
    measure_id,
    value
from {{ unpivot_measures(
    ref('int_summary'), ['attribution', 'hospital_id', 'specialty_code', 'window_id']
) }} as measures
