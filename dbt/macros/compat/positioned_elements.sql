{# The elements of a list, one row each, as column `element`, with their place (from 1) as column `place`: two
   set-returning expressions that go in step. #}
{% macro positioned_elements(list, element, place) -%}
    {{ return(adapter.dispatch('positioned_elements')(list, element, place)) }}
{%- endmacro %}

{% macro duckdb__positioned_elements(list, element, place) -%}
    unnest({{ list }}) as {{ element }},
    generate_subscripts({{ list }}, 1) as {{ place }}
{%- endmacro %}
