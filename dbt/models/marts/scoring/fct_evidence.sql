-- What no front page carries, as one value per hospital, specialty and evidence item: every item of a dossier,
-- answered or not; every appraisal result, its grade and its rank as values of their own; earlier projects from the
-- ledger. Texts are not published: a reviewer's score stands for them.
with dossier as (
    select distinct
        organisation_id,
        specialty_code
    from {{ ref('stg_dossier_item') }}
),

answered as (
    select
        dossier.organisation_id as hospital_id,
        dossier.specialty_code,
        item.item_code,
        coalesce(answer.period, item.period) as period,
        'dossier' as origin,
        item.title_zh,
        cast(null as integer) as data_year,
        cast(null as date) as release_date,
        cast(answer.value_number as decimal(24, 8)) as value,
        coalesce(answer.unit, item.unit) as unit,
        case when item.value_kind = 'choice' then answer.value_text end as choice,
        answer.evidence_file,
        answer.reviewer,
        answer.item_code is not null as is_answered
    from dossier
    cross join {{ ref('dossier_items') }} as item
    left join {{ ref('stg_dossier_item') }} as answer
        on
            dossier.organisation_id = answer.organisation_id
            and dossier.specialty_code = answer.specialty_code
            and item.item_code = answer.item_code
),

-- the scale of an appraisal differs by indicator, that of its grade by kind of hospital
appraised as (
    select
        result.organisation_id as hospital_id,
        'ALL' as specialty_code,
        result.indicator_code as item_code,
        cast(result.data_year as varchar) as period,
        'appraisal' as origin,
        result.indicator_name as title_zh,
        result.data_year,
        result.release_date,
        cast(result.value as decimal(24, 8)) as value,
        cast(null as varchar) as unit,
        cast(null as varchar) as choice
    from {{ ref('stg_appraisal_result') }} as result
    where result.value is not null
    union all
    select
        result.organisation_id as hospital_id,
        'ALL' as specialty_code,
        result.indicator_code || '.grade' as item_code,
        cast(result.data_year as varchar) as period,
        'appraisal' as origin,
        result.indicator_name || '：等级' as title_zh,
        result.data_year,
        result.release_date,
        cast(grade.position as decimal(24, 8)) as value,
        '档' as unit,
        result.grade as choice
    from {{ ref('stg_appraisal_result') }} as result
    inner join {{ ref('dim_hospital') }} as hospital on result.organisation_id = hospital.hospital_id
    left join {{ ref('appraisal_grades') }} as grade
        on
            result.grade = grade.grade
            and case when hospital.kind = '综合' then '综合' else '其他' end = grade.hospital_kind
    where result.grade is not null
    union all
    select
        result.organisation_id as hospital_id,
        'ALL' as specialty_code,
        result.indicator_code || '.rank' as item_code,
        cast(result.data_year as varchar) as period,
        'appraisal' as origin,
        result.indicator_name || '：排名' as title_zh,
        result.data_year,
        result.release_date,
        cast(result.rank as decimal(24, 8)) as value,
        '位' as unit,
        cast(null as varchar) as choice
    from {{ ref('stg_appraisal_result') }} as result
    where result.rank is not null
),

-- a ledger that is there at all says of every candidate whether it was supported
supported as (
    select
        pair.hospital_id,
        pair.specialty_code,
        count(project.project_id) as project_count
    from (select distinct hospital_id, specialty_code from {{ ref('int_candidate') }}) as pair
    left join {{ ref('stg_project') }} as project
        on
            pair.hospital_id = project.organisation_id
            and pair.specialty_code = project.specialty_code
            and project.project_level in ('国家级', '省级', '市级')
    where exists (select 1 from {{ ref('stg_project') }})
    group by pair.hospital_id, pair.specialty_code
),

collected as (
    select * from answered
    union all
    select
        appraised.*,
        cast(null as varchar) as evidence_file,
        cast(null as varchar) as reviewer,
        true as is_answered
    from appraised
    union all
    select
        hospital_id,
        specialty_code,
        'PROJECTS' as item_code,
        '项目台账' as period,
        'register' as origin,
        '市级及以上项目数' as title_zh,
        cast(null as integer) as data_year,
        cast(null as date) as release_date,
        cast(project_count as decimal(24, 8)) as value,
        '项' as unit,
        cast(null as varchar) as choice,
        cast(null as varchar) as evidence_file,
        cast(null as varchar) as reviewer,
        true as is_answered
    from supported
),

-- the value of the year before, where that very year is known
followed as (
    select
        *,
        case
            when data_year - 1 = lag(data_year) over (partition by hospital_id, item_code, origin order by data_year)
                then lag(value) over (partition by hospital_id, item_code, origin order by data_year)
        end as previous_value
    from collected
    where origin = 'appraisal'
    union all
    select
        *,
        cast(null as decimal(24, 8)) as previous_value
    from collected
    where origin <> 'appraisal'
)

select
    hospital_id,
    specialty_code,
    item_code,
    period,
    origin,
    title_zh,
    data_year,
    release_date,
    value,
    unit,
    choice,
    previous_value,
    cast(value - previous_value as decimal(24, 8)) as change,
    evidence_file,
    reviewer,
    case
        when not is_answered then 'awaiting_dossier'
        when value is null and choice is null then 'not_scored'
        else 'valued'
    end as status,
    case
        when not is_answered then '申报材料未填'
        when value is null and choice is null then '待评审专家评分'
    end as status_reason
from followed
