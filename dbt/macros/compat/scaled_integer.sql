{# A DECIMAL with `scale` decimals as a whole number of its last digit, for exact_ratio. #}
{% macro scaled_integer(expression, scale) -%}
    {{ return(adapter.dispatch('scaled_integer')(expression, scale)) }}
{%- endmacro %}

{% macro duckdb__scaled_integer(expression, scale) -%}
    cast({{ expression }} * {{ 10 ** scale }} as hugeint)
{%- endmacro %}
