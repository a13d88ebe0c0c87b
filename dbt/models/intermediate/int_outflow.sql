-- Residents of a division (of the province that is computed) and how many of them were discharged from a hospital in
-- another division of the same rank: between cities, and between counties. What residents do in other provinces is
-- not in the front pages of this one.
with ranked as (
    {% for rank in ['prefecture', 'county'] %}
        {% set division_of = city_of if rank == 'prefecture' else county_of %}
        select
            data_year,
            specialty_code,
            '{{ rank }}' as division_rank,
            {{ division_of('residence_division') }} as residence_division,
            {{ division_of('hospital_division') }} as hospital_division,
            discharge_count
        from {{ ref('int_flow') }}
        where left(residence_division, 2) = left({{ province_division() }}, 2)
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    data_window.window_id,
    ranked.division_rank,
    ranked.residence_division,
    case when grouping(ranked.specialty_code) = 1 then 'ALL' else ranked.specialty_code end as specialty_code,
    cast(sum(ranked.discharge_count) as bigint) as resident_count,
    cast(
        coalesce(sum(ranked.discharge_count) filter (where ranked.hospital_division <> ranked.residence_division), 0)
        as bigint
    ) as outflow_count
from ranked
inner join {{ ref('int_window') }} as data_window
    on ranked.data_year between data_window.first_year and data_window.last_year
where ranked.residence_division is not null and ranked.hospital_division is not null
group by grouping sets (
    (data_window.window_id, ranked.division_rank, ranked.residence_division, ranked.specialty_code),
    (data_window.window_id, ranked.division_rank, ranked.residence_division)
)
