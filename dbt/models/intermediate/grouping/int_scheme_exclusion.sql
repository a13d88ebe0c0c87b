-- What a principal diagnosis excludes, as a set of exclusion tables: a complication of one of them does not count.
select
    exclusion_table.edition_no,
    exclusion.principal_code,
    {{ union_of(one_bit('exclusion_table.place', 'exclusion_table.width')) }} as excluded
from {{ source('scheme', 'exclusion') }} as exclusion
inner join {{ ref('int_scheme') }} as scheme on exclusion.edition_id = scheme.edition_id
inner join {{ ref('int_scheme_exclusion_table') }} as exclusion_table
    on
        scheme.edition_no = exclusion_table.edition_no
        and exclusion.exclusion_table = exclusion_table.exclusion_table
group by exclusion_table.edition_no, exclusion.principal_code
