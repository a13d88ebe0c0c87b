{# Whether a list of text holds any of a few literal values. #}
{% macro has_any_of(list, values) -%}
    {{ return(adapter.dispatch('has_any_of')(list, values)) }}
{%- endmacro %}

{% macro duckdb__has_any_of(list, values) -%}
    coalesce(list_has_any({{ list }}, ['{{ values | join("', '") }}']), false)
{%- endmacro %}
