{# placed_values(value, place, condition): an aggregate of the values with their places, in any order, NULL for none:
   sorting inside the aggregate costs far more than sorting the few lists that come of it.
   values_in_order(list): its values by place, each once, where it stood first. #}
{% macro placed_values(value, place, condition) -%}
    {{ return(adapter.dispatch('placed_values')(value, place, condition)) }}
{%- endmacro %}

{% macro duckdb__placed_values(value, place, condition) -%}
    list({'place': {{ place }}, 'value': {{ value }}}) filter (where {{ condition }})
{%- endmacro %}

{% macro values_in_order(list) -%}
    {{ return(adapter.dispatch('values_in_order')(list)) }}
{%- endmacro %}

{% macro duckdb__values_in_order(list) -%}
    list_filter(
        list_transform(list_sort({{ list }}), lambda element: element.value),
        lambda element, position: list_position(
            list_transform(list_sort({{ list }}), lambda other: other.value), element
        ) = position
    )
{%- endmacro %}
