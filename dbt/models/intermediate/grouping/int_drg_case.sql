-- The grouper's answer, one row per case: DRG or the reason that there is none, and what decided it.
with complication_code as (
    select distinct
        code_no,
        canonical_code
    from {{ ref('int_scheme_diagnosis') }}
),

joined as (
    select
        profile.source_id,
        profile.source_row,
        scheme.edition_id as scheme_edition,
        profile.principal_code,
        outcome.mdc,
        outcome.adrg,
        outcome.alternative,
        outcome.ungrouped_reason,
        adrg.is_divided,
        adrg.mcc_drg,
        adrg.cc_drg,
        adrg.none_drg,
        case when adrg.is_divided then {{ complication_level('profile.complication') }} end as complication_level,
        case when adrg.is_divided then complication_code.canonical_code end as complication_code
    from {{ ref('int_grouping_profile') }} as profile
    inner join {{ ref('int_scheme') }} as scheme on profile.edition_no = scheme.edition_no
    left join {{ ref('int_grouping_outcome') }} as outcome
        on
            profile.reach_id = outcome.reach_id
            and profile.mask = outcome.mask
            and profile.traits = outcome.traits
    left join {{ ref('int_scheme_adrg') }} as adrg
        on profile.edition_no = adrg.edition_no and outcome.adrg = adrg.adrg
    left join complication_code
        on {{ complication_code_no('profile.complication') }} = complication_code.code_no
),

decided as (
    select
        *,
        case complication_level when 'mcc' then mcc_drg when 'cc' then cc_drg else none_drg end as drg_code
    from joined
)

select
    source_id,
    source_row,
    scheme_edition,
    principal_code,
    mdc,
    adrg,
    alternative,
    drg_code,
    complication_level,
    complication_code,
    case
        when principal_code is null then 'principal_missing'
        when adrg is not null and drg_code is null then 'no_drg'
        else ungrouped_reason
    end as ungrouped_reason
from decided
