{# A list of text whose first element is neither NULL nor empty, if it has any such: the list itself, mostly. #}
{% macro filled_first(list) -%}
    {{ return(adapter.dispatch('filled_first')(list)) }}
{%- endmacro %}

{% macro duckdb__filled_first(list) -%}
    case when {{ list }}[1] <> '' then {{ list }} else list_filter({{ list }}, lambda element: element <> '') end
{%- endmacro %}
