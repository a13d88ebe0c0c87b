"""DuckDB: the query written by hand, and the floor under any way of computing it."""

from __future__ import annotations

from pathlib import Path

from benchmarks import province
from benchmarks.rivals.query import in_duckdb, query

# What a front page adds to any measure of the product, the keys of its cell apart
_COUNTED = ("length_of_stay_days", "total_fee_fen", "ventilator_hours", "rescue_count", "rescue_success_count")
_TOLD = ("discharge_mode", "admission_route", "residence_division", "residence_basis", "nationality", "patient_id")
_LISTED = (
    *("diagnoses", "diagnosis_conditions", "diagnosis_outcomes"),
    *("operations", "operation_incisions"),
)


def run(long: Path, output: Path) -> None:
    """The query over the long tables."""
    import duckdb

    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as con:
        for path in sorted(long.glob("*.parquet")):
            con.execute(f"create view {path.stem} as from '{path}'")
        con.execute(f"copy ({query(in_duckdb)}) to '{output}' (format parquet)")


def floor(home: Path) -> None:
    """The needed columns of the landed files, read once, with one aggregate each into the keys of the cells."""
    import duckdb

    sums = [f"sum({name})" for name in _COUNTED]
    sums += [f"count({name})" for name in _TOLD]
    sums += [f"sum(len({name}))" for name in _LISTED]
    sums += ["max(admission_time)", "max(admission_count)", "max(source_id)", "max(source_row)"]
    with duckdb.connect(config={"threads": 2, "preserve_insertion_order": False}) as con:
        con.execute(f"""
            create temp table page_cell as
            select organisation_id, discharge_department, date_trunc('month', discharge_time) as month,
                count(*) as cases, {", ".join(f"{each} as sum_{place}" for place, each in enumerate(sums))}
            from {province.copies(home, "hqms_front_page")}
            group by all
        """)
        con.execute(f"""
            create temp table result_cell as
            select organisation_id, drg_code, scheme_edition, date_trunc('month', discharge_time) as month,
                count(*) as cases, count(patient_id) as patients, max(admission_count) as admissions
            from {province.copies(home, "drg_result")}
            group by all
        """)
