{# The complications of a case as whole numbers: the least one decides. MCC before CC, then the place, then the number
   of the code, 24 bits below 16 bits of place below the level. #}
{% macro complication_order(level, place, code_no) -%}
    (cast(case {{ level }} when 'mcc' then 0 else 1 end as bigint) * 65536 + {{ place }}) * 16777216 + {{ code_no }}
{%- endmacro %}

{% macro complication_level(complication) -%}
    case when {{ complication }} is null then 'none' when {{ complication }} < 1099511627776 then 'mcc' else 'cc' end
{%- endmacro %}

{% macro complication_code_no(complication) -%}
    {{ complication }} % 16777216
{%- endmacro %}
