-- Discharges against reports: one row per front page and disease that ought to be reported or was. A report belongs to
-- the stay with the same organisation, patient and day of discharge. Only months from which the platform's extract has
-- been received: without one, nobody can tell what was reported.
with received as (
    select distinct date_trunc('month', discharge_date) as discharge_month
    from {{ ref('int_single_disease_report') }}
),

reported as (
    select
        page.source_id,
        page.source_row,
        report.disease_code,
        report.is_open,
        report.is_completed,
        report.is_reported,
        report.item_due_count,
        report.item_met_count
    from {{ ref('stg_hqms_front_page') }} as page
    inner join {{ ref('int_single_disease_report') }} as report
        on
            page.patient_id = report.patient_id
            and cast(page.discharge_time as date) = report.discharge_date
            and page.organisation_id = report.organisation_id
),

matched as (
    select
        {% for key in ['source_id', 'source_row', 'disease_code'] %}
            coalesce(due.{{ key }}, reported.{{ key }}) as {{ key }},
        {% endfor %}
        due.disease_code is not null as is_due,
        {% for state in ['is_open', 'is_completed', 'is_reported'] %}
            coalesce(reported.{{ state }}, false) as {{ state }},
        {% endfor %}
        cast(coalesce(reported.item_due_count, 0) as bigint) as item_due_count,
        cast(coalesce(reported.item_met_count, 0) as bigint) as item_met_count
    from {{ ref('int_single_disease_due') }} as due
    full join reported
        on
            due.source_row = reported.source_row
            and due.source_id = reported.source_id
            and due.disease_code = reported.disease_code
)

select
    matched.*,
    page.organisation_id,
    page.patient_id,
    cast(page.discharge_time as date) as discharge_date,
    page.length_of_stay_days,
    page.total_fee_fen,
    page.discharge_mode is not distinct from '5' as has_died
from matched
inner join {{ ref('stg_hqms_front_page') }} as page
    on matched.source_id = page.source_id and matched.source_row = page.source_row
inner join received on date_trunc('month', page.discharge_time) = received.discharge_month
