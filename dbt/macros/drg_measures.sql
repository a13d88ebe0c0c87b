{# The measures that rest on DRGs, for each of `keys` and window: its grouped cases by DRG (`parts`) against the
   reference's weights, means and risk classes, and its `counts`. For published levels (int_summary) and for single
   cases (int_case_measure), so that a case is explained by what was counted. #}
{% macro drg_measures(counts, parts, keys) -%}
with by_drg as (
    select
        {% for key in keys %}part.{{ key }}, {% endfor %}
        part.window_id,
        part.grouped_count,
        part.grouped_death_count,
        part.grouped_transfer_in_count,
        benchmark.weight,
        risk.risk_class,
        -- NULL where the reference population has no such group
        {{ exact_ratio(
            ['part.grouped_cost_fen', 'benchmark.case_count'], ['benchmark.cost_fen_sum'], 12, 26
        ) }} as cost_ratio,
        {{ exact_ratio(
            ['part.grouped_stay_days', 'benchmark.case_count'], ['benchmark.los_days_sum'], 12, 26
        ) }} as time_ratio
    from {{ parts }} as part
    left join {{ ref('ref_drg_benchmark') }} as benchmark
        on
            part.window_id = benchmark.window_id
            and part.drg_code = benchmark.drg_code
            and part.scheme_edition is not distinct from benchmark.scheme_edition
    left join {{ ref('ref_drg_risk') }} as risk
        on
            part.window_id = risk.window_id
            and part.drg_code = risk.drg_code
            and part.scheme_edition is not distinct from risk.scheme_edition
),

weighed as (
    select
        {% for key in keys %}by_drg.{{ key }}, {% endfor %}
        by_drg.window_id,
        count(*) filter (where grouped_count >= switch.drg_min_cases) as drg_group_count,
        coalesce(sum(grouped_count) filter (where weight is null), 0) as unreferenced_count,
        coalesce(sum(grouped_count) filter (where weight is not null), 0) as weighted_count,
        sum(cast(grouped_count as decimal(12, 0)) * weight) as weight_sum,
        coalesce(sum(grouped_count) filter (where weight >= 2), 0) as weight_2_count,
        coalesce(sum(cost_ratio), 0) as cost_ratio_sum,
        coalesce(sum(grouped_count) filter (where cost_ratio is not null), 0) as cost_ratio_count,
        coalesce(sum(time_ratio), 0) as time_ratio_sum,
        coalesce(sum(grouped_count) filter (where time_ratio is not null), 0) as time_ratio_count,
        coalesce(sum(grouped_count) filter (where risk_class = '1'), 0) as low_risk_count,
        coalesce(sum(grouped_death_count) filter (where risk_class = '1'), 0) as low_risk_death_count,
        coalesce(sum(grouped_count) filter (where risk_class = '2'), 0) as mid_low_risk_count,
        coalesce(sum(grouped_death_count) filter (where risk_class = '2'), 0) as mid_low_risk_death_count,
        coalesce(sum(grouped_count) filter (where risk_class = '3'), 0) as mid_high_risk_count,
        coalesce(sum(grouped_death_count) filter (where risk_class = '3'), 0) as mid_high_risk_death_count,
        coalesce(sum(grouped_count) filter (where risk_class = '4'), 0) as high_risk_count,
        coalesce(sum(grouped_death_count) filter (where risk_class = '4'), 0) as high_risk_death_count,
        sum(grouped_transfer_in_count) filter (
            where weight >= 2 or risk_class in ('3', '4')
        ) as transfer_in_critical_count
    from by_drg
    cross join {{ ref('int_switch') }} as switch
    group by {% for key in keys %}by_drg.{{ key }}, {% endfor %}by_drg.window_id
)

select
    {% for key in keys %}counted.{{ key }}, {% endfor %}
    counted.window_id,
    weighed.* exclude ({{ keys | join(', ') }}, window_id),
    weighed.low_risk_count + weighed.mid_low_risk_count as low_and_mid_low_risk_count,
    weighed.low_risk_death_count + weighed.mid_low_risk_death_count as low_and_mid_low_risk_death_count,
    case switch.critical_case_definition
        when 'rw2' then weighed.weight_2_count
        when 'risk34' then weighed.mid_high_risk_count + weighed.high_risk_count
        else counted.ventilated_long_count
    end as critical_case_count,
    case switch.critical_case_definition
        when 'ventilator96' then counted.discharge_count else weighed.weighted_count
    end as critical_base_count
from {{ counts }} as counted
cross join {{ ref('int_switch') }} as switch
left join weighed
    on
        {% for key in keys %}counted.{{ key }} = weighed.{{ key }} and {% endfor %}
        counted.window_id = weighed.window_id
{%- endmacro %}
