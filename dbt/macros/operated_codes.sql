{# The operations of the catalogue that a hospital did in a specialty and year, each once. #}
{% macro operated_codes() -%}
with operated as (
    select
        organisation_id,
        specialty_code,
        drg_code,
        scheme_edition,
        cast(extract(year from discharge_month) as integer) as data_year,
        {{ elements('operation_codes', 'false') }} as operation_code
    from {{ ref('int_cell') }}
)

select distinct
    'department' as attribution,
    organisation_id,
    specialty_code,
    data_year,
    operation_code
from operated
union all
select distinct
    'mdc' as attribution,
    operated.organisation_id,
    coalesce(drg.mdc_specialty_code, 'UNMAPPED') as specialty_code,
    operated.data_year,
    operated.operation_code
from operated
left join {{ ref('int_drg') }} as drg
    on operated.drg_code = drg.drg_code and operated.scheme_edition is not distinct from drg.scheme_edition
{%- endmacro %}
