{{ config(materialized='view') }}
-- The discharges of each window with all that each adds to the counts: the sums of int_cell over a single case. A view:
-- it is read when somebody asks which cases a number is made of.
select
    data_window.window_id,
    discharge.source_id,
    discharge.source_row,
    discharge.organisation_id,
    discharge.patient_id,
    discharge.discharge_time,
    discharge.specialty_code,
    discharge.mdc_specialty_code,
    discharge.drg_code,
    discharge.scheme_edition,
    discharge.ungrouped_reason,
    discharge.exclusion_reason,
    discharge.operation_codes,
    {{ discharge_sums() }}
from {{ ref('int_discharge') }} as discharge
inner join {{ ref('int_window') }} as data_window
    on discharge.discharge_month between data_window.first_month and data_window.last_month
group by
    data_window.window_id, discharge.source_id, discharge.source_row, discharge.organisation_id, discharge.patient_id,
    discharge.discharge_time, discharge.specialty_code, discharge.mdc_specialty_code, discharge.drg_code,
    discharge.scheme_edition, discharge.ungrouped_reason, discharge.exclusion_reason, discharge.operation_codes
