-- The reports of the platform, one per stay and disease: of several for one stay the furthest counts. Process items
-- count where the report itself counts, their numerators only where they stand in the denominator.
with ordered as (
    select
        report.organisation_id,
        report.patient_id,
        cast(report.discharge_time as date) as discharge_date,
        report.disease_code,
        report.item_denominators,
        report.item_numerators,
        coalesce(report.discharge_mode = '5', false) as has_died,
        report.report_state <> '8' as is_open,
        report.report_state = '6' as is_completed,
        report.report_state = '6'
        or (report.report_state = '5' and switch.single_disease_reported = 'submitted') as is_reported,
        row_number() over (
            partition by
                report.organisation_id, report.patient_id, cast(report.discharge_time as date), report.disease_code
            order by
                case report.report_state when '6' then 1 when '5' then 2 when '8' then 4 else 3 end, report.report_id
        ) as place
    from {{ ref('stg_single_disease_report') }} as report
    cross join {{ ref('int_switch') }} as switch
)

select
    organisation_id,
    patient_id,
    discharge_date,
    disease_code,
    is_open,
    is_completed,
    is_reported,
    has_died,
    case when is_reported then {{ true_count('item_denominators') }} else 0 end as item_due_count,
    case when is_reported then {{ true_count('item_denominators', 'item_numerators') }} else 0 end as item_met_count
from ordered
where place = 1
