{{ config(materialized='table' if var('cases_are_asked_for', false) else 'view') }}
-- One row per landed front page: what anything counts, decided once. A view: only int_cell and the row rules read it.
-- A table where single cases are asked for, question after question.
-- No CTE is named twice: DuckDB would keep it apart and then compute every column, wanted or not. What a list says of a
-- case is asked before anything is joined, and the one join that brings a list is the last: each outer join parts a
-- block of rows into those with a match and those without, and DuckDB puts blocks together again only where no column
-- is a list. Blocks of a few rows made all that follows ten times as dear.
-- depends_on: {{ ref('int_drg_case') }}
-- depends_on: {{ ref('stg_drg_result') }}
with operation as (
    select
        page.source_id,
        page.source_row,
        cast(page.discharge_time as date) as discharge_date,
        {{ elements('page.operations', "definition.surgery_scope = 'main'") }} as operation_code
    from {{ ref('stg_hqms_front_page') }} as page
    inner join {{ ref('int_definition') }} as definition
        on extract(year from page.discharge_time) = definition.data_year
),

-- by the catalogue that was valid on the discharge date, never by the level that the hospital wrote down
surgery as (
    select
        operation.source_id,
        operation.source_row,
        count(*) as surgery_procedures,
        list(distinct operation.operation_code) as operation_codes,
        count(*) filter (where catalogue.is_level4) as level4_procedures,
        count(*) filter (where catalogue.is_minimally_invasive) as minimally_invasive_procedures,
        count(*) filter (where catalogue.is_day_surgery) as day_surgery_procedures,
        count(*) filter (where catalogue.is_endoscopic_or_interventional) as endoscopic_procedures
    from operation
    inner join {{ ref('int_surgery_catalogue') }} as catalogue
        on
            operation.operation_code = catalogue.operation_code
            and operation.discharge_date >= catalogue.valid_from
            and operation.discharge_date < catalogue.valid_until
    group by operation.source_id, operation.source_row
),

complication as (
    select distinct
        source_id,
        source_row
    from ({{ acquired_complications() }}) as acquired
),

-- a discharge may be asked for under several diseases: each counts
single_disease as (
    select
        source_id,
        source_row,
        count(*) filter (where is_due) as single_disease_due_count,
        count(*) filter (where is_due and is_reported) as single_disease_reported_count,
        count(*) filter (where is_open) as single_disease_record_count,
        count(*) filter (where is_completed) as single_disease_completed_count,
        count(*) filter (where is_reported) as single_disease_submitted_count,
        sum(item_due_count) as single_disease_item_due_count,
        sum(item_met_count) as single_disease_item_met_count
    from {{ ref('int_single_disease_case') }}
    group by source_id, source_row
),

page as (
    select
        *,
        diagnoses[1] as principal_diagnosis,
        diagnosis_outcomes[1] as outcome,
        -- ICD-9-CM-3 17.4: stands beside the operation that the robot assisted, and in no catalogue of surgery
        {{ has_prefix('operations', '17.4') }} as names_robot,
        -- 0 class excluded; 3 is a class I incision that healed badly
        {{ has_any_of('operation_incisions', ['1', '2', '3', '10']) }} as has_class1_incision,
        {{ has_any_of('operation_incisions', ['3']) }} as has_class1_infection
    from {{ ref('stg_hqms_front_page') }}
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
        {{ specialty_of_joins() }} as specialty_code,
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
                page.length_of_stay_days <= switch.trim_z53_max_los_days and page.principal_diagnosis like 'Z53%'
                then 'z53_short'
        end as exclusion_reason,
        definition.surgery_count_basis,
        coalesce(surgery.surgery_procedures, 0) as surgery_procedures,
        coalesce(surgery.level4_procedures, 0) as level4_procedures,
        coalesce(surgery.minimally_invasive_procedures, 0) as minimally_invasive_procedures,
        surgery.surgery_procedures > 0 and page.admission_route is distinct from '1' as is_elective_surgery,
        complication.source_id is not null as has_complication,
        surgery.day_surgery_procedures > 0
        and {{ seconds_between('page.admission_time', 'page.discharge_time') }}
        <= 3600 * switch.day_surgery_max_hours as is_day_surgery,
        surgery.endoscopic_procedures > 0 as has_endoscopy_or_intervention,
        surgery.surgery_procedures > 0 and page.names_robot as is_robot_assisted,
        surgery.operation_codes,
        page.has_class1_incision,
        page.has_class1_infection,
        page.ventilator_hours >= 96 as is_ventilated_long,
        -- only where both are reported and fit together
        case when page.rescue_success_count between 0 and page.rescue_count then page.rescue_count end as rescue_count,
        case
            when page.rescue_success_count between 0 and page.rescue_count then page.rescue_success_count
        end as rescue_success_count,
        page.outcome,
        page.discharge_mode is not distinct from '5' as has_died,
        page.admission_route is not distinct from '3' as is_transfer_in,
        coalesce(
            page.residence_basis in ('address', 'postcode') and page.residence_division is not null, false
        ) as is_residence_known,
        page.residence_division,
        case
            when page.residence_basis in ('address', 'postcode') then {{ home_of('page.residence_division') }}
        end as residence_city,
        hospital.city as hospital_city,
        page.nationality is not null as is_nationality_known,
        page.nationality is not null and domestic.nationality is null as is_foreign,
        single_disease.single_disease_due_count,
        single_disease.single_disease_reported_count,
        single_disease.single_disease_record_count,
        single_disease.single_disease_completed_count,
        single_disease.single_disease_submitted_count,
        single_disease.single_disease_item_due_count,
        single_disease.single_disease_item_met_count
    from page
    cross join {{ ref('int_switch') }} as switch
    inner join {{ ref('int_definition') }} as definition
        on extract(year from page.discharge_time) = definition.data_year
    {{ specialty_joins('page.discharge_department') }}
    left join (
        select
            organisation_id,
            {{ city_of('division') }} as city
        from {{ ref('stg_hospital') }}
    ) as hospital on page.organisation_id = hospital.organisation_id
    left join {{ ref('domestic_nationalities') }} as domestic on page.nationality = domestic.nationality
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
    left join complication
        on page.source_id = complication.source_id and page.source_row = complication.source_row
    left join single_disease
        on page.source_id = single_disease.source_id and page.source_row = single_disease.source_row
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
    {% for counted in ['surgery', 'level4', 'minimally_invasive'] %}
        case surgery_count_basis
            when 'procedure' then {{ counted }}_procedures else least({{ counted }}_procedures, 1)
        end as {{ counted }}_count,
    {% endfor %}
    operation_codes,
    coalesce(is_elective_surgery, false) as is_elective_surgery,
    coalesce(is_elective_surgery and has_complication, false) as has_complication,
    coalesce(is_elective_surgery and is_day_surgery, false) as is_day_surgery,
    coalesce(has_endoscopy_or_intervention, false) as has_endoscopy_or_intervention,
    coalesce(is_robot_assisted, false) as is_robot_assisted,
    has_class1_incision,
    has_class1_infection,
    coalesce(is_ventilated_long, false) as is_ventilated_long,
    rescue_count,
    rescue_success_count,
    outcome is not null as is_outcome_known,
    coalesce(outcome = '1', false) as is_cured,
    coalesce(outcome in ('1', '2'), false) as is_cured_or_improved,
    has_died,
    is_transfer_in,
    is_residence_known,
    residence_division,
    is_residence_known and left(residence_division, 2) <> left({{ province_division() }}, 2) as is_out_of_province,
    residence_city is not null and hospital_city is not null as is_city_known,
    coalesce(residence_city <> hospital_city, false) as is_out_of_city,
    is_nationality_known,
    is_foreign,
    single_disease_due_count,
    single_disease_reported_count,
    single_disease_record_count,
    single_disease_completed_count,
    single_disease_submitted_count,
    single_disease_item_due_count,
    single_disease_item_met_count
from resolved
