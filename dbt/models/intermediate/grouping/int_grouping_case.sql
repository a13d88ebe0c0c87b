{{ config(materialized='view') }}
-- What the grouper looks at, one row per case: the front pages, each with the edition that groups its day, or
-- the cases of a file that name their edition themselves.
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
