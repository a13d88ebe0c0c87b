{{ config(materialized='view') }}
-- The discharges of each window, with what each adds to the counts.
select
    data_window.window_id,
    discharge.*
from {{ ref('int_case') }} as discharge
inner join {{ ref('int_window') }} as data_window
    on discharge.discharge_month between data_window.first_month and data_window.last_month
