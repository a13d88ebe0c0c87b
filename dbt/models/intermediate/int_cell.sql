{{ config(materialized='kept_by_month') }}
-- Additive sums per organisation, department specialty, DRG and month: the one table that reads every discharge.
-- Every sum is a measure at all levels that are published (int_count), so a new one in macros/discharge_sums.sql needs
-- only its row in seeds/indicators/measures.csv. drg_code is missing for cases without a group, which have a reason instead.
select
    organisation_id,
    specialty_code,
    drg_code,
    scheme_edition,
    ungrouped_reason,
    discharge_month,
    -- what was operated, for what cannot be added up
    {{ merged_list('operation_codes') }} as operation_codes,
    {{ discharge_sums() }}
from {{ ref('int_discharge') }}
group by organisation_id, specialty_code, drg_code, scheme_edition, ungrouped_reason, discharge_month
