{# All columns of a relation that are not in `keys`, which have one type, as a list; and their names, as the only row
   of a relation, in the same order. An element is found by the place of its name. #}
{% macro columns_as_list(keys) -%}
    {{ return(adapter.dispatch('columns_as_list')(keys)) }}
{%- endmacro %}

{% macro duckdb__columns_as_list(keys) -%}
    list_value(*columns(* exclude ({{ keys | join(', ') }})))
{%- endmacro %}

{% macro column_names(relation, keys) -%}
    {{ return(adapter.dispatch('column_names')(relation, keys)) }}
{%- endmacro %}

{% macro duckdb__column_names(relation, keys) -%}
    (
        select list_value(*columns(*)) as names
        from (select alias(columns(* exclude ({{ keys | join(', ') }}))) from {{ relation }} limit 1) as named
    )
{%- endmacro %}
