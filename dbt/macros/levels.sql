{# The levels that are published: a hospital and REGION, a specialty and ALL, and each with each. Used together in
   one aggregate over organisation_id and specialty_code. #}
{% macro level_keys() -%}
    case when grouping(organisation_id) = 1 then 'REGION' else organisation_id end as hospital_id,
    case when grouping(specialty_code) = 1 then 'ALL' else specialty_code end as specialty_code
{%- endmacro %}

{% macro level_sets() -%}
    grouping sets ((organisation_id, specialty_code), (organisation_id), (specialty_code), ())
{%- endmacro %}
