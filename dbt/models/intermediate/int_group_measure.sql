{{ config(materialized='view') }}
-- What each DRG adds to each measure that rests on DRGs, at every published level. A view: it stands between a value
-- and its cases when somebody asks what a number is made of.
{% set keys = ['attribution', 'hospital_id', 'specialty_code', 'drg_code', 'scheme_edition'] %}
{{ drg_measures(
    "(select *, 0 as discharge_count, 0 as ventilated_long_count from " ~ ref('int_group') ~ ")", ref('int_group'), keys
) }}
