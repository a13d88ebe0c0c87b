-- Every month that was sent again, against the version before it: the rows that it still has as many of, and the rows
-- that are gone. Only numbers of rows are compared; a version that is held back is compared too, and so is told of.
with resubmitted as (
    select
        dataset,
        organisation_id,
        month,
        least(rows, rows_before) as kept_count,
        greatest(rows_before - rows, 0) as lost_count
    from {{ ref('stg_landing_slice') }}
    where rows_before is not null
)

select
    dataset,
    organisation_id,
    month,
    false as is_lost,
    kept_count as row_count
from resubmitted
union all
select
    dataset,
    organisation_id,
    month,
    true as is_lost,
    lost_count as row_count
from resubmitted
