-- The windows that indicators are computed for, and whether their months are all there.
select
    data_window.window_id,
    data_window.first_year,
    data_window.last_year,
    data_window.years,
    strftime(data_window.first_month, '%Y-%m') as first_month,
    strftime(data_window.last_month, '%Y-%m') as last_month,
    missing.window_id is null as is_complete,
    '全省缺 ' || missing.missing_months || ' 个月数据：' || missing.missing_text as incomplete_reason
from {{ ref('int_window') }} as data_window
left join {{ ref('int_missing_month') }} as missing
    on data_window.window_id = missing.window_id and missing.hospital_id = 'REGION'
