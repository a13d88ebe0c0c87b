{# The prefecture-level city of a division; NULL where only the province is known. #}
{% macro city_of(division) -%}
    case when right({{ division }}, 4) <> '0000' then left({{ division }}, 4) || '00' end
{%- endmacro %}

{# Where a patient comes from: the city inside the province that is computed, the province for all others. #}
{% macro home_of(division) -%}
    case
        when left({{ division }}, 2) <> left({{ province_division() }}, 2) then left({{ division }}, 2) || '0000'
        else {{ city_of(division) }}
    end
{%- endmacro %}

{# The county-level division; NULL where only the city is known. #}
{% macro county_of(division) -%}
    case when right({{ division }}, 2) <> '00' then {{ division }} end
{%- endmacro %}

{# What the codes of all divisions inside a division begin with. #}
{% macro division_prefix(division) -%}
    case
        when right({{ division }}, 4) = '0000' then left({{ division }}, 2)
        when right({{ division }}, 2) = '00' then left({{ division }}, 4)
        else {{ division }}
    end
{%- endmacro %}
