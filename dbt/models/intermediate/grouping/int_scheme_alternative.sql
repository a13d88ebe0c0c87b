-- The ADRG alternatives that a reach can come to: what a case must answer (need) and must not (forbid), and the bounds
-- that all of its rows set together.
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
)

select
    reach_id,
    alternative_rank,
    mdc,
    adrg,
    alternative,
    min(age_days_max) as age_days_max,
    max(weight_g_min) as weight_g_min,
    min(weight_g_below) as weight_g_below,
    {{ union_of("case when role in ('none', 'no_valid_procedure') then nothing else answer end") }} as need,
    {{ union_of("case when role = 'no_valid_procedure' then answer else nothing end") }} as forbid
from asked
group by reach_id, alternative_rank, mdc, adrg, alternative
