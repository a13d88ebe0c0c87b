{# `value` where `condition` holds; otherwise the query stops with `message`. #}
{% macro stop_unless(condition, value, message) -%}
    {{ return(adapter.dispatch('stop_unless')(condition, value, message)) }}
{%- endmacro %}

{% macro duckdb__stop_unless(condition, value, message) -%}
    case when {{ condition }} then {{ value }} else error({{ message }}) end
{%- endmacro %}
