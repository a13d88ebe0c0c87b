-- Rows of the files in force: landed ones without a reason, quarantined ones with the reason why they were set aside.
with withdrawn as (
    select distinct
        dataset,
        source_id,
        organisation_id,
        month
    from {{ ref('stg_landing_slice') }}
    where not in_force
)

select
    dataset,
    coalesce(organisation_id, '') as organisation_id,
    coalesce(month, '') as month,
    cast(null as varchar) as reason,
    cast(sum(rows) as bigint) as row_count
from {{ ref('stg_landing_slice') }}
where in_force
group by all
union all
-- rows that were set aside count as long as the slice that they would have belonged to has not been replaced
select
    quarantine.dataset,
    coalesce(quarantine.organisation_id, '') as organisation_id,
    coalesce(quarantine.month, '') as month,
    quarantine.reason,
    cast(sum(quarantine.rows) as bigint) as row_count
from {{ ref('stg_landing_quarantine_count') }} as quarantine
inner join {{ ref('stg_landing_receipt') }} as receipt
    on quarantine.dataset = receipt.dataset and quarantine.source_id = receipt.source_id
left join withdrawn
    on
        quarantine.dataset = withdrawn.dataset
        and quarantine.source_id = withdrawn.source_id
        and quarantine.organisation_id = withdrawn.organisation_id
        and quarantine.month = withdrawn.month
where receipt.in_force and withdrawn.source_id is null
group by all
