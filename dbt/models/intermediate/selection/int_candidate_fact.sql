-- What eligibility is judged by: one row per list, hospital and specialty, each fact a column that the rules of
-- seeds/programmes/eligibility_rules.csv may name. A fact that no source states is NULL, never a guess.
-- Candidates are the hospitals and specialties with discharges or with a dossier.
with candidate as (
    select
        organisation_id as hospital_id,
        specialty_code
    from {{ ref('int_cell') }}
    where specialty_code <> 'UNMAPPED'
    union
    select
        organisation_id as hospital_id,
        specialty_code
    from {{ ref('stg_dossier_item') }}
    where specialty_code is not null
),

declared as (
    select
        organisation_id as hospital_id,
        specialty_code,
        array_agg(distinct item_code) as declared_items,
        max(value_text) filter (where item_code = 'D0107') as declared_accident,
        min(value_number) filter (where item_code = 'D0705') as national_rank,
        min(value_number) filter (where item_code = 'D0712') as region_rank,
        min(value_number) filter (where item_code = 'D0713') as province_rank,
        bool_or(item_code in ('D0705', 'D0706')) as names_ranking
    from {{ ref('stg_dossier_item') }}
    group by organisation_id, specialty_code
),

-- where a ranking is named at all, who left out a place is not on it
ranking as (
    select
        specialty_code,
        count(national_rank) as ranked_hospital_count,
        count(*) filter (where national_rank <= 10) as ranked_top10_count,
        count(*) filter (where national_rank <= 3) as ranked_top3_count
    from declared
    group by specialty_code
    having bool_or(names_ranking)
),

-- an empty register says something only if it has been received
received as (
    select
        coalesce(bool_or(dataset = 'accident' and in_force), false) as has_accident_register,
        coalesce(bool_or(dataset = 'project' and in_force), false) as has_project_ledger
    from {{ ref('stg_landing_receipt') }}
),

-- residents of the hospital's own county who went elsewhere in the province, in the latest window
outflow as (
    select
        residence_division,
        specialty_code,
        outflow_rate,
        is_above_threshold
    from {{ ref('fct_outflow') }}
    where
        division_rank = 'county'
        and window_id = (
            select window_id
            from {{ ref('dim_window') }}
            order by last_year desc, years desc
            limit 1
        )
),

dated as (
    select
        list.programme_id,
        list.tier,
        {{ project_level_rank('list.project_level') }} as level_rank,
        coalesce(list.application_date, parameter.as_of_date) as application_date,
        parameter.support_since_year,
        cast(
            coalesce(list.application_date, parameter.as_of_date) - to_years(parameter.accident_years) as date
        ) as accidents_since,
        parameter.major_accident_levels,
        parameter.minor_accident_levels,
        parameter.few_ranked_hospitals,
        parameter.forward_region_rank,
        parameter.forward_province_rank
    from {{ ref('selection_lists') }} as list
    cross join {{ ref('int_selection_parameter') }} as parameter
),

accidents as (
    select
        dated.programme_id,
        dated.tier,
        accident.organisation_id as hospital_id,
        accident.specialty_code,
        count(*) filter (where list_contains(dated.major_accident_levels, accident.accident_level))
            as major_accident_count,
        count(*) filter (
            where
            not list_contains(
                list_concat(dated.major_accident_levels, dated.minor_accident_levels),
                coalesce(accident.accident_level, '')
            )
        ) as unclassified_accident_count
    from {{ ref('stg_accident') }} as accident
    inner join dated
        on accident.accident_date > dated.accidents_since and accident.accident_date <= dated.application_date
    group by dated.programme_id, dated.tier, accident.organisation_id, accident.specialty_code
),

support as (
    select
        dated.programme_id,
        dated.tier,
        project.hospital_id,
        project.specialty_code,
        count(*) as support_count,
        string_agg(
            project.year || '年' || project.project_level, '、' order by project.year, project.level_rank
        ) as support_zh
    from {{ ref('int_project') }} as project
    inner join dated
        on
            project.year >= dated.support_since_year
            and project.start_date < dated.application_date
            and project.level_rank >= dated.level_rank
    where project.is_counted or project.state = 'withdrawn'
    group by dated.programme_id, dated.tier, project.hospital_id, project.specialty_code
)

select
    dated.programme_id,
    dated.tier,
    candidate.hospital_id,
    candidate.specialty_code,
    specialty.name_zh as specialty_zh,
    dated.application_date,
    dated.accidents_since,
    dated.support_since_year,
    hospital.division,
    hospital.level,
    hospital.grade,
    hospital.kind,
    hospital.is_provincial_capital,
    hospital.is_national_medical_centre,
    hospital.is_directly_managed,
    hospital.is_regional_medical_centre,
    -- a first-level subject without any of its second-level subjects stands for all of them
    list_contains(hospital.subjects, candidate.specialty_code) or (
        list_contains(hospital.subjects, coalesce(specialty.parent_code, ''))
        and len(list_filter(hospital.subjects, lambda subject: subject like specialty.parent_code || '__')) = 0
    ) as has_subject,
    coalesce(accidents.major_accident_count, 0) as major_accident_count,
    coalesce(accidents.unclassified_accident_count, 0) as unclassified_accident_count,
    received.has_accident_register,
    declared.declared_accident,
    coalesce(support.support_count, 0) as support_count,
    support.support_zh,
    received.has_project_ledger,
    outflow.outflow_rate,
    outflow.is_above_threshold as is_outflow_high,
    coalesce(direction.list_ids, []) as list_ids,
    coalesce(declared.declared_items, []) as declared_items,
    ranking.specialty_code is not null as has_ranking,
    ranking.ranked_hospital_count,
    ranking.ranked_top10_count,
    ranking.ranked_top3_count,
    declared.region_rank,
    declared.province_rank,
    dated.few_ranked_hospitals,
    dated.forward_region_rank,
    dated.forward_province_rank
from candidate
cross join dated
cross join received
inner join {{ ref('dim_specialty') }} as specialty on candidate.specialty_code = specialty.specialty_code
left join {{ ref('stg_hospital') }} as hospital on candidate.hospital_id = hospital.organisation_id
left join declared
    on candidate.hospital_id = declared.hospital_id and candidate.specialty_code = declared.specialty_code
left join outflow
    on hospital.division = outflow.residence_division and candidate.specialty_code = outflow.specialty_code
left join accidents
    on
        dated.programme_id = accidents.programme_id
        and dated.tier = accidents.tier
        and candidate.hospital_id = accidents.hospital_id
        and candidate.specialty_code = accidents.specialty_code
left join support
    on
        dated.programme_id = support.programme_id
        and dated.tier = support.tier
        and candidate.hospital_id = support.hospital_id
        and candidate.specialty_code = support.specialty_code
left join ranking on candidate.specialty_code = ranking.specialty_code
left join {{ ref('int_direction') }} as direction on candidate.specialty_code = direction.specialty_code
