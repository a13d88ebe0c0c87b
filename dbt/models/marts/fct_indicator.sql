-- Every indicator of the registry for every hospital, specialty, attribution and window that has cases. The value is
-- the published numerator over the published denominator, so a reader can check it. What holds for all indicators of a
-- place is found before the indicators are: their rows are forty times as many.
{% set keys = ['hospital_id', 'specialty_code', 'attribution', 'window_id'] %}
with place as (
    select
        {{ keys | join(', ') }},
        {{ columns_as_list(keys) }} as measures
    from {{ ref('int_measure_row') }}
),

registry as (
    select
        indicators.*,
        {% for part in ['numerator', 'denominator', 'case'] %}
            list_position(measure.names, indicators.{{ part }}_measure) as {{ part }}_place{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('indicators') }} as indicators
    cross join {{ column_names(ref('int_measure_row'), keys) }} as measure
),

described as (
    select
        place.*,
        region.measures as region_measures,
        note.held_back_text,
        note.fitness,
        concat_ws(
            '；',
            data_window.incomplete_reason,
            '本机构缺 ' || missing.missing_months || ' 个月数据：' || missing.missing_text,
            note.held_back_text
        ) as place_reason
    from place
    inner join {{ ref('dim_window') }} as data_window on place.window_id = data_window.window_id
    left join (
        select *
        from place
        where hospital_id = 'REGION'
    ) as region
        on
            place.specialty_code = region.specialty_code
            and place.attribution = region.attribution
            and place.window_id = region.window_id
    left join {{ ref('int_missing_month') }} as missing
        on
            place.hospital_id = missing.hospital_id
            and place.window_id = missing.window_id
            and place.hospital_id <> 'REGION'
    left join {{ ref('int_quality_note') }} as note
        on place.hospital_id = note.hospital_id and place.window_id = note.window_id
),

counted as (
    select
        described.* exclude (measures, region_measures),
        registry.indicator_id,
        registry.method,
        registry.empty_status,
        registry.empty_reason_zh,
        registry.method_version,
        described.measures[registry.numerator_place] as numerator,
        described.measures[registry.denominator_place] as denominator,
        described.measures[registry.case_place] as case_count,
        described.region_measures[registry.numerator_place] as region_numerator,
        described.region_measures[registry.denominator_place] as region_denominator
    from described
    cross join registry
),

scaled as (
    select
        *,
        {% for number in ['numerator', 'denominator', 'case_count', 'region_numerator', 'region_denominator'] %}
            {{ scaled_integer(number, 8) }} as {{ number }}_units{{ ',' if not loop.last }}
        {% endfor %}
    from counted
),

valued as (
    select
        *,
        {% for value, of in [('value', ''), ('benchmark', 'region_')] %}
            case
                when method = 'count' then cast({{ of }}numerator as decimal(24, 8))
                else {{ exact_ratio([of ~ 'numerator_units'], [of ~ 'denominator_units'], 8, 24) }}
            end as {{ value }}{{ ',' if not loop.last }}
        {% endfor %}
    from scaled
)

select
    valued.hospital_id,
    valued.specialty_code,
    valued.attribution,
    valued.window_id,
    valued.indicator_id,
    valued.numerator,
    valued.denominator,
    valued.value,
    valued.benchmark,
    cast(valued.case_count_units as bigint) // 100000000 as case_count,
    case when valued.value is null then valued.empty_status else 'valued' end as status,
    case
        when valued.value is null then concat_ws('；', valued.empty_reason_zh, valued.held_back_text)
        when valued.case_count = 0 then concat_ws('；', valued.empty_reason_zh, nullif(valued.place_reason, ''))
        else nullif(valued.place_reason, '')
    end as status_reason,
    valued.held_back_text is not null as is_held_back,
    valued.fitness,
    valued.method_version,
    edition.editions
from valued
left join {{ ref('int_edition') }} as edition
    on valued.window_id = edition.window_id and valued.indicator_id = edition.indicator_id
