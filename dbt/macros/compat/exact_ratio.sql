{# Product of `numerators` over product of `denominators`, both non-negative integers, rounded half up to
   `scale` decimals. Integer arithmetic only: DuckDB's `/` on DECIMAL gives DOUBLE, whose last digits depend
   on the order of the sums. A zero denominator gives NULL. `bits` may be 64 where the products times 2 * 10^scale
   stay below 10^18: an overflow stops the run. #}
{% macro exact_ratio(numerators, denominators, scale, precision, bits=128) -%}
    {{ return(adapter.dispatch('exact_ratio')(numerators, denominators, scale, precision, bits)) }}
{%- endmacro %}

{% macro duckdb__exact_ratio(numerators, denominators, scale, precision, bits) -%}
    {%- set type = 'bigint' if bits == 64 else 'hugeint' -%}
    {%- set digits = 18 if bits == 64 else 38 - scale -%}
    {%- set last_digit = 'cast(0.' ~ '0' * (scale - 1) ~ '1 as decimal(' ~ scale ~ ', ' ~ scale ~ '))' -%}
    {%- set numerator -%}
        (cast({{ numerators | join(' as ' ~ type ~ ') * cast(') }} as {{ type }}))
    {%- endset -%}
    {%- set denominator -%}
        (cast({{ denominators | join(' as ' ~ type ~ ') * cast(') }} as {{ type }}))
    {%- endset -%}
    {%- set at_once -%}
        cast(
            cast(
                ({{ numerator }} * {{ 2 * 10 ** scale }} + {{ denominator }}) // nullif(2 * {{ denominator }}, 0)
                as decimal({{ digits }}, 0)
            ) * {{ last_digit }}
            as decimal({{ precision }}, {{ scale }})
        )
    {%- endset -%}
    {%- if bits == 64 -%}
        {{ at_once }}
    {%- else -%}
        {# A division of 128 bits takes a hundred times as long as one of 64. Long division, half of the decimals at a
           time, stays within 64 bits for all but the largest: whatever does not fit is divided at once. #}
        {%- set second = scale - scale // 2 -%}
        {%- set n = 'cast(' ~ numerator ~ ' as bigint)' -%}
        {%- set d = 'cast(' ~ denominator ~ ' as bigint)' -%}
        {%- set rest = '(' ~ n ~ ' % ' ~ d ~ ' * ' ~ 10 ** (scale // 2) ~ ')' -%}
        case
            when
                {{ numerator }} between 0 and {{ 10 ** 18 }}
                and {{ denominator }} <= {{ 4 * 10 ** (18 - second) }}
                and {{ numerator }} < {{ denominator }} * {{ 10 ** (17 - scale) }}
                then cast(
                    cast(
                        {{ n }} // {{ d }} * {{ 10 ** scale }} + {{ rest }} // {{ d }} * {{ 10 ** second }}
                        + ({{ rest }} % {{ d }} * {{ 2 * 10 ** second }} + {{ d }}) // (2 * {{ d }})
                        as decimal(18, 0)
                    ) * {{ last_digit }}
                    as decimal({{ precision }}, {{ scale }})
                )
            else {{ at_once }}
        end
    {%- endif -%}
{%- endmacro %}
