{# How many elements of a list of truths are true; with a second list, how many are true in both. 0 where it is missing. #}
{% macro true_count(list, other=none) -%}
    {{ return(adapter.dispatch('true_count')(list, other)) }}
{%- endmacro %}

{% macro duckdb__true_count(list, other) -%}
    {%- set truth = 'truth' if other is none else 'truth and ' ~ other ~ '[place]' -%}
    coalesce(len(list_filter({{ list }}, lambda truth, place: {{ truth }})), 0)
{%- endmacro %}
