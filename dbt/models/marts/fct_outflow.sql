-- Residents of a city or county who were discharged from a hospital elsewhere in the province, per specialty and window,
-- and whether their share lies above the threshold that makes a specialty short in that division.
select
    outflow.window_id,
    outflow.division_rank,
    outflow.residence_division,
    division.name_zh as residence_name_zh,
    outflow.specialty_code,
    outflow.resident_count,
    outflow.outflow_count,
    {{ exact_ratio(['outflow.outflow_count'], ['outflow.resident_count'], 8, 18) }} as outflow_rate,
    cast(switch.outflow_threshold as decimal(18, 8)) as threshold,
    outflow.outflow_count > switch.outflow_threshold * outflow.resident_count as is_above_threshold
from {{ ref('int_outflow') }} as outflow
cross join {{ ref('int_switch') }} as switch
left join (
    select
        division,
        max_by(name_zh, coalesce(effective_to, '9999-12-31')) as name_zh
    from {{ ref('divisions') }}
    group by division
) as division
    on outflow.residence_division = division.division
