{{ config(materialized='view') }}
-- The diagnoses that make a complication of a case. A view: int_discharge asks whether there is one, people ask which.
{{ acquired_complications() }}
