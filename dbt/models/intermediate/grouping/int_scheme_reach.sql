-- What a case of a reach is asked beyond its codes: sex, age and weight, with the bounds that matter.
with bound as (
    select
        reach_id,
        sex,
        age_days_max,
        age_years_max,
        null as weight_g
    from {{ ref('int_scheme_reach_mdc') }}
    union all
    select
        reach_mdc.reach_id,
        null as sex,
        condition.age_days_max,
        null as age_years_max,
        unnest([condition.weight_g_min, condition.weight_g_below]) as weight_g
    from {{ ref('int_scheme_reach_mdc') }} as reach_mdc
    inner join {{ ref('int_scheme_condition') }} as condition
        on reach_mdc.edition_no = condition.edition_no and reach_mdc.mdc = condition.mdc
),

asked as (
    select
        reach_id,
        count(sex) > 0 as asks_sex,
        -- one more than the greatest bound: what lies above is all alike
        max(age_days_max) + 1 as age_days_limit,
        max(age_years_max) + 1 as age_years_limit,
        list(distinct weight_g) filter (where weight_g is not null) as weight_cuts
    from bound
    group by reach_id
)

select
    bit.edition_no,
    bit.reach_id,
    any_value(bit.width) as width,
    {{ no_bits('any_value(bit.width)') }} as nothing,
    coalesce(any_value(asked.asks_sex), false) as asks_sex,
    any_value(asked.age_days_limit) as age_days_limit,
    any_value(asked.age_years_limit) as age_years_limit,
    any_value(asked.weight_cuts) as weight_cuts
from {{ ref('int_scheme_bit') }} as bit
left join asked on bit.reach_id = asked.reach_id
group by bit.edition_no, bit.reach_id
