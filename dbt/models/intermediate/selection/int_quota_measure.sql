-- What there is against each rule of seeds/programmes/quota_rules.csv: one row per rule, scope and period, a count over
-- a count. A count that no source gives is NULL and says why. Bounds that hang on the population get it from here.
with rule as (
    select
        *,
        first_year || '-' || last_year as period
    from {{ ref('quota_rules') }}
    where only_division is null or only_division = {{ province_division() }}
),

-- the years of a rule that have begun
rule_year as (
    select
        numbered.rule_id,
        numbered.year
    from (
        select
            rule_id,
            {{ whole_numbers('first_year', 'last_year') }} as year
        from rule
        where first_year is not null
    ) as numbered
    cross join {{ ref('int_selection_parameter') }} as parameter
    where numbered.year <= extract(year from parameter.as_of_date)
),

rule_project as (
    select
        rule.rule_id,
        project.*
    from rule
    inner join {{ ref('int_project') }} as project
        on
            list_contains(string_split(rule.project_levels, ';'), project.project_level)
            and contains(project.direction, coalesce(rule.direction_word, ''))
            and (rule.first_year is null or project.year between rule.first_year and rule.last_year)
    where project.is_counted
),

-- per rule and year, and per rule over its whole period (year is missing)
counted as (
    select
        rule_year.rule_id,
        rule_year.year,
        count(project.project_id) as projects,
        count(project.project_id) filter (where project.is_in_quota) as quota_projects,
        count(*) filter (where project.is_in_quota and project.is_provincial_capital) as capital_projects,
        count(*) filter (where project.is_in_quota and project.is_provincial_capital is null) as unplaced_projects,
        count(*) filter (
            where project.is_in_quota and (project.is_national_medical_centre or project.is_directly_managed)
        ) as excluded_projects,
        count(*) filter (
            where project.is_in_quota and (project.is_national_medical_centre or project.is_directly_managed) is null
        ) as unflagged_projects,
        count(*) filter (where list_contains(project.list_ids, 'B-10')) as core_projects,
        count(*) filter (
            where list_contains(project.list_ids, 'B-10') and not list_contains(project.list_ids, 'B-12')
        ) as strictly_core_projects,
        count(*) filter (where project.state = 'recommended_national') as recommended_projects
    from rule_year
    left join rule_project as project on rule_year.rule_id = project.rule_id and rule_year.year = project.year
    group by grouping sets ((rule_year.rule_id, rule_year.year), (rule_year.rule_id))
),

-- prefectures, each with the projects of its counties, and counties with their own
division as (
    select
        division,
        coalesce(max(division_name), division) as division_zh,
        case when division like '%00' then left(division, 4) else division end as prefix
    from {{ ref('stg_population') }}
    where division not like '%0000'
    group by division
),

division_count as (
    select
        division.division,
        project.rule_id,
        project.year,
        count(*) as projects
    from division
    inner join rule_project as project on starts_with(project.division, division.prefix)
    group by grouping sets ((division.division, project.rule_id, project.year), (division.division, project.rule_id))
),

measured as (
    -- the nation and the province
    select
        rule.rule_id,
        case when rule.measure like 'nation%' then 'nation' else 'province' end as scope_kind,
        case when rule.measure like 'nation%' then '000000' else {{ province_division() }} end as scope_id,
        case when rule.measure like 'nation%' then '全国' else '全省' end as scope_zh,
        coalesce(cast(counted.year as varchar), rule.period) as period,
        case
            when rule.measure = 'capital_share' then counted.capital_projects
            when rule.measure = 'excluded_hospital' then counted.excluded_projects
            when rule.measure = 'core_share' then counted.core_projects
            when rule.measure = 'core_share_strict' then counted.strictly_core_projects
            when rule.measure = 'title_recommendation' then counted.recommended_projects
            when rule.measure not like 'nation%' then counted.projects
        end as numerator,
        case
            when rule.measure = 'capital_share' then counted.quota_projects
            when rule.measure in ('core_share', 'core_share_strict', 'title_recommendation') then counted.projects
            else 1
        end as denominator,
        people.population,
        case
            when rule.measure like 'nation%'
                then '全国合计须据国家台账；本省台账计 ' || counted.quota_projects || ' 个'
            when rule.measure = 'capital_share' and counted.unplaced_projects > 0
                then counted.unplaced_projects || ' 个项目的医院不在登记册，或登记册未填是否省会'
            when rule.measure = 'excluded_hospital' and counted.unflagged_projects > 0
                then counted.unflagged_projects || ' 个项目的医院不在登记册，或登记册未填国家医学中心、委属委管'
            when rule.measure = 'province_population' and people.population is null then '缺该年全省常住人口'
        end as unknown_reason_zh
    from rule
    inner join counted on rule.rule_id = counted.rule_id
    left join {{ ref('stg_population') }} as people
        on people.division = {{ province_division() }} and people.year = counted.year
    where
        case
            when counted.year is null
                then rule.measure in ('nation_window', 'capital_share', 'title_recommendation', 'direction_window')
            else rule.measure in (
                'nation_year', 'province_population', 'province_year', 'capital_share', 'excluded_hospital',
                'core_share', 'core_share_strict'
            )
        end
    union all
    -- prefectures and counties, year by year
    select
        rule.rule_id,
        'division' as scope_kind,
        division.division as scope_id,
        division.division_zh as scope_zh,
        cast(rule_year.year as varchar) as period,
        coalesce(division_count.projects, 0) as numerator,
        1 as denominator,
        people.population,
        case when people.population is null then '缺该年常住人口' end as unknown_reason_zh
    from rule
    inner join rule_year on rule.rule_id = rule_year.rule_id
    cross join division
    left join {{ ref('stg_population') }} as people
        on division.division = people.division and rule_year.year = people.year
    left join division_count
        on
            division.division = division_count.division
            and rule.rule_id = division_count.rule_id
            and rule_year.year = division_count.year
    where rule.measure = 'division_population'
    union all
    -- small counties over the whole period, by their latest population in it
    select
        rule.rule_id,
        'division' as scope_kind,
        division.division as scope_id,
        division.division_zh as scope_zh,
        rule.period,
        coalesce(division_count.projects, 0) as numerator,
        1 as denominator,
        people.population,
        null as unknown_reason_zh
    from rule
    cross join division
    inner join {{ ref('stg_population') }} as people
        on division.division = people.division and people.year between rule.first_year and rule.last_year
    left join division_count
        on
            division.division = division_count.division
            and rule.rule_id = division_count.rule_id
            and division_count.year is null
    where rule.measure = 'division_floor' and division.division not like '%00'
    qualify
        row_number() over (partition by rule.rule_id, division.division order by people.year desc) = 1
        and people.population < rule.population_below
    union all
    -- hospitals that may choose projects of their own
    select
        rule.rule_id,
        'hospital' as scope_kind,
        hospital.organisation_id as scope_id,
        hospital.name_zh as scope_zh,
        cast(rule_year.year as varchar) as period,
        count(project.project_id) as numerator,
        1 as denominator,
        null as population,
        null as unknown_reason_zh
    from rule
    inner join rule_year on rule.rule_id = rule_year.rule_id
    inner join {{ ref('stg_hospital') }} as hospital on hospital.is_regional_medical_centre
    left join rule_project as project
        on
            rule.rule_id = project.rule_id
            and rule_year.year = project.year
            and hospital.organisation_id = project.hospital_id
            and project.funding = '自筹'
    where rule.measure = 'own_choice'
    group by rule.rule_id, hospital.organisation_id, hospital.name_zh, rule_year.year
    union all
    -- each disease system of the core directions
    select
        rule.rule_id,
        'direction' as scope_kind,
        cast(direction.position as varchar) as scope_id,
        direction.group_zh as scope_zh,
        rule.period,
        count(distinct project.project_id) as numerator,
        1 as denominator,
        null as population,
        null as unknown_reason_zh
    from rule
    inner join {{ ref('direction_list') }} as direction on direction.list_id = 'N-20'
    left join {{ ref('dim_specialty') }} as specialty
        on direction.specialty_code in (specialty.specialty_code, specialty.parent_code)
    left join rule_project as project
        on rule.rule_id = project.rule_id and specialty.specialty_code = project.specialty_code
    where rule.measure = 'direction_coverage'
    group by rule.rule_id, rule.period, direction.position, direction.group_zh
    union all
    select
        rule.rule_id,
        'province' as scope_kind,
        {{ province_division() }} as scope_id,
        '全省' as scope_zh,
        rule.period,
        count(*) filter (where sample.is_sampled) as numerator,
        count(*) as denominator,
        null as population,
        null as unknown_reason_zh
    from rule
    cross join {{ ref('int_on_site_sample') }} as sample
    where rule.measure = 'on_site_sample'
    group by rule.rule_id, rule.period
    union all
    select
        rule.rule_id,
        'project' as scope_kind,
        stage.project_id as scope_id,
        stage.project_id as scope_zh,
        strftime(stage.due_date, '%Y-%m-%d') as period,
        case when stage.status <> 'unknown' then cast(stage.status = 'overdue' as integer) end as numerator,
        1 as denominator,
        null as population,
        case when stage.status = 'unknown' then stage.status_reason end as unknown_reason_zh
    from rule
    inner join {{ ref('fct_project_stage') }} as stage on stage.stage_id = 'acceptance'
    where rule.measure = 'overdue_project' and stage.status <> 'not_applicable'
    union all
    select
        rule.rule_id,
        'project' as scope_kind,
        project.project_id as scope_id,
        project.project_id as scope_zh,
        cast(project.year as varchar) as period,
        project.matching_amount_fen as numerator,
        project.amount_fen as denominator,
        null as population,
        case
            when project.amount_fen is null then '台账未填补助金额'
            when project.matching_amount_fen is null then '台账未填配套金额'
        end as unknown_reason_zh
    from rule
    inner join rule_project as project on rule.rule_id = project.rule_id
    where rule.measure = 'matched_fund'
)

select
    rule_id,
    scope_kind,
    scope_id,
    scope_zh,
    period,
    cast(numerator as bigint) as numerator,
    cast(denominator as bigint) as denominator,
    cast(population as bigint) as population,
    unknown_reason_zh
from measured
