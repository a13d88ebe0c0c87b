{# The sum of every column that is not in `keys`, each under its own name: every such column is a count or a whole
   sum, so a new one needs no second mention. The FROM clause must hold one relation. #}
{% macro sum_columns(keys) -%}
    {{ return(adapter.dispatch('sum_columns')(keys)) }}
{%- endmacro %}

{% macro duckdb__sum_columns(keys) -%}
    cast(sum(columns(* exclude ({{ keys | join(', ') }}))) as bigint)
{%- endmacro %}
