-- The programmes and their tiers as configured, and the window that each is scored for.
select
    programme.programme_id,
    programme.tier,
    programme.serial,
    programme.title_zh,
    programme.tier_zh,
    programme.document_zh,
    programme.document_no,
    programme.first_year,
    programme.last_year,
    chosen.window_id,
    programme.attribution,
    programme.peer_levels,
    programme.min_peers,
    programme.data_share,
    programme.reputation_share,
    programme.min_coverage,
    programme.cut_rank,
    programme.weight_spread_percent,
    programme.draws,
    programme.owner,
    programme.status = 'provisional' as is_provisional,
    programme.note_zh
from {{ ref('programmes') }} as programme
left join {{ ref('int_programme') }} as chosen
    on programme.programme_id = chosen.programme_id and programme.tier = chosen.tier
