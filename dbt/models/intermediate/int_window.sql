-- Every calendar year with data, and every run of three years that ends in one.
with years as (
    select distinct cast(extract(year from discharge_month) as integer) as data_year
    from {{ ref('int_cell') }}
),

spans as (
    select
        data_year as first_year,
        data_year as last_year
    from years
    union all
    select
        data_year - 2 as first_year,
        data_year as last_year
    from years
)

select
    case when first_year = last_year then '' else first_year || '-' end || last_year as window_id,
    first_year,
    last_year,
    last_year - first_year + 1 as years,
    make_date(first_year, 1, 1) as first_month,
    make_date(last_year, 12, 1) as last_month
from spans
