-- How often each code is used, by organisation and year, and whether the edition that groups the case knows it.
with used as (
    select
        page.organisation_id,
        cast(extract(year from page.discharge_time) as integer) as data_year,
        scheme.edition_no,
        'diagnosis' as kind,
        {{ elements('page.diagnoses', 'false') }} as code
    from {{ ref('stg_hqms_front_page') }} as page
    inner join {{ ref('int_scheme') }} as scheme on {{ groups_page('scheme', 'page') }}
    union all
    select
        page.organisation_id,
        cast(extract(year from page.discharge_time) as integer) as data_year,
        scheme.edition_no,
        'procedure' as kind,
        {{ elements('page.operations', 'false') }} as code
    from {{ ref('stg_hqms_front_page') }} as page
    inner join {{ ref('int_scheme') }} as scheme on {{ groups_page('scheme', 'page') }}
),

counted as (
    select
        organisation_id,
        data_year,
        edition_no,
        kind,
        code,
        count(*) as use_count
    from used
    where code <> ''
    group by organisation_id, data_year, edition_no, kind, code
)

select
    counted.organisation_id,
    counted.data_year,
    scheme.edition_id as scheme_edition,
    counted.kind,
    counted.code,
    counted.use_count,
    coalesce(code.is_known, false) as is_known,
    coalesce(code.is_mapped, false) as is_mapped
from counted
inner join {{ ref('int_scheme') }} as scheme on counted.edition_no = scheme.edition_no
left join {{ ref('int_scheme_code') }} as code
    on counted.edition_no = code.edition_no and counted.kind = code.kind and counted.code = code.code
