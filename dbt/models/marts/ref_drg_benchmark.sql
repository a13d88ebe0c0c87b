-- Mean cost and stay per DRG over the trimmed, grouped cases of the reference population, and the weight: the scheme's
-- own where its edition brings weights, else the group's mean cost over the mean cost of all cases of that edition.
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
        scheme_edition,
        drg_code,
        reference_population,
        cast(sum(grouped_count) as bigint) as case_count,
        cast(sum(grouped_cost_fen) as bigint) as cost_fen_sum,
        cast(sum(grouped_stay_days) as bigint) as los_days_sum
    from reference_cell
    group by window_id, scheme_edition, drg_code, reference_population
),

with_total as (
    select
        *,
        sum(case_count) over (partition by window_id, scheme_edition) as total_case_count,
        sum(cost_fen_sum) over (partition by window_id, scheme_edition) as total_cost_fen
    from per_group
),

weighed_edition as (
    select distinct edition_id
    from {{ source('scheme', 'weight') }}
    where {{ 'true' if var('drg_source', 'external') == 'own' else 'false' }}
)

select
    with_total.window_id,
    with_total.scheme_edition,
    with_total.drg_code,
    with_total.reference_population,
    with_total.case_count,
    with_total.cost_fen_sum,
    with_total.los_days_sum,
    {{ exact_ratio(['with_total.cost_fen_sum'], ['with_total.case_count'], 8, 24) }} as mean_cost_fen,
    {{ exact_ratio(['with_total.los_days_sum'], ['with_total.case_count'], 8, 24) }} as mean_los_days,
    case
        when weighed_edition.edition_id is not null then cast(weight.weight as decimal(20, 12))
        else {{ exact_ratio(
            ['with_total.cost_fen_sum', 'with_total.total_case_count'],
            ['with_total.case_count', 'with_total.total_cost_fen'],
            12, 20
        ) }}
    end as weight,
    case when weighed_edition.edition_id is not null then 'scheme' else 'computed' end as weight_source
from with_total
left join weighed_edition on with_total.scheme_edition = weighed_edition.edition_id
left join {{ source('scheme', 'weight') }} as weight
    on weighed_edition.edition_id = weight.edition_id and with_total.drg_code = weight.drg
