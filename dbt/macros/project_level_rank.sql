{# The order of project levels, the highest last; NULL for a level that nobody knows. #}
{% macro project_level_rank(level) -%}
    case {{ level }} when '县级' then 1 when '市级' then 2 when '省级' then 3 when '国家级' then 4 end
{%- endmacro %}
