{# A DECIMAL with `scale` decimals as a whole number of its last digit, for exact_ratio. Widened first: DuckDB gives a
   product no more digits than the factor's type has. #}
{% macro scaled_integer(expression, scale) -%}
    {{ return(adapter.dispatch('scaled_integer')(expression, scale)) }}
{%- endmacro %}

{% macro duckdb__scaled_integer(expression, scale) -%}
    cast(cast({{ expression }} as decimal(38, {{ scale }})) * {{ 10 ** scale }} as hugeint)
{%- endmacro %}
