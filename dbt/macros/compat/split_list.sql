{# The members of a text that lists them between semicolons, one row each (a set-returning expression). #}
{% macro split_list(text) -%}
    {{ return(adapter.dispatch('split_list')(text)) }}
{%- endmacro %}

{% macro duckdb__split_list(text) -%}
    unnest(string_split({{ text }}, ';'))
{%- endmacro %}
