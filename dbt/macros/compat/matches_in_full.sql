{# Whether a text matches a regular expression from its first to its last character. #}
{% macro matches_in_full(text, pattern) -%}
    {{ return(adapter.dispatch('matches_in_full')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches_in_full(text, pattern) -%}
    regexp_full_match({{ text }}, {{ pattern }})
{%- endmacro %}
