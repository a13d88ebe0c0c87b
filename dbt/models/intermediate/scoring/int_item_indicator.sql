-- The indicators of items, by candidate: a table of its own, small enough to be looked up in.
select
    candidate.candidate_no,
    item.item_no,
    indicator.numerator,
    indicator.denominator,
    indicator.value,
    indicator.case_count,
    indicator.status,
    indicator.status_reason
from {{ ref('int_programme_item') }} as item
inner join {{ ref('fct_indicator') }} as indicator
    on
        item.attribution = indicator.attribution
        and item.indicator_window_id = indicator.window_id
        and item.indicator_id = indicator.indicator_id
inner join {{ ref('int_candidate') }} as candidate
    on
        item.serial = candidate.serial
        and indicator.hospital_id = candidate.hospital_id
        and indicator.specialty_code = candidate.specialty_code
