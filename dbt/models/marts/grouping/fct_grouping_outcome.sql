-- What became of the analysed cases of a hospital and window in the grouping: grouped, or each reason why not.
with outcome as (
    select
        case when grouping(cell.organisation_id) = 1 then 'REGION' else cell.organisation_id end as hospital_id,
        data_window.window_id,
        coalesce(cell.ungrouped_reason, 'grouped') as outcome,
        sum(cell.analysed_count) as case_count
    from {{ ref('int_cell') }} as cell
    inner join {{ ref('int_window') }} as data_window
        on cell.discharge_month between data_window.first_month and data_window.last_month
    group by
        grouping sets (
            (cell.organisation_id, data_window.window_id, coalesce(cell.ungrouped_reason, 'grouped')),
            (data_window.window_id, coalesce(cell.ungrouped_reason, 'grouped'))
        )
),

with_total as (
    select
        *,
        sum(case_count) over (partition by hospital_id, window_id) as analysed_count
    from outcome
)

select
    with_total.hospital_id,
    with_total.window_id,
    with_total.outcome,
    coalesce(reason.title_zh, '已入组') as outcome_zh,
    cast(with_total.case_count as bigint) as case_count,
    cast(with_total.analysed_count as bigint) as analysed_count,
    {{ exact_ratio(['with_total.case_count'], ['with_total.analysed_count'], 8, 18) }} as share
from with_total
left join {{ ref('ungrouped_reasons') }} as reason on with_total.outcome = reason.ungrouped_reason
where with_total.case_count > 0
