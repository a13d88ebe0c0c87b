{# Days of the month, and of the year, that begins on, or holds, a date. #}
{% macro days_in_month(day) -%}
    {{ return(adapter.dispatch('days_in_month')(day)) }}
{%- endmacro %}

{% macro duckdb__days_in_month(day) -%}
    extract(day from last_day({{ day }}))
{%- endmacro %}

{% macro days_in_year(day) -%}
    {{ return(adapter.dispatch('days_in_year')(day)) }}
{%- endmacro %}

{% macro duckdb__days_in_year(day) -%}
    extract(dayofyear from make_date(extract(year from {{ day }}), 12, 31))
{%- endmacro %}
