-- The registry of indicators as published: what each is, how it is made, and what it still depends on.
select
    indicator_id,
    serial,
    name_zh,
    name_en,
    unit,
    decimals,
    direction,
    method,
    numerator_measure,
    denominator_measure,
    case_measure,
    definition_zh,
    clause,
    method_version,
    status = 'provisional' as is_provisional,
    switches,
    is_share,
    reference_lists,
    definition_en,
    pitfalls_zh,
    pitfalls_en
from {{ ref('indicators') }}
