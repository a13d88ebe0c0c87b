{{ config(materialized='view') }}
-- One row per discharge with all that it adds to the counts: the sums of int_cell over a single case. A view: it is
-- read when somebody asks which cases a number is made of.
select
    source_id,
    source_row,
    organisation_id,
    patient_id,
    discharge_time,
    discharge_month,
    specialty_code,
    mdc_specialty_code,
    drg_code,
    scheme_edition,
    ungrouped_reason,
    exclusion_reason,
    operation_codes,
    {{ discharge_sums() }}
from {{ ref('int_discharge') }}
group by
    source_id, source_row, organisation_id, patient_id, discharge_time, discharge_month, specialty_code,
    mdc_specialty_code, drg_code, scheme_edition, ungrouped_reason, exclusion_reason, operation_codes
