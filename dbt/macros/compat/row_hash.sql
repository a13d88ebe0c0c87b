{# A 64-bit hash of some columns: finds rows that may be equal. Only the equality of hashes may be used, never their
   value, which differs between engines. #}
{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}
