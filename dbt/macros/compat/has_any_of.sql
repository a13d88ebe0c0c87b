{# Whether a list of text holds any of a few literal values. #}
{% macro has_any_of(list, values) -%}
    {{ return(adapter.dispatch('has_any_of')(list, values)) }}
{%- endmacro %}

{% macro duckdb__has_any_of(list, values) -%}
    {# several times as fast as list_has_any #}
    coalesce(
        {%- for value in values %} list_contains({{ list }}, '{{ value }}'){{ ' or' if not loop.last }}{% endfor -%}
        , false
    )
{%- endmacro %}
