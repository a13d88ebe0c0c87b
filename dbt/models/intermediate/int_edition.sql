-- Which editions of lists, and which versions of a rule, are pooled in an indicator of a window: one row where there is
-- any. A grouping scheme counts as used where a grouped case names it, a catalogue where it was valid.
with piece as (
    select
        data_window.window_id,
        'surgery_catalogue' as basis,
        '手术目录 ' || string_agg(distinct catalogue.edition, '、' order by catalogue.edition) as editions
    from {{ ref('int_window') }} as data_window
    inner join {{ ref('int_surgery_catalogue') }} as catalogue
        on
            data_window.first_month < catalogue.valid_until
            and make_date(data_window.last_year, 12, 31) >= catalogue.valid_from
            and catalogue.valid_from < catalogue.valid_until
    group by data_window.window_id
    union all
    select
        data_window.window_id,
        'surgical_complications' as basis,
        '并发症编码表 ' || string_agg(distinct listed.edition, '、' order by listed.edition) as editions
    from {{ ref('int_window') }} as data_window
    inner join {{ ref('surgical_complications') }} as listed
        on
            data_window.first_month < listed.valid_until
            and make_date(data_window.last_year, 12, 31) >= listed.valid_from
    group by data_window.window_id
    union all
    select
        data_window.window_id,
        'drg_scheme' as basis,
        '分组方案 ' || string_agg(distinct cell.scheme_edition, '、' order by cell.scheme_edition) as editions
    from {{ ref('int_window') }} as data_window
    inner join {{ ref('int_cell') }} as cell
        on cell.discharge_month between data_window.first_month and data_window.last_month
    where cell.grouped_count > 0
    group by data_window.window_id
    union all
    select
        data_window.window_id,
        version.switch_id as basis,
        string_agg(
            version.version || '（' || version.first_data_year || '—' || version.last_data_year || ' 年 '
            || version.switch_id || '=' || version.value || '）', '、' order by version.first_data_year
        ) as editions
    from {{ ref('int_window') }} as data_window
    inner join {{ ref('definition_versions') }} as version
        on
            data_window.first_year <= version.last_data_year
            and data_window.last_year >= version.first_data_year
    group by data_window.window_id, version.switch_id
)

select
    piece.window_id,
    registry.indicator_id,
    string_agg(piece.editions, '；' order by piece.basis) as editions
from piece
inner join {{ ref('indicators') }} as registry
    on concat_ws(';', '', registry.reference_lists, registry.switches, '') like '%;' || piece.basis || ';%'
group by piece.window_id, registry.indicator_id
