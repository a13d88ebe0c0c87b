-- The editions that group this build's cases, with the discharge days on which each does. Inside the grouping an
-- edition is a small number: it is part of every join key.
{% set choice = var('drg_edition', 'latest') %}
with numbered as (
    select
        *,
        cast(row_number() over (order by effective_from, edition_id) as smallint) as edition_no,
        row_number() over (order by effective_from desc, edition_id desc) = 1 as is_latest,
        lead(effective_from) over (order by effective_from, edition_id) as next_effective_from
    from {{ source('scheme', 'scheme') }}
),

limits as (
    select
        edition_id,
        -- one more than the greatest bound: what lies above is all alike
        max(age_days_max) + 1 as age_days_limit,
        max(age_years_max) + 1 as age_years_limit,
        list(distinct weight_g) filter (where weight_g is not null) as weight_cuts
    from (
        select
            edition_id,
            age_days_max,
            age_years_max,
            null as weight_g
        from {{ source('scheme', 'mdc') }}
        union all
        select
            edition_id,
            age_days_max,
            null as age_years_max,
            weight_g_min as weight_g
        from {{ source('scheme', 'adrg_condition') }}
        union all
        select
            edition_id,
            null as age_days_max,
            null as age_years_max,
            weight_g_below as weight_g
        from {{ source('scheme', 'adrg_condition') }}
    ) as bounds
    group by edition_id
)

select
    numbered.edition_no,
    numbered.edition_id,
    numbered.name_zh,
    numbered.diagnosis_edition,
    numbered.procedure_edition,
    limits.age_days_limit,
    limits.age_years_limit,
    limits.weight_cuts,
    {% if choice == 'by_date' %}
        numbered.effective_from as groups_from,
        -- an edition holds until the next one begins, even where its own end was left open: no day has two answers
        least(
            coalesce(numbered.effective_to, date '9999-12-31'),
            coalesce(numbered.next_effective_from, date '9999-12-31')
        ) as groups_until
    {% else %}
        date '0001-01-01' as groups_from,
        case
            when {{ 'numbered.is_latest' if choice == 'latest' else "numbered.edition_id = '" ~ choice ~ "'" }}
                then date '9999-12-31'
            else date '0001-01-01'
        end as groups_until
    {% endif %}
from numbered
left join limits on numbered.edition_id = limits.edition_id
