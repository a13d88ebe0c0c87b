{# One row per measure column of `relation`: the keys, measure_id (the column's name) and value. Every column
   that is not a key is a measure, so a new measure needs no second mention. #}
{% macro unpivot_measures(relation, keys) -%}
    {{ return(adapter.dispatch('unpivot_measures')(relation, keys)) }}
{%- endmacro %}

{% macro duckdb__unpivot_measures(relation, keys) -%}
    (unpivot {{ relation }} on columns(* exclude ({{ keys | join(', ') }})) into name measure_id value value)
{%- endmacro %}

{# Every column of a relation that is not in `keys` as an exact number, each under its own name; a missing one is 0. #}
{% macro exact_measures(keys) -%}
    {{ return(adapter.dispatch('exact_measures')(keys)) }}
{%- endmacro %}

{% macro duckdb__exact_measures(keys) -%}
    coalesce(cast(columns(* exclude ({{ keys | join(', ') }})) as decimal(28, 8)), 0)
{%- endmacro %}
