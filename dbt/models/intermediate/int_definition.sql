-- One row per data year: the switches whose answer changed over the years, as it was in that year. A version that covers
-- the year (seeds/indicators/definition_versions.csv) goes before the switch's own value.
with years as (
    select distinct cast(extract(year from discharge_time) as integer) as data_year
    from {{ ref('stg_hqms_front_page') }}
),

decided as (
    select
        years.data_year,
        switch.switch_id,
        {{ stop_unless(
            matches_in_full('coalesce(version.value, switch.value)', 'switch.allowed_values'),
            'coalesce(version.value, switch.value)',
            "'definition_versions.csv 中 ' || version.version || ' 的开关 ' || switch.switch_id || ' 取值 '"
            ~ " || version.value || ' 不在允许范围 ' || switch.allowed_values"
        ) }} as value,
        version.version
    from years
    cross join {{ ref('switches') }} as switch
    left join {{ ref('definition_versions') }} as version
        on
            switch.switch_id = version.switch_id
            and years.data_year between version.first_data_year and version.last_data_year
)

select
    data_year,
    max(case when switch_id = 'surgery_count_basis' then value end) as surgery_count_basis,
    max(case when switch_id = 'surgery_scope' then value end) as surgery_scope
from decided
group by data_year
