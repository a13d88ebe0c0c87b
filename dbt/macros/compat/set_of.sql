{# An aggregate: the distinct values of a whole-number column as text in ascending order (`3,17`), NULL for none.
   And back: its members, one row each (a set-returning expression). #}
{% macro set_of(column) -%}
    {{ return(adapter.dispatch('set_of')(column)) }}
{%- endmacro %}

{% macro duckdb__set_of(column) -%}
    array_to_string(
        list_sort(list_distinct(list({{ column }}) filter (where {{ column }} is not null))), ','
    )
{%- endmacro %}

{% macro set_members(set) -%}
    {{ return(adapter.dispatch('set_members')(set)) }}
{%- endmacro %}

{% macro duckdb__set_members(set) -%}
    unnest(cast(string_split({{ set }}, ',') as integer[]))
{%- endmacro %}
