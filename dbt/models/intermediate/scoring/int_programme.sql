-- Each programme and tier with the window that it is scored for: the configured one, or the latest in which every
-- month has data; where none is complete, the latest.
with choice as (
    select
        programme.programme_id,
        programme.tier,
        programme.serial,
        programme.attribution,
        programme.peer_levels,
        programme.min_peers,
        programme.uses_central_funds,
        data_window.window_id,
        data_window.first_year as window_first_year,
        data_window.last_year as window_end_year,
        row_number() over (
            partition by programme.programme_id, programme.tier
            order by data_window.is_complete desc, data_window.last_year desc
        ) as preference
    from {{ ref('programmes') }} as programme
    inner join {{ ref('dim_window') }} as data_window
        on
            programme.window_years = data_window.years
            and coalesce(programme.window_last_year, data_window.last_year) = data_window.last_year
)

select
    programme_id,
    tier,
    serial,
    attribution,
    peer_levels,
    min_peers,
    uses_central_funds,
    window_id,
    window_first_year,
    window_end_year
from choice
where preference = 1
