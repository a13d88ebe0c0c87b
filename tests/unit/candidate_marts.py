"""Marts of a small selection: three hospitals in two specialties, one programme of the registry, invented numbers.

Forms, reports and the public edition are tested against them; the registries are the real seeds.
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

SEEDS = Path(__file__).resolve().parents[2] / "dbt" / "seeds"
HOSPITALS = ("H1", "H2", "H3")
WINDOW = "2022-2024"
_ITEM_COLUMNS = """programme_id, item_id, entry_id, try_cast(serial_no as integer) as serial_no, part, group_id,
    group_zh, subgroup_zh, wording_zh, title_zh, clause, printed_window, source, indicator_id, evidence_items,
    denominator_items, unit, direction, scale_method, cast(weight as integer) as weight,
    cast(min_cases as integer) as min_cases,
    missing_policy, owner, status = 'provisional' as is_provisional, note_zh"""


def candidate_marts(target: Path, changes: str = "", programme_id: str = "national_2021") -> Path:
    """Write the marts to `target`, after `changes` in SQL; the folder that forms and reports read."""
    target.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        for name in ("programmes/programme_items", "programmes/programmes", "indicators/indicators"):
            table = name.rpartition("/")[2]
            path = SEEDS / f"{name}.csv"
            connection.execute(f"create table {table} as from read_csv('{path}', all_varchar = true)")
        connection.execute(_TABLES.replace("$programme", programme_id).replace("$items", _ITEM_COLUMNS))
        if changes:
            connection.execute(changes)
        marts = connection.execute(
            "select table_name from duckdb_tables() where table_name ~ '(dim|fct)_.*'"
        ).fetchall()
        for (mart,) in sorted(marts):
            connection.execute(f"copy (from {mart} order by all) to '{target}/{mart}.parquet' (format parquet)")
    return target


def registered_items(programme_id: str) -> list[dict[str, str]]:
    """The rows of the registry, as they were written."""
    with (SEEDS / "programmes" / "programme_items.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["programme_id"] == programme_id]


_TABLES = f"""
create table dim_hospital as select * from (values
    ('H1', '示例一院', true, false), ('H2', '示例二院', true, false), ('H3', '示例三院', true, false),
    ('REGION', '示例省', false, true)) t (hospital_id, name_zh, is_registered, is_region);
create table dim_specialty as select * from (values
    ('0304', '心血管内科专业', 'medical'), ('0402', '神经外科专业', 'surgical')) t (specialty_code, name_zh, kind);
create table dim_window as select * from (values
    ('{WINDOW}', 2022, 2024, 3, true, null), ('2022', 2022, 2022, 1, true, null),
    ('2023', 2023, 2023, 1, true, null), ('2024', 2024, 2024, 1, true, null))
    t (window_id, first_year, last_year, years, is_complete, incomplete_reason);
create table dim_programme as
    select programme_id, tier, cast(serial as integer) as serial, title_zh, tier_zh, document_zh, document_no,
        '{WINDOW}' as window_id, attribution, peer_levels, cast(min_peers as integer) as min_peers,
        cast(data_share as integer) as data_share, cast(reputation_share as integer) as reputation_share,
        cast(min_coverage as decimal(9, 4)) as min_coverage, cast(cut_rank as integer) as cut_rank,
        cast(draws as integer) as draws, owner, status = 'provisional' as is_provisional, note_zh
    from programmes where programme_id = '$programme';
create table dim_programme_item as select $items from programme_items where programme_id = '$programme';
create table dim_indicator as
    select indicator_id, name_zh, unit, cast(decimals as integer) as decimals, direction, method, numerator_measure,
        denominator_measure, definition_zh, is_share = 'true' as is_share
    from indicators;
create table place as
    select 'H' || h as hospital_id, h, specialty_code
    from range(1, 4) t (h), dim_specialty;
create table fct_indicator as
    select hospital_id, specialty_code, 'department' as attribution, window_id, indicator_id,
        cast(numerator as decimal(28, 8)) as numerator,
        cast(if(method = 'count', null, 1000) as decimal(28, 8)) as denominator,
        cast(if(method = 'count', numerator, numerator / 1000) as decimal(24, 8)) as value,
        cast(0.2 as decimal(24, 8)) as benchmark, cast(1000 as bigint) as case_count, 'valued' as status,
        cast(null as varchar) as status_reason, 'A' as fitness, '分组方案 示例-1' as editions
    from (
        select hospital_id, specialty_code, window_id, i.indicator_id, i.method,
            100 * h + row_number() over (partition by hospital_id, specialty_code, window_id order by i.indicator_id)
                + if(window_id = '{WINDOW}', 0, cast(window_id as integer) - 2022) as numerator
        from (select * from place union all select 'REGION', 2, specialty_code from dim_specialty),
            dim_window, dim_indicator as i
    );
create table fct_item as
    select p.programme_id, p.tier, p.window_id, place.hospital_id, place.specialty_code, i.item_id, h <> 3 as is_peer,
        coalesce(n.numerator, h) as numerator, n.denominator, cast(coalesce(n.value, h) as decimal(24, 8)) as value,
        cast(null as varchar) as choice, n.case_count, cast(0 as decimal(24, 8)) as value_error,
        if(n.value is null, i.printed_window, p.window_id) as data_window, 3 as peer_count, i.scale_method,
        cast(100.0 * h / 7 as decimal(12, 8)) as scale_score, i.weight, 'valued' as status,
        cast(null as varchar) as status_reason, false as is_flagged, 1 as provisional_count
    from dim_programme as p
    join dim_programme_item as i using (programme_id)
    cross join place
    left join fct_indicator as n
        on n.hospital_id = place.hospital_id and n.specialty_code = place.specialty_code
        and n.window_id = p.window_id and n.indicator_id = i.indicator_id;
create table fct_score as
    select programme_id, tier, window_id, hospital_id, specialty_code, level, group_id, group_zh, 'data' as part,
        cast(90 - 10 * h as decimal(12, 8)) as score, cast(2 as decimal(12, 8)) as score_error,
        cast(0.875 as decimal(9, 8)) as coverage, '' as missing_items, if(level = 'total', h, null) as rank,
        cast(null as varchar) as rank_reason
    from dim_programme
    cross join place
    join (
        select distinct programme_id, 'group' as level, group_id, group_zh from dim_programme_item
        union all select distinct programme_id, 'total', 'total', '总分' from dim_programme_item
    ) using (programme_id);
create table fct_rank_stability as
    select programme_id, tier, window_id, hospital_id, specialty_code, score, rank, 3 as cut_rank, 200 as draws,
        cast(0.9 as decimal(5, 4)) as above_cut_share, greatest(rank - 1, 1) as rank_5, rank + 1 as rank_95
    from fct_score where level = 'total';
create table fct_fitness as
    select 'fct_indicator' as mart, hospital_id, cast(window_id as integer) as data_year,
        if(hospital_id = 'H2', 'B', 'A') as grade
    from dim_hospital, dim_window where years = 1 and hospital_id <> 'REGION';
drop table place; drop table programme_items; drop table programmes; drop table indicators;
"""
