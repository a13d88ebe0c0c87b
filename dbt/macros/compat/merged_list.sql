{# An aggregate: the different elements of all lists of a group; NULL where there is none. #}
{% macro merged_list(list) -%}
    {{ return(adapter.dispatch('merged_list')(list)) }}
{%- endmacro %}

{% macro duckdb__merged_list(list) -%}
    list_distinct(flatten(list({{ list }}) filter (where {{ list }} is not null)))
{%- endmacro %}
