-- Risk class of a DRG from the logarithm of its mortality in the reference population. Mean m and standard deviation s
-- are taken over the groups with deaths, unweighted: 1 below m-s, 2 up to m, 3 up to m+s, 4 from m+s on.
-- Each edition of the scheme is graded by itself. With fewer than two such groups s is 0: the group with deaths is then not below m+s and falls in class 4.
with mortality as (
    select
        benchmark.window_id,
        benchmark.scheme_edition,
        benchmark.drg_code,
        benchmark.reference_population,
        benchmark.case_count,
        cast(sum(cell.grouped_death_count) as bigint) as death_count
    from {{ ref('ref_drg_benchmark') }} as benchmark
    inner join {{ ref('int_window') }} as data_window on benchmark.window_id = data_window.window_id
    inner join {{ ref('int_cell') }} as cell
        on
            benchmark.drg_code = cell.drg_code
            and benchmark.scheme_edition is not distinct from cell.scheme_edition
            and cell.discharge_month between data_window.first_month and data_window.last_month
    left join {{ ref('stg_hospital') }} as hospital on cell.organisation_id = hospital.organisation_id
    where benchmark.reference_population = 'region' or hospital.level = '3'
    group by
        benchmark.window_id, benchmark.scheme_edition, benchmark.drg_code, benchmark.reference_population,
        benchmark.case_count
),

logarithm as (
    select
        *,
        -- rounded before anything is summed, so that sums do not depend on their order
        case
            when death_count > 0
                then cast(ln(cast(death_count as double) / cast(case_count as double)) as decimal(20, 12))
        end as ln_mortality
    from mortality
),

-- logarithms of shares are never positive: their sizes are summed as whole numbers of the 12th decimal
size as (
    select
        *,
        {{ scaled_integer('-ln_mortality', 12) }} as size_units
    from logarithm
),

moments as (
    select
        window_id,
        scheme_edition,
        count(size_units) as groups_with_deaths,
        coalesce(sum(size_units), 0) as size_sum,
        coalesce(count(size_units) * sum(size_units * size_units) - sum(size_units) * sum(size_units), 0)
            as spread
    from size
    group by window_id, scheme_edition
),

statistics as (
    select
        moments.window_id,
        moments.scheme_edition,
        switch.mortality_sd,
        switch.zero_death_groups,
        -{{ exact_ratio(
            ['moments.size_sum'], ['moments.groups_with_deaths', '1000000000000'], 12, 20
        ) }} as ln_mean,
        case
            when moments.groups_with_deaths < 2 then cast(0 as decimal(20, 12))
            else cast(
                sqrt(
                    cast(moments.spread as double)
                    / cast(
                        moments.groups_with_deaths * case switch.mortality_sd
                            when 'sample' then moments.groups_with_deaths - 1 else moments.groups_with_deaths
                        end as double
                    )
                ) / 1e12 as decimal(20, 12)
            )
        end as ln_sd
    from moments
    cross join {{ ref('int_switch') }} as switch
)

select
    size.window_id,
    size.scheme_edition,
    size.drg_code,
    size.case_count,
    size.death_count,
    {{ exact_ratio(['size.death_count'], ['size.case_count'], 12, 20) }} as mortality,
    size.ln_mortality,
    case
        when size.death_count = 0 and statistics.zero_death_groups = 'zero' then '0'
        when size.death_count = 0 then '1'
        when size.ln_mortality < statistics.ln_mean - statistics.ln_sd then '1'
        when size.ln_mortality < statistics.ln_mean then '2'
        when size.ln_mortality < statistics.ln_mean + statistics.ln_sd then '3'
        else '4'
    end as risk_class,
    statistics.ln_mean,
    statistics.ln_sd,
    cast(statistics.ln_mean - statistics.ln_sd as decimal(20, 12)) as cut_low,
    statistics.ln_mean as cut_mid,
    cast(statistics.ln_mean + statistics.ln_sd as decimal(20, 12)) as cut_high,
    size.reference_population,
    statistics.mortality_sd,
    statistics.zero_death_groups
from size
inner join statistics
    on size.window_id = statistics.window_id and size.scheme_edition is not distinct from statistics.scheme_edition
