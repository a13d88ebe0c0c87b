{{ config(materialized='view') }}
-- What each case adds to each measure that is made of cases: one row per case and window, a column per measure. A case's
-- share of a ratio is its own cost or stay against the mean; the sum over a DRG divides after its own summation.
{% set keys = ['organisation_id', 'specialty_code', 'mdc_specialty_code', 'source_id', 'source_row'] %}
with weighed as (
    {{ drg_measures(ref('int_case'), "(select * from " ~ ref('int_case') ~ " where grouped_count > 0)", keys) }}
)

select
    counted.*,
    weighed.* exclude ({{ keys | join(', ') }}, window_id)
from {{ ref('int_case') }} as counted
inner join weighed
    on
        {% for key in keys %}counted.{{ key }} = weighed.{{ key }} and {% endfor %}
        counted.window_id = weighed.window_id
