{# An aggregate: texts joined by a separator in the order of a key that differs wherever the texts do; NULL where the
   condition leaves none. Sorted as one list of pairs, which is much faster than an ordered aggregate. #}
{% macro joined_in_order(text, key, separator, condition='true') -%}
    {{ return(adapter.dispatch('joined_in_order')(text, key, separator, condition)) }}
{%- endmacro %}

{% macro duckdb__joined_in_order(text, key, separator, condition) -%}
    array_to_string(
        list_transform(
            list_sort(list(struct_pack(place := {{ key }}, text := {{ text }})) filter (where {{ condition }})),
            lambda pair: pair.text
        ),
        '{{ separator }}'
    )
{%- endmacro %}
