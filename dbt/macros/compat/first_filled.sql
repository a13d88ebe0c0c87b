{# The first element of a list of text that is neither NULL nor empty. #}
{% macro first_filled(list) -%}
    {{ return(adapter.dispatch('first_filled')(list)) }}
{%- endmacro %}

{% macro duckdb__first_filled(list) -%}
    case
        when {{ list }}[1] <> '' then {{ list }}[1]
        else list_filter({{ list }}, lambda element: element <> '')[1]
    end
{%- endmacro %}
