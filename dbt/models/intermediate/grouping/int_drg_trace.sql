{{ config(materialized='view') }}
-- The grouper's answer with a sentence that says how it came about. A view: the sentence is made when somebody asks.
select
    grouped.source_id,
    grouped.source_row,
    grouped.scheme_edition,
    grouped.principal_code,
    grouped.mdc,
    grouped.adrg,
    grouped.alternative,
    grouped.drg_code,
    grouped.complication_level,
    grouped.complication_code,
    case when grouped.complication_level is null then [] else coalesce(exclusion.excluded_codes, []) end
        as excluded_codes,
    grouped.ungrouped_reason,
    case
        when grouped.ungrouped_reason = 'principal_missing' then '缺主要诊断，不能入组。'
        else concat_ws(
            '；',
            '主要诊断 ' || grouped.principal_code || coalesce(
                ' 进入 MDC' || grouped.mdc || coalesce('（' || mdc.name_zh || '）', ''), ' 不能进入任何 MDC'
            ),
            '符合 ADRG ' || grouped.adrg || coalesce('（' || adrg.name_zh || '）', '')
            || '第 ' || grouped.alternative || ' 组条件',
            case grouped.complication_level
                when 'mcc' then '次要诊断 ' || grouped.complication_code || ' 为严重并发症或合并症'
                when 'cc' then '次要诊断 ' || grouped.complication_code || ' 为一般并发症或合并症'
                when 'none' then '无计入的并发症或合并症'
            end,
            case
                when grouped.complication_level is not null
                    then '因主要诊断排除 ' || array_to_string(exclusion.excluded_codes, '、')
            end,
            '归入 DRG ' || grouped.drg_code || coalesce('（' || drg.name_zh || '）', ''),
            '未入组：' || reason.title_zh
        ) || '。'
    end as trace_zh
from {{ ref('int_drg_case') }} as grouped
left join {{ source('scheme', 'mdc') }} as mdc
    on grouped.scheme_edition = mdc.edition_id and grouped.mdc = mdc.mdc
left join {{ source('scheme', 'adrg') }} as adrg
    on grouped.scheme_edition = adrg.edition_id and grouped.adrg = adrg.adrg
left join {{ source('scheme', 'drg') }} as drg
    on grouped.scheme_edition = drg.edition_id and grouped.drg_code = drg.drg
left join {{ ref('int_case_exclusion') }} as exclusion
    on grouped.source_id = exclusion.source_id and grouped.source_row = exclusion.source_row
left join {{ ref('ungrouped_reasons') }} as reason on grouped.ungrouped_reason = reason.ungrouped_reason
