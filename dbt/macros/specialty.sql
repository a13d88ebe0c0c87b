{# The specialty of a department code: the listed second-level specialty, else its first level, else UNMAPPED.
   `specialty_joins` goes into the FROM clause, `specialty_of_joins` names what it found. A longer internal code of a
   hospital says nothing by its first two digits. #}
{% macro specialty_joins(department) -%}
    left join {{ ref('specialties') }} as second_level
        on {{ department }} = second_level.specialty_code
    left join {{ ref('specialties') }} as first_level
        -- one equality: a condition on the department alone would have every pair of rows compared
        on case when length({{ department }}) <= 4 then left({{ department }}, 2) end = first_level.specialty_code
{%- endmacro %}

{% macro specialty_of_joins() -%}
    coalesce(second_level.specialty_code, first_level.specialty_code, 'UNMAPPED')
{%- endmacro %}
