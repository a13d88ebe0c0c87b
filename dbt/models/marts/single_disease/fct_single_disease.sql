-- Each disease of the single-disease platform per hospital and window: how many cases the front pages ask for, what was
-- reported of them, how far the reports are, their process items; and deaths, stay and cost of the cases asked for,
-- from the front pages.
with yearly as (
    select
        organisation_id,
        disease_code,
        cast(extract(year from discharge_date) as integer) as data_year,
        count(*) filter (where is_due) as due_count,
        count(*) filter (where is_due and is_reported) as reported_count,
        count(*) filter (where is_open) as record_count,
        count(*) filter (where is_completed) as completed_count,
        0 as unmatched_count,
        cast(sum(item_due_count) as bigint) as item_due_count,
        cast(sum(item_met_count) as bigint) as item_met_count,
        count(*) filter (where is_due and has_died) as death_count,
        count(length_of_stay_days) filter (where is_due) as stay_known_count,
        cast(coalesce(sum(length_of_stay_days) filter (where is_due), 0) as bigint) as stay_days_sum,
        count(total_fee_fen) filter (where is_due) as fee_known_count,
        cast(coalesce(sum(total_fee_fen) filter (where is_due), 0) as bigint) as fee_fen_sum
    from {{ ref('int_single_disease_case') }}
    group by organisation_id, disease_code, data_year
    union all
    select
        report.organisation_id,
        report.disease_code,
        cast(extract(year from report.discharge_date) as integer) as data_year,
        0 as due_count,
        0 as reported_count,
        0 as record_count,
        0 as completed_count,
        count(*) as unmatched_count,
        {% for nothing in ['item_due', 'item_met', 'death', 'stay_known'] %}
            0 as {{ nothing }}_count,
        {% endfor %}
        0 as stay_days_sum,
        0 as fee_known_count,
        0 as fee_fen_sum
    from {{ ref('int_single_disease_report') }} as report
    where
        report.is_open
        and not exists (
            select 1
            from {{ ref('int_single_disease_case') }} as matched
            where
                report.patient_id = matched.patient_id
                and report.discharge_date = matched.discharge_date
                and report.organisation_id = matched.organisation_id
                and report.disease_code = matched.disease_code
        )
    group by report.organisation_id, report.disease_code, data_year
),

windowed as (
    select
        case when grouping(yearly.organisation_id) = 1 then 'REGION' else yearly.organisation_id end as hospital_id,
        yearly.disease_code,
        data_window.window_id,
        {% for counted in [
            'due', 'reported', 'record', 'completed', 'unmatched', 'item_due', 'item_met', 'death', 'stay_known',
            'fee_known',
        ] %}
            cast(sum(yearly.{{ counted }}_count) as bigint) as {{ counted }}_count,
        {% endfor %}
        cast(sum(yearly.stay_days_sum) as bigint) as stay_days_sum,
        cast(sum(yearly.fee_fen_sum) as bigint) as fee_fen_sum
    from yearly
    inner join {{ ref('int_window') }} as data_window
        on yearly.data_year between data_window.first_year and data_window.last_year
    group by grouping sets (
        (yearly.organisation_id, yearly.disease_code, data_window.window_id),
        (yearly.disease_code, data_window.window_id)
    )
)

select
    windowed.hospital_id,
    windowed.disease_code,
    windowed.window_id,
    disease.serial,
    disease.name_zh as disease_zh,
    case when disease.is_recomputed then windowed.due_count end as due_count,
    case when disease.is_recomputed then windowed.reported_count end as reported_count,
    {{ exact_ratio(['windowed.reported_count'], ['windowed.due_count'], 8, 18) }} as report_rate,
    windowed.record_count,
    windowed.completed_count,
    {{ exact_ratio(['windowed.completed_count'], ['windowed.record_count'], 8, 18) }} as completion_rate,
    windowed.unmatched_count,
    windowed.item_due_count,
    windowed.item_met_count,
    {{ exact_ratio(['windowed.item_met_count'], ['windowed.item_due_count'], 8, 18) }} as process_share,
    case when disease.is_recomputed then windowed.death_count end as death_count,
    {{ exact_ratio(['windowed.death_count'], ['windowed.due_count'], 8, 18) }} as mortality_rate,
    {{ exact_ratio(['windowed.stay_days_sum'], ['windowed.stay_known_count'], 8, 18) }} as mean_length_of_stay,
    {{ exact_ratio(['windowed.fee_fen_sum'], ['windowed.fee_known_count'], 2, 18) }} as mean_fee_fen,
    disease.status = 'provisional' as is_provisional,
    case
        when not disease.is_recomputed then '应上报例数不能由首页重算：' || disease.note_zh
        when windowed.due_count = 0 then '首页没有应上报的病例'
    end as status_reason
from windowed
inner join {{ ref('single_diseases') }} as disease on windowed.disease_code = disease.disease_code
