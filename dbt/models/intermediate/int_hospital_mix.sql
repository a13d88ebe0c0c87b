-- How the discharges of a specialty spread over the hospitals (rows of REGION), and which hospitals do endoscopic or
-- interventional operations (a hospital counts itself, REGION all hospitals with discharges).
with hospital as (
    select
        attribution,
        hospital_id,
        specialty_code,
        window_id,
        discharge_count,
        case when endoscopy_or_intervention_count > 0 then 1 else 0 end as performs
    from {{ ref('int_count') }}
    where hospital_id <> 'REGION'
)

select
    attribution,
    hospital_id,
    specialty_code,
    window_id,
    performs as endoscopy_hospital_count,
    1 as reporting_hospital_count,
    0 as largest_hospital_discharge_count,
    0 as concentration_discharge_count,
    0 as squared_discharge_sum,
    0 as total_discharge_square
from hospital
union all
select
    attribution,
    'REGION' as hospital_id,
    specialty_code,
    window_id,
    sum(performs) as endoscopy_hospital_count,
    count(*) as reporting_hospital_count,
    max(discharge_count) as largest_hospital_discharge_count,
    sum(discharge_count) as concentration_discharge_count,
    sum(discharge_count * discharge_count) as squared_discharge_sum,
    sum(discharge_count) * sum(discharge_count) as total_discharge_square
from hospital
group by attribution, specialty_code, window_id
