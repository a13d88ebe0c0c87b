{{ config(materialized='view') }}
-- The parts that a measure is the sum of where its parts are no cases: months of bed reports, hospitals of a region,
-- cities, operations. A view: it is read when somebody asks what a number is made of.
with bed as (
    {{ bed_months() }}
),

operated as (
    {{ operated_codes() }}
),

spectrum as (
    select distinct
        operated.attribution,
        {{ level_keys() }},
        data_window.window_id,
        operated.operation_code
    from operated
    inner join {{ ref('int_window') }} as data_window
        on operated.data_year between data_window.first_year and data_window.last_year
    group by operated.attribution, data_window.window_id, operated.operation_code, {{ level_sets() }}
),

-- every hospital stands for itself, and for the region beside the others
hospital as (
    {% for place in ['hospital_id', "'REGION'"] %}
        select
            attribution,
            {{ place }} as hospital_id,
            specialty_code,
            window_id,
            hospital_id as part_id,
            discharge_count,
            endoscopy_or_intervention_count,
            {{ "true" if loop.last else "false" }} as is_region
        from {{ ref('int_count') }}
        where hospital_id <> 'REGION'
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

flow as (
    select
        data_window.window_id,
        flow.specialty_code,
        {{ city_of('flow.residence_division') }} as residence_city,
        {{ city_of('flow.hospital_division') }} as hospital_city,
        flow.discharge_count
    from {{ ref('int_flow') }} as flow
    inner join {{ ref('int_window') }} as data_window
        on flow.data_year between data_window.first_year and data_window.last_year
    where left(flow.residence_division, 2) = left({{ province_division() }}, 2)
),

resident as (
    select
        window_id,
        case when grouping(specialty_code) = 1 then 'ALL' else specialty_code end as specialty_code,
        residence_city,
        hospital_city,
        sum(discharge_count) as discharge_count
    from flow
    where residence_city is not null and hospital_city is not null
    group by grouping sets (
        (window_id, specialty_code, residence_city, hospital_city), (window_id, residence_city, hospital_city)
    )
),

placed as (
    select
        hospital.organisation_id as hospital_id,
        resident.*
    from resident
    inner join {{ ref('stg_hospital') }} as hospital on resident.residence_city = {{ city_of('hospital.division') }}
    union all
    select
        'REGION' as hospital_id,
        resident.*
    from resident
),

part as (
    {% for measure in [
        'open_bed_days', 'occupied_bed_days', 'bed_calendar_days', 'bed_discharge_count', 'bed_turnover_days'
    ] %}
        select
            attribution.attribution,
            bed.hospital_id,
            bed.specialty_code,
            data_window.window_id,
            '{{ measure }}' as measure_id,
            'month' as part_kind,
            strftime(bed.first_day, '%Y-%m') as part_id,
            bed.{{ measure }} as amount
        from bed
        inner join {{ ref('int_window') }} as data_window
            on bed.first_day between data_window.first_month and data_window.last_month
        inner join (values ('department'), ('mdc')) as attribution (attribution)
            on attribution.attribution = 'department' or bed.specialty_code = 'ALL'
        union all
    {% endfor %}
    select
        attribution,
        hospital_id,
        specialty_code,
        window_id,
        'operation_spectrum_count' as measure_id,
        'operation' as part_kind,
        operation_code as part_id,
        1 as amount
    from spectrum
    {% for measure, amount in [
        ('endoscopy_hospital_count', 'case when endoscopy_or_intervention_count > 0 then 1 else 0 end'),
        ('reporting_hospital_count', '1'),
        ('concentration_discharge_count', 'case when is_region then discharge_count else 0 end'),
        ('squared_discharge_sum', 'case when is_region then discharge_count * discharge_count else 0 end'),
    ] %}
        union all
        select
            attribution,
            hospital_id,
            specialty_code,
            window_id,
            '{{ measure }}' as measure_id,
            'hospital' as part_kind,
            part_id,
            {{ amount }} as amount
        from hospital
    {% endfor %}
    union all
    -- the largest hospital alone; of several that are equally large, the first
    select
        attribution,
        hospital_id,
        specialty_code,
        window_id,
        'largest_hospital_discharge_count' as measure_id,
        'hospital' as part_kind,
        arg_max(part_id, (discharge_count, part_id)) as part_id,
        max(discharge_count) as amount
    from hospital
    where is_region
    group by attribution, hospital_id, specialty_code, window_id
    union all
    select
        attribution,
        hospital_id,
        specialty_code,
        window_id,
        'total_discharge_square' as measure_id,
        'region' as part_kind,
        'REGION' as part_id,
        sum(discharge_count) * sum(discharge_count) as amount
    from hospital
    where is_region
    group by attribution, hospital_id, specialty_code, window_id
    {% for measure, condition in [('resident_count', 'true'), ('outflow_count', 'residence_city <> hospital_city')] %}
        union all
        select
            attribution.attribution,
            placed.hospital_id,
            placed.specialty_code,
            placed.window_id,
            '{{ measure }}' as measure_id,
            'flow' as part_kind,
            placed.residence_city || '-' || placed.hospital_city as part_id,
            placed.discharge_count as amount
        from placed
        inner join (values ('department'), ('mdc')) as attribution (attribution)
            on attribution.attribution = 'department' or placed.specialty_code = 'ALL'
        where {{ condition }}
    {% endfor %}
)

select
    attribution,
    hospital_id,
    specialty_code,
    window_id,
    measure_id,
    part_kind,
    part_id,
    cast(amount as decimal(28, 8)) as amount
from part
where amount <> 0
