{# The greatest of `cuts` (a list) that is not above `value`: -1 below all of them, -2 where the value is missing.
   A comparison of the value with one of the cuts comes out the same for its band. #}
{% macro band_floor(value, cuts) -%}
    {{ return(adapter.dispatch('band_floor')(value, cuts)) }}
{%- endmacro %}

{% macro duckdb__band_floor(value, cuts) -%}
    case
        when {{ value }} is null or {{ cuts }} is null then -2
        else coalesce(list_max(list_filter({{ cuts }}, lambda cut: cut <= {{ value }})), -1)
    end
{%- endmacro %}
