-- What a diagnosis answers of a reach's questions wherever it stands. Few do: a table of its own tells the planner.
select
    reach_id,
    code,
    mask
from {{ ref('int_scheme_mask') }}
where part = 'diagnosis'
