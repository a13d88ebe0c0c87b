{# Product of `numerators` over product of `denominators`, both non-negative integers, rounded half up to
   `scale` decimals. Integer arithmetic only: DuckDB's `/` on DECIMAL gives DOUBLE, whose last digits depend
   on the order of the sums. A zero denominator gives NULL. `bits` may be 64 where the products times 2 * 10^scale
   stay below 10^18: many times faster, and an overflow stops the run. #}
{% macro exact_ratio(numerators, denominators, scale, precision, bits=128) -%}
    {{ return(adapter.dispatch('exact_ratio')(numerators, denominators, scale, precision, bits)) }}
{%- endmacro %}

{% macro duckdb__exact_ratio(numerators, denominators, scale, precision, bits) -%}
    {%- set type = 'bigint' if bits == 64 else 'hugeint' -%}
    {%- set digits = 18 if bits == 64 else 38 - scale -%}
    {%- set numerator -%}
        (cast({{ numerators | join(' as ' ~ type ~ ') * cast(') }} as {{ type }}))
    {%- endset -%}
    {%- set denominator -%}
        (cast({{ denominators | join(' as ' ~ type ~ ') * cast(') }} as {{ type }}))
    {%- endset -%}
    cast(
        cast(
            ({{ numerator }} * {{ 2 * 10 ** scale }} + {{ denominator }}) // nullif(2 * {{ denominator }}, 0)
            as decimal({{ digits }}, 0)
        ) * cast(0.{{ '0' * (scale - 1) }}1 as decimal({{ scale }}, {{ scale }}))
        as decimal({{ precision }}, {{ scale }})
    )
{%- endmacro %}
