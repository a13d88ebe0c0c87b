{# One row per measure column of `relation`: the keys, measure_id (the column's name) and value. Every column
   that is not a key is a measure, so a new measure needs no second mention. A missing value is 0. #}
{% macro unpivot_measures(relation, keys) -%}
    {{ return(adapter.dispatch('unpivot_measures')(relation, keys)) }}
{%- endmacro %}

{% macro duckdb__unpivot_measures(relation, keys) -%}
    (
        unpivot (
            select
                {{ keys | join(', ') }},
                coalesce(cast(columns(* exclude ({{ keys | join(', ') }})) as decimal(28, 8)), 0)
            from {{ relation }}
        )
        on columns(* exclude ({{ keys | join(', ') }}))
        into name measure_id value value
    )
{%- endmacro %}
