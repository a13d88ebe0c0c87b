-- How many of the codes that a hospital wrote the grouping edition knows, reads by its crosswalk, or does not know.
with summed as (
    select
        case when grouping(organisation_id) = 1 then 'REGION' else organisation_id end as hospital_id,
        data_year,
        scheme_edition,
        kind,
        sum(use_count) as code_count,
        coalesce(sum(use_count) filter (where is_mapped), 0) as mapped_count,
        coalesce(sum(use_count) filter (where not is_known and not is_mapped), 0) as outside_count
    from {{ ref('int_code_use') }}
    group by
        grouping sets ((organisation_id, data_year, scheme_edition, kind), (data_year, scheme_edition, kind))
)

select
    hospital_id,
    data_year,
    scheme_edition,
    kind,
    cast(code_count as bigint) as code_count,
    cast(mapped_count as bigint) as mapped_count,
    cast(outside_count as bigint) as outside_count,
    {{ exact_ratio(['outside_count'], ['code_count'], 8, 18) }} as outside_share
from summed
