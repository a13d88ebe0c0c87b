-- Mean cost and stay per DRG over the trimmed, grouped cases of the reference population, and the weight:
-- the group's mean cost over the mean cost of all those cases.
with reference_cell as (
    select
        cell.*,
        switch.reference_population,
        data_window.window_id
    from {{ ref('int_cell') }} as cell
    cross join {{ ref('int_switch') }} as switch
    inner join {{ ref('int_window') }} as data_window
        on cell.discharge_month between data_window.first_month and data_window.last_month
    left join {{ ref('stg_hospital') }} as hospital on cell.organisation_id = hospital.organisation_id
    where
        cell.grouped_count > 0
        and (switch.reference_population = 'region' or hospital.level = '3')
),

per_group as (
    select
        window_id,
        drg_code,
        reference_population,
        cast(sum(grouped_count) as bigint) as case_count,
        cast(sum(grouped_cost_fen) as bigint) as cost_fen_sum,
        cast(sum(grouped_stay_days) as bigint) as los_days_sum,
        string_agg(distinct scheme_edition, '、' order by scheme_edition) as edition
    from reference_cell
    group by window_id, drg_code, reference_population
),

with_total as (
    select
        *,
        sum(case_count) over (partition by window_id) as total_case_count,
        sum(cost_fen_sum) over (partition by window_id) as total_cost_fen
    from per_group
)

select
    window_id,
    drg_code,
    reference_population,
    case_count,
    cost_fen_sum,
    los_days_sum,
    {{ exact_ratio(['cost_fen_sum'], ['case_count'], 8, 24) }} as mean_cost_fen,
    {{ exact_ratio(['los_days_sum'], ['case_count'], 8, 24) }} as mean_los_days,
    {{ exact_ratio(
        ['cost_fen_sum', 'total_case_count'], ['case_count', 'total_cost_fen'], 12, 20
    ) }} as weight,
    edition
from with_total
