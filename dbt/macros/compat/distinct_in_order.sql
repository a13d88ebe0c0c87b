{# A list with each value once, where it stood first. #}
{% macro distinct_in_order(list) -%}
    {{ return(adapter.dispatch('distinct_in_order')(list)) }}
{%- endmacro %}

{% macro duckdb__distinct_in_order(list) -%}
    list_filter({{ list }}, lambda element, place: list_position({{ list }}, element) = place)
{%- endmacro %}
