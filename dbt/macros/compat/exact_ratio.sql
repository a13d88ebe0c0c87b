{# Product of `numerators` over product of `denominators`, both non-negative integers, rounded half up to
   `scale` decimals. Integer arithmetic only: DuckDB's `/` on DECIMAL gives DOUBLE, whose last digits depend
   on the order of the sums. A zero denominator gives NULL. #}
{% macro exact_ratio(numerators, denominators, scale, precision) -%}
    {{ return(adapter.dispatch('exact_ratio')(numerators, denominators, scale, precision)) }}
{%- endmacro %}

{% macro duckdb__exact_ratio(numerators, denominators, scale, precision) -%}
    {%- set numerator -%}
        (cast({{ numerators | join(' as hugeint) * cast(') }} as hugeint))
    {%- endset -%}
    {%- set denominator -%}
        (cast({{ denominators | join(' as hugeint) * cast(') }} as hugeint))
    {%- endset -%}
    cast(
        cast(
            ({{ numerator }} * {{ 2 * 10 ** scale }} + {{ denominator }}) // nullif(2 * {{ denominator }}, 0)
            as decimal({{ 38 - scale }}, 0)
        ) * cast(0.{{ '0' * (scale - 1) }}1 as decimal({{ scale }}, {{ scale }}))
        as decimal({{ precision }}, {{ scale }})
    )
{%- endmacro %}
