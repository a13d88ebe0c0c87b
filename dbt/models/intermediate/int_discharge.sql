{{ config(materialized='view') }}
-- One row per landed front page: what anything counts, decided once. A view: only int_cell and the row rules read it.
-- No CTE is named twice: DuckDB would keep it apart and then compute every column, wanted or not.
-- depends_on: {{ ref('int_drg_case') }}
-- depends_on: {{ ref('stg_drg_result') }}
with operation as (
    select
        page.source_id,
        page.source_row,
        cast(page.discharge_time as date) as discharge_date,
        {{ elements('page.operations', "switch.surgery_scope = 'main'") }} as operation_code
    from {{ ref('stg_hqms_front_page') }} as page
    cross join {{ ref('int_switch') }} as switch
),

-- by the catalogue that was valid on the discharge date, never by the level that the hospital wrote down
surgery as (
    select
        operation.source_id,
        operation.source_row,
        count(*) as surgery_procedures,
        count(*) filter (where catalogue.is_level4) as level4_procedures,
        count(*) filter (where catalogue.is_minimally_invasive) as minimally_invasive_procedures
    from operation
    inner join {{ ref('int_surgery_catalogue') }} as catalogue
        on
            operation.operation_code = catalogue.operation_code
            and operation.discharge_date >= catalogue.valid_from
            and operation.discharge_date < catalogue.valid_until
    group by operation.source_id, operation.source_row
),

resolved as (
    select
        page.source_id,
        page.source_row,
        page.organisation_id,
        page.patient_id,
        page.admission_count,
        page.discharge_time,
        page.month,
        cast(date_trunc('month', page.discharge_time) as date) as discharge_month,
        coalesce(second_level.specialty_code, first_level.specialty_code, 'UNMAPPED') as specialty_code,
        drg.drg_code,
        drg.mdc,
        coalesce(drg.mdc_specialty_code, 'UNMAPPED') as mdc_specialty_code,
        drg.scheme_edition,
        case
            when drg.drg_code is not null then null
            {% if var('drg_source', 'external') == 'own' %}
                else coalesce(drg_result.ungrouped_reason, 'no_edition')
            {% else %}
                when drg_result.organisation_id is null then 'no_result'
                else 'not_grouped'
            {% endif %}
        end as ungrouped_reason,
        page.total_fee_fen,
        page.length_of_stay_days,
        case
            when page.length_of_stay_days is null then 'stay_missing'
            when page.length_of_stay_days > switch.trim_max_los_days then 'stay_over_limit'
            when page.total_fee_fen is null then 'cost_missing'
            when page.total_fee_fen < switch.trim_min_cost_fen then 'cost_below_limit'
            when
                page.length_of_stay_days <= switch.trim_z53_max_los_days and page.diagnoses[1] like 'Z53%'
                then 'z53_short'
        end as exclusion_reason,
        coalesce(surgery.surgery_procedures, 0) as surgery_procedures,
        coalesce(surgery.level4_procedures, 0) as level4_procedures,
        coalesce(surgery.minimally_invasive_procedures, 0) as minimally_invasive_procedures,
        page.discharge_mode is not distinct from '5' as has_died,
        page.admission_route is not distinct from '3' as is_transfer_in,
        coalesce(
            page.residence_basis in ('address', 'postcode') and page.residence_division is not null, false
        ) as is_residence_known,
        page.residence_division
    from {{ ref('stg_hqms_front_page') }} as page
    cross join {{ ref('int_switch') }} as switch
    left join {{ ref('specialties') }} as second_level
        on page.discharge_department = second_level.specialty_code
    left join {{ ref('specialties') }} as first_level
        -- a longer internal code of a hospital says nothing by its first two digits
        on
            left(page.discharge_department, 2) = first_level.specialty_code
            and length(page.discharge_department) <= 4
    {% if var('drg_source', 'external') == 'own' %}
        left join {{ ref('int_drg_case') }} as drg_result
            on page.source_id = drg_result.source_id and page.source_row = drg_result.source_row
    {% else %}
        left join {{ ref('stg_drg_result') }} as drg_result
            on
                page.patient_id = drg_result.patient_id
                and page.discharge_time = drg_result.discharge_time
                and page.admission_count = drg_result.admission_count
                and page.organisation_id = drg_result.organisation_id
    {% endif %}
    left join {{ ref('int_drg') }} as drg
        on
            drg_result.drg_code = drg.drg_code
            and coalesce(drg_result.scheme_edition, '未注明') = drg.scheme_edition
    left join surgery
        on page.source_id = surgery.source_id and page.source_row = surgery.source_row
)

select
    source_id,
    source_row,
    organisation_id,
    patient_id,
    admission_count,
    discharge_time,
    month,
    discharge_month,
    specialty_code,
    drg_code,
    mdc,
    mdc_specialty_code,
    scheme_edition,
    ungrouped_reason,
    total_fee_fen,
    length_of_stay_days,
    exclusion_reason,
    exclusion_reason is null as is_analysed,
    exclusion_reason is null and drg_code is not null as is_grouped,
    surgery_procedures > 0 as has_surgery,
    level4_procedures > 0 as has_level4_surgery,
    minimally_invasive_procedures > 0 as has_minimally_invasive_surgery,
    surgery_procedures,
    level4_procedures,
    minimally_invasive_procedures,
    has_died,
    is_transfer_in,
    is_residence_known,
    residence_division,
    is_residence_known and left(residence_division, 2) <> left({{ province_division() }}, 2) as is_out_of_province
from resolved
