{{ config(materialized='view') }}
-- What the grouper looks at, one row per case: the front pages, each with the edition that groups its day, or
-- the cases of a file that name their edition themselves. The principal diagnosis gives the reach; without one there is
-- no reach. Sex, age and weight only where a rule of the reach asks: cases that no rule tells apart look the same.
with given as (
    {% if var('cases', 'front_page') == 'file' %}
        select
            grouping_case.source_id,
            grouping_case.source_row,
            scheme.edition_no,
            grouping_case.sex,
            grouping_case.age_years,
            grouping_case.age_days,
            grouping_case.weight_g,
            grouping_case.diagnoses,
            grouping_case.operations
        from {{ source('on_demand', 'grouping_case') }} as grouping_case
        inner join {{ ref('int_scheme') }} as scheme on grouping_case.scheme_edition = scheme.edition_id
    {% else %}
        select
            page.source_id,
            page.source_row,
            scheme.edition_no,
            page.sex,
            page.age_years,
            page.age_days,
            coalesce(page.admission_weight_g, page.birth_weight_g) as weight_g,
            page.diagnoses,
            page.operations
        from {{ ref('stg_hqms_front_page') }} as page
        inner join {{ ref('int_scheme') }} as scheme on {{ groups_page('scheme', 'page') }}
    {% endif %}
),

placed as (
    select
        given.*,
        coalesce(principal.canonical_code, nullif(given.diagnoses[1], '')) as principal_code,
        case when given.diagnoses[1] <> '' then coalesce(principal.reach_id, -given.edition_no) end as reach_id,
        principal.mask as principal_mask,
        principal.excluded
    from given
    left join {{ ref('int_scheme_principal') }} as principal
        on given.edition_no = principal.edition_no and given.diagnoses[1] = principal.code
)

select
    placed.source_id,
    placed.source_row,
    placed.edition_no,
    placed.principal_code,
    placed.reach_id,
    coalesce(placed.principal_mask, {{ no_bits('reach.width') }}) as principal_mask,
    case when reach.asks_sex and placed.sex in ('1', '2') then placed.sex else '' end as sex,
    -- an unknown age holds no bound, as little as one above all bounds
    case
        when reach.age_days_limit is null then 0
        when coalesce(placed.age_years, 0) = 0 and placed.age_days is not null
            then least(placed.age_days, reach.age_days_limit)
        else reach.age_days_limit
    end as age_days_band,
    case
        when reach.age_years_limit is null then 0
        when placed.age_years is not null then least(placed.age_years, reach.age_years_limit)
        when placed.age_days is not null then 0
        else reach.age_years_limit
    end as age_years_band,
    {{ band_floor('placed.weight_g', 'reach.weight_cuts') }} as weight_band,
    placed.excluded,
    placed.diagnoses,
    placed.operations
from placed
left join {{ ref('int_scheme_reach') }} as reach on placed.reach_id = reach.reach_id
