{# The elements of a list, one row each (a set-returning expression); with `only_first` true for a row, its
   first element alone. #}
{% macro elements(list, only_first) -%}
    {{ return(adapter.dispatch('elements')(list, only_first)) }}
{%- endmacro %}

{% macro duckdb__elements(list, only_first) -%}
    unnest(case when {{ only_first }} then {{ list }}[1:1] else {{ list }} end)
{%- endmacro %}
