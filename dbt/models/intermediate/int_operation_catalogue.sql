-- Every operation code of the catalogue, with the days on which its row holds. An edition holds until the next one
-- begins, even where its own end was left open, so that no day has two answers.
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
    catalogue.operation_class,
    catalogue.operation_name,
    catalogue.operation_level,
    catalogue.is_minimally_invasive,
    catalogue.is_day_surgery,
    catalogue.effective_from as valid_from,
    least(
        coalesce(catalogue.effective_to, date '9999-12-31'),
        coalesce(succession.next_edition_from, date '9999-12-31')
    ) as valid_until
from {{ ref('stg_surgery_catalogue') }} as catalogue
inner join succession on catalogue.edition = succession.edition
