-- Grades and ranks of the performance appraisal year by year, each against the year before: by the ordinal scale of the
-- hospital's kind, never by the alphabet. A year that is not followed by the next has nothing to be compared with.
with graded as (
    select
        result.organisation_id as hospital_id,
        result.indicator_code,
        result.indicator_name,
        result.data_year,
        result.release_date,
        case when hospital.kind = '综合' then '综合' else '其他' end as hospital_kind,
        cast(result.value as decimal(24, 8)) as score,
        result.grade,
        result.rank
    from {{ ref('stg_appraisal_result') }} as result
    inner join {{ ref('dim_hospital') }} as hospital on result.organisation_id = hospital.hospital_id
    where result.grade is not null or result.rank is not null
),

placed as (
    select
        graded.*,
        scale.position,
        scale.is_high
    from graded
    left join {{ ref('appraisal_grades') }} as scale
        on graded.hospital_kind = scale.hospital_kind and graded.grade = scale.grade
)

select
    placed.hospital_id,
    placed.indicator_code,
    placed.data_year,
    placed.indicator_name,
    placed.release_date,
    placed.hospital_kind,
    placed.score,
    placed.grade,
    placed.position,
    placed.is_high,
    placed.rank,
    before.grade as previous_grade,
    placed.position - before.position as position_change,
    before.rank as previous_rank,
    before.rank - placed.rank as rank_gain,
    case
        when before.position is null or placed.position is null then 'not_comparable'
        when placed.position > before.position then 'improved'
        when placed.position < before.position then 'worse'
        when placed.is_high then 'kept_high'
        else 'kept'
    end as trend,
    case
        when placed.grade is not null and placed.position is null then '等级表中没有“' || placed.grade || '”'
        when placed.position is null then '没有等级'
        when before.position is null then '没有上一年度的等级'
    end as status_reason
from placed
left join placed as before
    on
        placed.hospital_id = before.hospital_id
        and placed.indicator_code = before.indicator_code
        and placed.data_year - 1 = before.data_year
