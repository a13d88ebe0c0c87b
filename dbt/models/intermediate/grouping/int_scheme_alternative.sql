-- The ADRG alternatives that a reach can come to, and the bounds that all of their rows set together. Of the answers that
-- an alternative cares for, a case must give exactly those that it needs.
with asked as (
    select
        reach_mdc.reach_id,
        condition.alternative_rank,
        condition.mdc,
        condition.adrg,
        condition.alternative,
        condition.age_days_max,
        condition.weight_g_min,
        condition.weight_g_below,
        condition.role,
        {{ one_bit('bit.place', 'bit.width') }} as answer,
        {{ no_bits('bit.width') }} as nothing
    from {{ ref('int_scheme_reach_mdc') }} as reach_mdc
    inner join {{ ref('int_scheme_condition') }} as condition
        on reach_mdc.edition_no = condition.edition_no and reach_mdc.mdc = condition.mdc
    inner join {{ ref('int_scheme_bit') }} as bit
        on
            reach_mdc.reach_id = bit.reach_id
            and case condition.role when 'no_valid_procedure' then 'any_valid_procedure' else condition.role end
            = bit.role
            and condition.subject = bit.subject
),

asked_together as (
    select
        reach_id,
        alternative_rank,
        mdc,
        adrg,
        alternative,
        any_value(nothing) as nothing,
        min(age_days_max) as age_days_max,
        max(weight_g_min) as weight_g_min,
        min(weight_g_below) as weight_g_below,
        {{ union_of("case when role in ('none', 'no_valid_procedure') then nothing else answer end") }} as need,
        {{ union_of("case when role = 'no_valid_procedure' then answer else nothing end") }} as forbid
    from asked
    group by reach_id, alternative_rank, mdc, adrg, alternative
)

select
    reach_id,
    alternative_rank,
    mdc,
    adrg,
    alternative,
    age_days_max,
    weight_g_min,
    weight_g_below,
    need,
    {{ either_of('need', 'forbid') }} as care
from asked_together
-- what asks for a thing and forbids it can never hold
where {{ both_of('need', 'forbid') }} = nothing
