{{ config(materialized='view') }}
-- The grouper's answer, one row per case: DRG or the reason that there is none, and what decided it. A view: its
-- numbers are a table, and whoever asks for their texts has few cases or sums many up.
with complication_code as (
    select distinct
        code_no,
        canonical_code
    from {{ ref('int_scheme_diagnosis') }}
),

joined as (
    select
        answer.source_id,
        answer.source_row,
        scheme.edition_id as scheme_edition,
        coalesce(principal.canonical_code, answer.unread_code) as principal_code,
        ending.mdc,
        ending.adrg,
        ending.alternative,
        ending.ungrouped_reason,
        adrg.mcc_drg,
        adrg.cc_drg,
        adrg.none_drg,
        case when adrg.is_divided then {{ complication_level('answer.complication') }} end as complication_level,
        case when adrg.is_divided then complication_code.canonical_code end as complication_code
    from {{ ref('int_drg_answer') }} as answer
    inner join {{ ref('int_scheme') }} as scheme on answer.edition_no = scheme.edition_no
    left join {{ ref('int_scheme_principal') }} as principal on answer.principal_no = principal.principal_no
    left join {{ ref('int_scheme_group') }} as ending on answer.group_no = ending.group_no
    left join {{ ref('int_scheme_adrg') }} as adrg
        on ending.edition_no = adrg.edition_no and ending.adrg = adrg.adrg
    left join complication_code
        on {{ complication_code_no('answer.complication') }} = complication_code.code_no
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
