{# Sets of small numbers as bit strings of a fixed width.
   no_bits(width)        the empty set
   one_bit(place, width) a set of one, places from 0
   union_of(bits)        an aggregate: all that is in any of them
   both_of(one, other)   what is in both
   either_of(one, other) what is in one or the other #}
{% macro no_bits(width) -%}
    {{ return(adapter.dispatch('no_bits')(width)) }}
{%- endmacro %}

{% macro duckdb__no_bits(width) -%}
    bitstring('0', {{ width }})
{%- endmacro %}

{% macro one_bit(place, width) -%}
    {{ return(adapter.dispatch('one_bit')(place, width)) }}
{%- endmacro %}

{% macro duckdb__one_bit(place, width) -%}
    set_bit(bitstring('0', {{ width }}), {{ place }}, 1)
{%- endmacro %}

{% macro union_of(bits) -%}
    {{ return(adapter.dispatch('union_of')(bits)) }}
{%- endmacro %}

{% macro duckdb__union_of(bits) -%}
    bit_or({{ bits }})
{%- endmacro %}

{% macro both_of(one, other) -%}
    {{ return(adapter.dispatch('both_of')(one, other)) }}
{%- endmacro %}

{% macro duckdb__both_of(one, other) -%}
    ({{ one }} & {{ other }})
{%- endmacro %}

{% macro either_of(one, other) -%}
    {{ return(adapter.dispatch('either_of')(one, other)) }}
{%- endmacro %}

{% macro duckdb__either_of(one, other) -%}
    ({{ one }} | {{ other }})
{%- endmacro %}

{% macro size_of(bits) -%}
    {{ return(adapter.dispatch('size_of')(bits)) }}
{%- endmacro %}

{% macro duckdb__size_of(bits) -%}
    bit_count({{ bits }})
{%- endmacro %}

{# Whether a place is in a set; not, where either is missing. #}
{% macro has_bit(bits, place) -%}
    {{ return(adapter.dispatch('has_bit')(bits, place)) }}
{%- endmacro %}

{% macro duckdb__has_bit(bits, place) -%}
    coalesce(get_bit({{ bits }}, {{ place }}) = 1, false)
{%- endmacro %}
