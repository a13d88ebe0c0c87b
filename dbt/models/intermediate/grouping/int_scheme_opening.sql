-- What opens an MDC to a case of a reach, besides its list: answers that it needs, body regions of which enough must be
-- there, sex and age.
with region as (
    select
        reach_id,
        subject as mdc,
        {{ union_of(one_bit('place', 'width')) }} as regions
    from {{ ref('int_scheme_bit') }}
    where role = 'body_region'
    group by reach_id, subject
)

select
    reach_mdc.reach_id,
    reach_mdc.mdc,
    reach_mdc.is_listed,
    reach_mdc.priority,
    reach_mdc.sex,
    reach_mdc.age_days_max,
    reach_mdc.age_years_max,
    case
        when reach_mdc.requires_valid_procedure then {{ one_bit('valid.place', 'valid.width') }}
        else {{ no_bits('reach.width') }}
    end as need,
    coalesce(region.regions, {{ no_bits('reach.width') }}) as regions,
    coalesce(reach_mdc.min_body_regions, 0) as min_body_regions
from {{ ref('int_scheme_reach_mdc') }} as reach_mdc
inner join {{ ref('int_scheme_reach') }} as reach on reach_mdc.reach_id = reach.reach_id
left join {{ ref('int_scheme_bit') }} as valid
    on reach_mdc.reach_id = valid.reach_id and valid.role = 'any_valid_procedure'
left join region on reach_mdc.reach_id = region.reach_id and reach_mdc.mdc = region.mdc
