{# Diagnoses of a case that the patient did not have at admission and that the list of surgical complications of the day
   of discharge names, one row each. #}
{% macro acquired_complications() -%}
    select
        acquired.source_id,
        acquired.source_row,
        acquired.place,
        acquired.diagnosis_code,
        listed.edition
    from (
        select
            page.source_id,
            page.source_row,
            cast(page.discharge_time as date) as discharge_date,
            page.diagnosis_conditions,
            {{ positioned_elements('page.diagnoses', 'diagnosis_code', 'place') }}
        from {{ ref('stg_hqms_front_page') }} as page
        where {{ has_any_of('page.diagnosis_conditions', ['4']) }}
    ) as acquired
    inner join {{ ref('surgical_complications') }} as listed
        on
            left(acquired.diagnosis_code, 3) = left(listed.code_prefix, 3)
            and starts_with(acquired.diagnosis_code, listed.code_prefix)
            and acquired.discharge_date >= listed.valid_from
            and acquired.discharge_date < listed.valid_until
    where acquired.diagnosis_conditions[acquired.place] = '4'
{%- endmacro %}
