{{ config(materialized='view') }}
-- All measures, one row each. A view: whoever needs many of them reads int_measure_row.
select
    hospital_id,
    specialty_code,
    attribution,
    window_id,
    measure_id,
    value
from {{ unpivot_measures(ref('int_measure_row'), ['hospital_id', 'specialty_code', 'attribution', 'window_id']) }}
    as measures
