-- Every indicator of the registry for every hospital, specialty, attribution and window that has cases. The value is
-- the published numerator over the published denominator, so a reader can check it.
with part as (
    {% for name in ['numerator', 'denominator', 'case'] %}
        select
            indicator_id,
            '{{ name }}' as part,
            {{ name }}_measure as measure_id
        from {{ ref('indicators') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (
    select
        measure.hospital_id,
        measure.specialty_code,
        measure.attribution,
        measure.window_id,
        part.indicator_id,
        max(case when part.part = 'numerator' then measure.value end) as numerator,
        max(case when part.part = 'denominator' then measure.value end) as denominator,
        max(case when part.part = 'case' then measure.value end) as case_count
    from {{ ref('int_measure') }} as measure
    inner join part on measure.measure_id = part.measure_id
    group by
        measure.hospital_id, measure.specialty_code, measure.attribution, measure.window_id,
        part.indicator_id
),

valued as (
    select
        counted.*,
        registry.empty_status,
        registry.empty_reason_zh,
        registry.method_version,
        case
            when registry.method = 'count' then cast(counted.numerator as decimal(24, 8))
            else {{ exact_ratio(
                [scaled_integer('counted.numerator', 8)], [scaled_integer('counted.denominator', 8)], 8, 24
            ) }}
        end as value
    from counted
    inner join {{ ref('indicators') }} as registry on counted.indicator_id = registry.indicator_id
),

compared as (
    select
        *,
        max(case when hospital_id = 'REGION' then value end) over (
            partition by specialty_code, attribution, window_id, indicator_id
        ) as benchmark
    from valued
)

select
    compared.hospital_id,
    compared.specialty_code,
    compared.attribution,
    compared.window_id,
    compared.indicator_id,
    compared.numerator,
    compared.denominator,
    compared.value,
    compared.benchmark,
    cast(compared.case_count as bigint) as case_count,
    case when compared.value is null then compared.empty_status else 'valued' end as status,
    case
        when compared.value is null then concat_ws('；', compared.empty_reason_zh, note.held_back_text)
        else nullif(
            concat_ws(
                '；',
                case when compared.case_count = 0 then compared.empty_reason_zh end,
                data_window.incomplete_reason,
                '本机构缺 ' || missing.missing_months || ' 个月数据：' || missing.missing_text,
                note.held_back_text
            ), ''
        )
    end as status_reason,
    note.held_back_text is not null as is_held_back,
    note.fitness,
    compared.method_version,
    edition.editions
from compared
inner join {{ ref('dim_window') }} as data_window on compared.window_id = data_window.window_id
left join {{ ref('int_edition') }} as edition
    on compared.window_id = edition.window_id and compared.indicator_id = edition.indicator_id
left join {{ ref('int_missing_month') }} as missing
    on
        compared.hospital_id = missing.hospital_id
        and compared.window_id = missing.window_id
        and compared.hospital_id <> 'REGION'
left join {{ ref('int_quality_note') }} as note
    on compared.hospital_id = note.hospital_id and compared.window_id = note.window_id
