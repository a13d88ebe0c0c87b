-- Different operations of the catalogue, pooled over hospitals, specialties and years: counted at each level, for
-- they cannot be added up.
with attributed as (
    {{ operated_codes() }}
)

select
    attributed.attribution,
    {{ level_keys() }},
    data_window.window_id,
    count(distinct attributed.operation_code) as operation_spectrum_count
from attributed
inner join {{ ref('int_window') }} as data_window
    on attributed.data_year between data_window.first_year and data_window.last_year
group by attributed.attribution, data_window.window_id, {{ level_sets() }}
