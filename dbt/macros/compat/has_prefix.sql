{# Whether a list of text holds a value that begins with a literal. #}
{% macro has_prefix(list, prefix) -%}
    {{ return(adapter.dispatch('has_prefix')(list, prefix)) }}
{%- endmacro %}

{% macro duckdb__has_prefix(list, prefix) -%}
    coalesce(len(list_filter({{ list }}, lambda value: starts_with(value, '{{ prefix }}'))) > 0, false)
{%- endmacro %}
