-- One row: the dates and numbers behind eligibility, quotas and project stages, as decided in
-- seeds/programmes/selection_parameters.csv. A value that the parameter does not allow stops the run.
with checked as (
    select
        parameter_id,
        {{ stop_unless(
            matches_in_full('value', 'allowed_values'),
            'value',
            "'参数 ' || parameter_id || ' 的取值 ' || value || ' 不在允许范围 ' || allowed_values"
        ) }} as value
    from {{ ref('selection_parameters') }}
),

latest as (
    select last_day(max(discharge_month)) as last_discharge_date
    from {{ ref('int_cell') }}
)

select
    case
        when max(case when parameter_id = 'as_of_date' then value end) = 'data' then max(latest.last_discharge_date)
        else cast(nullif(max(case when parameter_id = 'as_of_date' then value end), 'data') as date)
    end as as_of_date,
    cast(max(case when parameter_id = 'support_since_year' then value end) as integer) as support_since_year,
    cast(max(case when parameter_id = 'accident_years' then value end) as integer) as accident_years,
    string_split(
        max(case when parameter_id = 'major_accident_levels' then value end), ';'
    ) as major_accident_levels,
    string_split(
        max(case when parameter_id = 'minor_accident_levels' then value end), ';'
    ) as minor_accident_levels,
    cast(
        max(case when parameter_id = 'baseline_years_before_start' then value end) as integer
    ) as baseline_years_before_start,
    cast(max(case when parameter_id = 'project_years' then value end) as integer) as project_years,
    cast(max(case when parameter_id = 'mid_term_months' then value end) as integer) as mid_term_months,
    cast(max(case when parameter_id = 'acceptance_months' then value end) as integer) as acceptance_months,
    cast(max(case when parameter_id = 'sample_share' then value end) as decimal(9, 8)) as sample_share,
    max(case when parameter_id = 'sample_seed' then value end) as sample_seed,
    max(case when parameter_id = 'core_precedence' then value end) as core_precedence,
    {% for whole in ['few_ranked_hospitals', 'forward_region_rank', 'forward_province_rank'] %}
        cast(max(case when parameter_id = '{{ whole }}' then value end) as integer) as {{ whole }}{{ ',' if not loop.last }}
    {% endfor %}
from checked
cross join latest
