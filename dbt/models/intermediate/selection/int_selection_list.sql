-- The lists that there is something to select for: every programme, tier and window with scores. A higher tier of a
-- programme comes first.
select distinct
    score.programme_id,
    score.tier,
    score.window_id,
    programme.serial as list_order,
    list.reserve_places
from {{ ref('fct_score') }} as score
inner join {{ ref('programmes') }} as programme
    on score.programme_id = programme.programme_id and score.tier = programme.tier
inner join {{ ref('selection_lists') }} as list
    on score.programme_id = list.programme_id and score.tier = list.tier
