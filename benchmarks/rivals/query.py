"""One query written by hand, for DuckDB and for PostgreSQL: both read the same words over tables of the same names.

Belongs here: the query and its few words that the two engines spell differently.  Does not belong here: opening either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.rivals.tables import COUNTS, FRACTIONS, KEYS, MEASURES

Ratio = Callable[[str, str], str]


def in_duckdb(numerator: str, denominator: str) -> str:
    """An exact quotient, rounded half up to twelve decimals."""
    dividend, divisor = f"cast({numerator} as hugeint)", f"cast({denominator} as hugeint)"
    whole = f"({dividend} * 2000000000000 + {divisor}) // nullif(2 * {divisor}, 0)"
    return f"cast(cast({whole} as decimal(26, 0)) * 0.000000000001 as decimal(26, 12))"


def in_postgres(numerator: str, denominator: str) -> str:
    """The same, of the numerics that sums of bigint are."""
    dividend, divisor = f"cast({numerator} as numeric)", f"cast({denominator} as numeric)"
    return f"div({dividend} * 2000000000000 + {divisor}, nullif(2 * {divisor}, 0)) * 0.000000000001"


def query(ratio: Ratio) -> str:
    """The measures of every hospital, specialty and year."""
    ratios = {
        "$weight": ratio(
            "(reference.cost_fen * reference.all_cases)", "(cast(reference.cases as $wide) * reference.all_cost_fen)"
        ),
        "$cost_ratio": ratio("(grouped_cost_fen * cast(reference.cases as $wide))", "reference.cost_fen"),
        "$time_ratio": ratio("(grouped_stay_days * reference.cases)", "reference.stay_days"),
        "$wide": "hugeint" if ratio is in_duckdb else "numeric",
        "$counted": ", ".join(f"sum({name}) as {name}" for name in COUNTS),
        "$published": ", ".join(f"cast({_published(name)} as bigint) as {name}" for name in MEASURES),
        "$keys": ", ".join(f"counted.{name}" for name in KEYS),
    }
    return _filled(_QUERY, ratios)


def _published(name: str) -> str:
    known = f"coalesce({name}, 0)"
    return f"cast({known} as decimal(28, 8)) * 100000000" if name in FRACTIONS else known


def _filled(text: str, values: Mapping[str, str]) -> str:
    for place, value in values.items():
        text = text.replace(place, value)
    return text


_QUERY = """
with operated as (
    select operation.case_id, bool_or(is_level4) as is_level4, bool_or(is_minimally_invasive) as is_minimally_invasive
    from operation
    join surgery_catalogue on operation.operation_code = surgery_catalogue.operation_code
    where discharge_date >= valid_from and discharge_date < valid_until
    group by operation.case_id
),
complicated as (
    select distinct case_id
    from diagnosis
    join complication on left(diagnosis_code, 3) = left(code_prefix, 3) and starts_with(diagnosis_code, code_prefix)
    where admission_condition = '4' and discharge_date >= valid_from and discharge_date < valid_until
),
discharge as (
    select
        header.organisation_id as hospital_id,
        coalesce(second_level.specialty_code, first_level.specialty_code, 'UNMAPPED') as specialty_code,
        cast(extract(year from header.discharge_date) as varchar) as window_id,
        case when drg_code <> '0000' and drg_code not like '%QY' then drg_code end as drg_code,
        scheme_edition,
        length_of_stay_days <= 60 and total_fee_fen >= 500
        and not (length_of_stay_days <= 2 and coalesce(principal_diagnosis, '') like 'Z53%') as is_analysed,
        discharge_mode is not distinct from '5' as has_died,
        admission_route is not distinct from '3' as is_transfer_in,
        residence_basis in ('address', 'postcode') and residence_division is not null as is_residence_known,
        left(residence_division, 2) <> '99' as is_from_elsewhere,
        length_of_stay_days, total_fee_fen,
        operated.case_id is not null as has_surgery,
        is_level4, is_minimally_invasive,
        operated.case_id is not null and admission_route is distinct from '1' as is_elective,
        complicated.case_id is not null as has_complication
    from header
    left join specialty as second_level on discharge_department = second_level.specialty_code
    left join specialty as first_level
        -- in one expression: a condition on one side alone would keep DuckDB from hashing
        on case when length(discharge_department) <= 4 then left(discharge_department, 2) end
        = first_level.specialty_code
    left join drg_result
        on header.patient_id = drg_result.patient_id
        and header.discharge_time = drg_result.discharge_time
        and header.admission_count = drg_result.admission_count
        and header.organisation_id = drg_result.organisation_id
    left join operated on header.case_id = operated.case_id
    left join complicated on header.case_id = complicated.case_id
),
cell as materialized (
    select
        hospital_id, specialty_code, window_id, drg_code, case when drg_code is not null then scheme_edition end
        as scheme_edition,
        count(*) as discharge_count,
        count(*) filter (where has_died) as death_count,
        count(length_of_stay_days) as stay_known_count,
        cast(sum(length_of_stay_days) as bigint) as stay_days_sum,
        count(*) filter (where is_transfer_in) as transfer_in_count,
        count(*) filter (where is_residence_known) as known_residence_count,
        count(*) filter (where is_residence_known and is_from_elsewhere) as out_of_province_count,
        count(*) filter (where has_surgery) as surgical_discharge_count,
        count(*) filter (where has_surgery) as surgery_count,
        count(*) filter (where is_level4) as level4_surgery_count,
        count(*) filter (where is_minimally_invasive) as minimally_invasive_count,
        count(*) filter (where is_elective) as elective_surgery_count,
        count(*) filter (where is_elective and has_complication) as complication_count,
        count(*) filter (where is_analysed) as analysed_count,
        count(*) filter (where is_analysed and drg_code is not null) as grouped_count,
        cast(sum(total_fee_fen) filter (where is_analysed and drg_code is not null) as bigint) as grouped_cost_fen,
        cast(sum(length_of_stay_days) filter (where is_analysed and drg_code is not null) as bigint)
        as grouped_stay_days,
        count(*) filter (where is_analysed and drg_code is not null and has_died) as grouped_death_count
    from discharge
    group by hospital_id, specialty_code, window_id, drg_code,
        case when drg_code is not null then scheme_edition end
),
by_group as (
    select
        window_id, scheme_edition, drg_code,
        cast(sum(grouped_count) as bigint) as cases,
        cast(sum(grouped_cost_fen) as bigint) as cost_fen,
        cast(sum(grouped_stay_days) as bigint) as stay_days,
        cast(sum(grouped_death_count) as bigint) as deaths
    from cell
    where grouped_count > 0
    group by window_id, scheme_edition, drg_code
),
reference as (
    select
        by_group.*,
        sum(cases) over (partition by window_id, scheme_edition) as all_cases,
        sum(cost_fen) over (partition by window_id, scheme_edition) as all_cost_fen,
        -- mortality as the size of its logarithm, in units of the twelfth decimal
        case when deaths > 0
            then cast(round(-1e12 * ln(cast(deaths as double precision) / cast(cases as double precision))) as bigint)
        end as size
    from by_group
),
spread as (
    select
        window_id, scheme_edition, count(size) as groups_with_deaths,
        floor((2 * cast(sum(size) as $wide) + count(size)) / (2 * count(size))) as mean,
        case when count(size) > 1 then round(sqrt(
            cast(
                count(size) * sum(cast(size as $wide) * size) - sum(cast(size as $wide)) * sum(cast(size as $wide))
                as double precision
            ) / cast(count(size) * (count(size) - 1) as double precision)
        )) else 0 end as deviation
    from reference
    where size is not null
    group by window_id, scheme_edition
),
by_drg as (
    select
        cell.hospital_id, cell.specialty_code, cell.window_id, grouped_count, grouped_death_count,
        $weight as weight,
        $cost_ratio as cost_ratio,
        $time_ratio as time_ratio,
        reference.size is null or reference.size > mean + deviation as is_low_risk
    from cell
    join reference
        on cell.drg_code = reference.drg_code
        and cell.window_id = reference.window_id
        and cell.scheme_edition = reference.scheme_edition
    left join spread on cell.window_id = spread.window_id and cell.scheme_edition = spread.scheme_edition
    where grouped_count > 0
),
weighed as (
    select
        hospital_id, specialty_code, window_id,
        count(*) as drg_group_count,
        sum(grouped_count * weight) as weight_sum,
        sum(grouped_count) filter (where weight >= 2) as weight_2_count,
        sum(cost_ratio) as cost_ratio_sum,
        sum(time_ratio) as time_ratio_sum,
        sum(grouped_count) filter (where is_low_risk) as low_risk_count,
        sum(grouped_death_count) filter (where is_low_risk) as low_risk_death_count
    from by_drg
    group by hospital_id, specialty_code, window_id
),
counted as (
    select hospital_id, specialty_code, window_id, $counted
    from cell
    group by hospital_id, specialty_code, window_id
)
select $keys, $published
from counted
left join weighed
    on counted.hospital_id = weighed.hospital_id
    and counted.specialty_code = weighed.specialty_code
    and counted.window_id = weighed.window_id
"""
