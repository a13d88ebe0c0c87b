-- Principal diagnoses that the same MDCs list have one reach: the rules that can apply are the same for all of them.
with listed as (
    select
        scheme.edition_no,
        mdc_diagnosis.code,
        string_agg(distinct mdc_diagnosis.mdc, '|' order by mdc_diagnosis.mdc) as mdcs
    from {{ source('scheme', 'mdc_diagnosis') }} as mdc_diagnosis
    inner join {{ ref('int_scheme') }} as scheme on mdc_diagnosis.edition_id = scheme.edition_id
    group by scheme.edition_no, mdc_diagnosis.code
)

select
    edition_no,
    code,
    mdcs,
    cast(dense_rank() over (order by edition_no, mdcs) as integer) as reach_id
from listed
