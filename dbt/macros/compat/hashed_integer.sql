{# A whole number from 0 to `modulus` - 1 that depends on the text alone, spread evenly: the same on every machine
   and in every release of the engine. #}
{% macro hashed_integer(text, modulus) -%}
    {{ return(adapter.dispatch('hashed_integer')(text, modulus)) }}
{%- endmacro %}

{% macro duckdb__hashed_integer(text, modulus) -%}
    cast(md5_number({{ text }}) % {{ modulus }} as bigint)
{%- endmacro %}
