-- The reports of the platform, one per stay and disease: of several for one stay the furthest counts. Process items
-- count where the report itself counts, their numerators only where they stand in the denominator.
with ordered as (
    select
        report.source_id,
        report.source_row,
        report.organisation_id,
        report.patient_id,
        cast(report.discharge_time as date) as discharge_date,
        report.disease_code,
        report.items,
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
),

item as (
    select
        ordered.source_id,
        ordered.source_row,
        ordered.item_denominators,
        ordered.item_numerators,
        {{ positioned_elements('ordered.items', 'item', 'place') }}
    from ordered
    where ordered.place = 1 and ordered.is_reported
),

counted as (
    select
        source_id,
        source_row,
        count(*) filter (where item_denominators[place]) as item_due_count,
        count(*) filter (where item_denominators[place] and item_numerators[place]) as item_met_count
    from item
    group by source_id, source_row
)

select
    ordered.organisation_id,
    ordered.patient_id,
    ordered.discharge_date,
    ordered.disease_code,
    ordered.is_open,
    ordered.is_completed,
    ordered.is_reported,
    ordered.has_died,
    coalesce(counted.item_due_count, 0) as item_due_count,
    coalesce(counted.item_met_count, 0) as item_met_count
from ordered
left join counted on ordered.source_id = counted.source_id and ordered.source_row = counted.source_row
where ordered.place = 1
