{{ config(materialized='kept_by_month') }}
-- The grouper's answer in numbers, one row per case: twelve texts a case would cost more to write than to find.
select
    profile.source_id,
    profile.source_row,
    profile.edition_no,
    profile.principal_no,
    profile.unread_code,
    outcome.group_no,
    profile.complication
from {{ ref('int_grouping_profile') }} as profile
left join {{ ref('int_grouping_outcome') }} as outcome
    on
        profile.reach_id = outcome.reach_id
        and profile.mask = outcome.mask
        and profile.traits = outcome.traits
