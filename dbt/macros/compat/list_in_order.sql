{# An aggregate: the values as a list, in the order of another expression. Sorting costs; not for every case. #}
{% macro list_in_order(value, order_by) -%}
    {{ return(adapter.dispatch('list_in_order')(value, order_by)) }}
{%- endmacro %}

{% macro duckdb__list_in_order(value, order_by) -%}
    list({{ value }} order by {{ order_by }})
{%- endmacro %}
