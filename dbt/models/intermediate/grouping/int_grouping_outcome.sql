-- ADRG of every signature, or why it has none. An alternative matches when each of its rows holds; the first in the
-- order of MDC, ADRG and alternative wins.
with tried as (
    select
        mdc.signature_id,
        condition.alternative_rank,
        count(*) = min(condition.condition_count) as roles_hold,
        bool_and(condition.age_days_max is null or signature.age_days_band <= condition.age_days_max) as age_holds,
        bool_and(
            (condition.weight_g_min is null or signature.weight_band >= condition.weight_g_min)
            and (
                condition.weight_g_below is null
                or (signature.weight_band <> -2 and signature.weight_band < condition.weight_g_below)
            )
        ) as weight_holds
    from {{ ref('int_grouping_mdc') }} as mdc
    inner join {{ ref('int_grouping_fact') }} as fact on mdc.signature_id = fact.signature_id
    inner join {{ ref('int_scheme_condition') }} as condition
        on
            mdc.edition_no = condition.edition_no
            and mdc.mdc = condition.mdc
            and fact.role = condition.role
            and fact.subject = condition.subject
    inner join {{ ref('int_grouping_signature') }} as signature on mdc.signature_id = signature.signature_id
    where mdc.is_open
    group by mdc.signature_id, condition.alternative_rank
),

matched as (
    select
        signature_id,
        min(alternative_rank) filter (where age_holds and weight_holds) as alternative_rank,
        bool_or(not weight_holds) as weight_fails,
        bool_or(not age_holds) as age_fails
    from tried
    where roles_hold
    group by signature_id
),

listed as (
    select
        signature_id,
        arg_min(mdc, priority) filter (where is_open) as open_mdc,
        bool_or(not sex_holds) as sex_fails,
        bool_or(not age_holds) as age_fails
    from {{ ref('int_grouping_mdc') }}
    where has_list
    group by signature_id
),

alternative as (
    select distinct
        edition_no,
        alternative_rank,
        mdc,
        adrg,
        alternative
    from {{ ref('int_scheme_condition') }}
)

select
    signature.*,
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
from {{ ref('int_grouping_signature') }} as signature
left join matched on signature.signature_id = matched.signature_id
left join alternative
    on signature.edition_no = alternative.edition_no and matched.alternative_rank = alternative.alternative_rank
left join listed on signature.signature_id = listed.signature_id
