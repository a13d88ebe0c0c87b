{# The complications of a case as whole numbers: the least one decides. MCC before CC, then the place, then the number
   of the code, 24 bits below 16 bits of place below the level. What the code says is told once for each code; the
   place is added for each case. #}
{% macro complication_order(level, code_no) -%}
    case {{ level }} when 'mcc' then {{ code_no }} when 'cc' then 1099511627776 + {{ code_no }} end
{%- endmacro %}

{% macro complication_at(order, place) -%}
    {{ order }} + 16777216 * cast({{ place }} as bigint)
{%- endmacro %}

{% macro complication_level(complication) -%}
    case when {{ complication }} is null then 'none' when {{ complication }} < 1099511627776 then 'mcc' else 'cc' end
{%- endmacro %}

{% macro complication_code_no(complication) -%}
    {{ complication }} % 16777216
{%- endmacro %}
