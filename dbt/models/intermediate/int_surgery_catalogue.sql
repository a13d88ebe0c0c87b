-- What counts as surgery, with the days on which that holds. An edition holds until the next one begins, even where
-- its own end was left open, so that no day has two answers.
with editions as (
    select
        edition,
        min(effective_from) as edition_from
    from {{ ref('stg_surgery_catalogue') }}
    group by edition
),

succession as (
    select
        edition,
        lead(edition_from) over (order by edition_from, edition) as next_edition_from
    from editions
)

select
    catalogue.operation_code,
    catalogue.edition,
    catalogue.operation_level is not distinct from '4' as is_level4,
    coalesce(catalogue.is_minimally_invasive, false) as is_minimally_invasive,
    coalesce(catalogue.is_day_surgery, false) as is_day_surgery,
    -- the catalogue has no class of its own for endoscopy: its names say 内镜, 腔镜, 镜下
    catalogue.operation_class = '介入治疗' or coalesce(catalogue.operation_name like '%镜%', false)
        as is_endoscopic_or_interventional,
    catalogue.effective_from as valid_from,
    least(
        coalesce(catalogue.effective_to, date '9999-12-31'),
        coalesce(succession.next_edition_from, date '9999-12-31')
    ) as valid_until
from {{ ref('stg_surgery_catalogue') }} as catalogue
inner join succession on catalogue.edition = succession.edition
where catalogue.operation_class in ('手术', '介入治疗')
