{# All whole numbers from `first` to `last`, both included, one row each (a set-returning expression). #}
{% macro whole_numbers(first, last) -%}
    {{ return(adapter.dispatch('whole_numbers')(first, last)) }}
{%- endmacro %}

{% macro duckdb__whole_numbers(first, last) -%}
    unnest(generate_series({{ first }}, {{ last }}))
{%- endmacro %}
