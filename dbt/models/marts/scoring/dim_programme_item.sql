-- The items of the indexes as printed, what each is computed from, and how it is scored, in words.
with scale as (
    select
        scale_id,
        string_agg(coalesce(choice, '≥' || cast(lower_bound as integer)) || ' 得 ' || score, '；' order by score desc)
            as scale_zh
    from {{ ref('scale_bands') }}
    group by scale_id
    union all
    select
        'appraisal_grade' as scale_id,
        string_agg(grade || ' 得 ' || score, '；' order by position desc) as scale_zh
    from {{ ref('appraisal_grades') }}
    where hospital_kind = '综合'
)

select
    item.programme_id,
    item.item_id,
    item.entry_id,
    item.serial_no,
    item.part,
    item.group_id,
    item.group_zh,
    item.subgroup_zh,
    item.wording_zh,
    item.title_zh,
    item.clause,
    item.printed_window,
    item.window_years,
    item.applicability,
    item.source,
    item.indicator_id,
    item.evidence_items,
    item.denominator_items,
    item.comparison_items,
    item.factor,
    item.unit,
    item.direction,
    item.scale_method,
    case item.scale_method
        when 'percentile' then '同类机构位次：（较差的家数 + 相同家数的一半）÷ 家数，本机构计入相同'
        when 'presence' then '有得 100，无得 0'
        when 'reviewer' then '评审专家评分 0–100'
        when 'improvement'
            then case item.scale_id
                when 'every_year' then '每一年都优于上一年得 100，否则得 0'
                when 'any_comparison' then '高于所列比较值之一得 100，否则得 0'
                when 'grade_kept' then '高于建设前（未立项的，高于上一年度）或此后各年均在较高档位得 100，否则得 0'
            end
        else scale.scale_zh
    end as scale_zh,
    item.weight,
    item.min_cases,
    item.missing_policy,
    item.owner,
    item.status = 'provisional' as is_provisional,
    item.note_zh
from {{ ref('programme_items') }} as item
left join scale on item.scale_id = scale.scale_id
