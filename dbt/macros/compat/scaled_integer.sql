{# A DECIMAL with `scale` decimals as a whole number of its last digit, for exact_ratio. Widened first: DuckDB gives a
   product no more digits than the factor's type has. `bits` may be 64 where `scale` is even and the DECIMAL has at most
   12 digits: moved by half of the decimals at a time it stays within its type, which is many times faster. #}
{% macro scaled_integer(expression, scale, bits=128) -%}
    {{ return(adapter.dispatch('scaled_integer')(expression, scale, bits)) }}
{%- endmacro %}

{% macro duckdb__scaled_integer(expression, scale, bits) -%}
    {%- if bits == 64 -%}
        {%- set half = scale // 2 -%}
        cast(cast({{ expression }} * {{ 10 ** half }} as decimal(18, {{ half }})) * {{ 10 ** half }} as bigint)
    {%- else -%}
        cast(cast({{ expression }} as decimal(38, {{ scale }})) * {{ 10 ** scale }} as hugeint)
    {%- endif -%}
{%- endmacro %}
