{{ config(materialized='ephemeral') }}
-- The rules, tried on the distinct profiles: ADRG of each, or why it has none. An alternative matches when its MDC is
-- open and each of its rows holds; the first in the order of MDC, ADRG and alternative wins.
with signature as (
    select
        row_number() over () as signature_id,
        profile.*,
        {{ trait_sex('profile.traits') }} as sex,
        {{ trait_age_days_band('profile.traits') }} as age_days_band,
        {{ trait_age_years_band('profile.traits') }} as age_years_band,
        {{ trait_weight_band('profile.traits') }} as weight_band
    from (
        select distinct
            reach_id,
            mask,
            traits
        from {{ ref('int_grouping_profile') }}
        where reach_id is not null
    ) as profile
),

met as (
    select
        signature.*,
        opening.mdc,
        opening.is_listed,
        opening.priority,
        opening.sex is null or signature.sex = opening.sex as sex_holds,
        (opening.age_days_max is null or signature.age_days_band <= opening.age_days_max)
        and (opening.age_years_max is null or signature.age_years_band <= opening.age_years_max) as age_holds,
        {{ both_of('signature.mask', 'opening.need') }} = opening.need
        and {{ size_of(both_of('signature.mask', 'opening.regions')) }} >= opening.min_body_regions as answers_hold
    from signature
    inner join {{ ref('int_scheme_opening') }} as opening on signature.reach_id = opening.reach_id
),

tried as (
    select
        met.signature_id,
        alternative.alternative_rank,
        alternative.age_days_max is null or met.age_days_band <= alternative.age_days_max as age_holds,
        (alternative.weight_g_min is null or met.weight_band >= alternative.weight_g_min)
        and (
            alternative.weight_g_below is null
            or (met.weight_band <> -2 and met.weight_band < alternative.weight_g_below)
        ) as weight_holds
    from met
    inner join {{ ref('int_scheme_alternative') }} as alternative
        on met.reach_id = alternative.reach_id and met.mdc = alternative.mdc
    where
        met.sex_holds
        and met.age_holds
        and met.answers_hold
        and {{ both_of('met.mask', 'alternative.care') }} = alternative.need
),

matched as (
    select
        signature_id,
        min(alternative_rank) filter (where age_holds and weight_holds) as alternative_rank,
        bool_or(not weight_holds) as weight_fails,
        bool_or(not age_holds) as age_fails
    from tried
    group by signature_id
    having count(*) > 0
),

listed as (
    select
        signature_id,
        arg_min(mdc, priority) filter (where sex_holds and age_holds and answers_hold) as open_mdc,
        bool_or(not sex_holds) as sex_fails,
        bool_or(not age_holds) as age_fails
    from met
    where is_listed
    group by signature_id
    having count(*) > 0
),

concluded as (
    select
        signature.reach_id,
        signature.mask,
        signature.traits,
        coalesce(alternative.mdc, listed.open_mdc) as mdc,
        alternative.adrg,
        alternative.alternative,
        case
            when alternative.adrg is not null then null
            when listed.signature_id is null then 'principal_outside_scheme'
            when listed.open_mdc is null and listed.sex_fails then 'sex_conflict'
            when listed.open_mdc is null and listed.age_fails then 'age_conflict'
            when listed.open_mdc is null then 'no_adrg'
            when matched.weight_fails then 'weight_conflict'
            when matched.age_fails then 'age_conflict'
            else 'no_adrg'
        end as ungrouped_reason
    from signature
    left join matched on signature.signature_id = matched.signature_id
    left join {{ ref('int_scheme_alternative') }} as alternative
        on signature.reach_id = alternative.reach_id and matched.alternative_rank = alternative.alternative_rank
    left join listed on signature.signature_id = listed.signature_id
    -- this and `having` above leave nothing out: with them the planner expects fewer profiles than cases, and hashes those
    where coalesce(matched.alternative_rank, 0) >= 0
)

select
    concluded.reach_id,
    concluded.mask,
    concluded.traits,
    ending.group_no
from concluded
inner join {{ ref('int_scheme_reach') }} as reach on concluded.reach_id = reach.reach_id
inner join {{ ref('int_scheme_group') }} as ending
    on
        reach.edition_no = ending.edition_no
        and concluded.mdc is not distinct from ending.mdc
        and concluded.adrg is not distinct from ending.adrg
        and concluded.alternative is not distinct from ending.alternative
        and concluded.ungrouped_reason is not distinct from ending.ungrouped_reason
