-- The exclusion tables of an edition, each with its place in the sets of int_scheme_exclusion.
select
    scheme.edition_no,
    exclusion.exclusion_table,
    cast(
        row_number() over (partition by scheme.edition_no order by exclusion.exclusion_table) - 1 as integer
    ) as place,
    cast(count(*) over (partition by scheme.edition_no) as integer) as width
from (
    select distinct
        edition_id,
        exclusion_table
    from {{ source('scheme', 'exclusion') }}
) as exclusion
inner join {{ ref('int_scheme') }} as scheme on exclusion.edition_id = scheme.edition_id
