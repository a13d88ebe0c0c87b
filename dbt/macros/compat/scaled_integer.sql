{# A DECIMAL with `scale` decimals as a whole number of its last digit, for exact_ratio. `scale` is even. `bits` may be
   64 where the DECIMAL has at most 12 digits: the result then is no wider, and an overflow stops the run. #}
{% macro scaled_integer(expression, scale, bits=128) -%}
    {{ return(adapter.dispatch('scaled_integer')(expression, scale, bits)) }}
{%- endmacro %}

{% macro duckdb__scaled_integer(expression, scale, bits) -%}
    {%- set half = scale // 2 -%}
    {%- if bits == 64 -%}
        cast(cast({{ expression }} * {{ 10 ** half }} as decimal(18, {{ half }})) * {{ 10 ** half }} as bigint)
    {%- else -%}
        {# Moved by half of the decimals at a time a small number stays within 64 bits, which is many times faster.
           A large one is widened first: DuckDB gives a product no more digits than the factor's type has. #}
        {%- set limit = [10 ** (18 - scale - half) - 1, 0] | max -%}
        case
            when {{ expression }} > -{{ limit }} and {{ expression }} < {{ limit }}
                then cast(
                    cast(cast({{ expression }} as decimal(18, {{ scale }})) * {{ 10 ** half }} as decimal(18, {{ half }}))
                    * {{ 10 ** half }} as hugeint
                )
            else cast(cast({{ expression }} as decimal(38, {{ scale }})) * {{ 10 ** scale }} as hugeint)
        end
    {%- endif -%}
{%- endmacro %}
