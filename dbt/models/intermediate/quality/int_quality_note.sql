-- What a reader of an indicator must know of the data behind it: the worst fitness of the window's years, and the
-- months that the gate held back.
with held_back as (
    select
        organisation_id,
        month,
        cast(left(month, 4) as integer) as data_year,
        bool_or(used_source_id is null) as is_missing
    from {{ ref('stg_gate_held_back') }}
    group by organisation_id, month
),

told as (
    select
        coalesce(held_back.organisation_id, 'REGION') as hospital_id,
        data_window.window_id,
        '质量门暂不采用 ' || count(*) || ' 个机构月份'
        || case when grouping(held_back.organisation_id) = 1 then '' else '：' || string_agg(
            held_back.month || case when held_back.is_missing then '（缺）' else '（用更早的上报）' end,
            '、' order by held_back.month
        ) end as held_back_text
    from held_back
    inner join {{ ref('int_window') }} as data_window
        on held_back.data_year between data_window.first_year and data_window.last_year
    group by grouping sets ((held_back.organisation_id, data_window.window_id), (data_window.window_id))
),

graded as (
    select
        fitness.hospital_id,
        data_window.window_id,
        max(fitness.grade) as fitness
    from {{ ref('fct_fitness') }} as fitness
    inner join {{ ref('int_window') }} as data_window
        on fitness.data_year between data_window.first_year and data_window.last_year
    where fitness.mart = 'fct_indicator'
    group by fitness.hospital_id, data_window.window_id
)

select
    coalesce(graded.hospital_id, told.hospital_id) as hospital_id,
    coalesce(graded.window_id, told.window_id) as window_id,
    graded.fitness,
    told.held_back_text
from graded
full outer join told on graded.hospital_id = told.hospital_id and graded.window_id = told.window_id
