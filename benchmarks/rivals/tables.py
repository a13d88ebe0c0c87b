"""The long tables that every rival starts from, and the table of measures that everybody hands over.

Belongs here: a province's front pages as header, diagnoses and operations, its DRG results, and the small lists, as
Parquet with text codes.  Does not belong here: any counting.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import province

KEYS = ("hospital_id", "specialty_code", "window_id")
COUNTS = (
    "discharge_count",
    "death_count",
    "stay_known_count",
    "stay_days_sum",
    "transfer_in_count",
    "known_residence_count",
    "out_of_province_count",
    "surgical_discharge_count",
    "surgery_count",
    "level4_surgery_count",
    "minimally_invasive_count",
    "elective_surgery_count",
    "complication_count",
    "analysed_count",
    "grouped_count",
    "grouped_cost_fen",
    "grouped_stay_days",
    "grouped_death_count",
)
WEIGHED = (
    "drg_group_count",
    "weight_sum",
    "weight_2_count",
    "cost_ratio_sum",
    "time_ratio_sum",
    "low_risk_count",
    "low_risk_death_count",
)
MEASURES = COUNTS + WEIGHED
FRACTIONS = ("weight_sum", "cost_ratio_sum", "time_ratio_sum")  # handed over as whole numbers of the eighth decimal

# A case is a number here, a page's place among all pages; the day of discharge stands at every code, as whoever lays
# out long tables for catalogues with editions would have it.
_HEADER = """
select
    case_id, organisation_id, patient_id, admission_count, discharge_time, cast(discharge_time as date) as
    discharge_date, discharge_department, admission_route, discharge_mode, length_of_stay_days, total_fee_fen,
    diagnoses[1] as principal_diagnosis, residence_basis, residence_division
from page
"""
_DIAGNOSIS = """
select
    case_id, cast(discharge_time as date) as discharge_date, unnest(diagnoses) as diagnosis_code,
    unnest(diagnosis_conditions) as admission_condition
from page
"""
_OPERATION = """
select case_id, cast(discharge_time as date) as discharge_date, unnest(operations) as operation_code from page
"""
_TABLES = {
    "header": _HEADER,
    "diagnosis": _DIAGNOSIS,
    "operation": _OPERATION,
    "drg_result": "select patient_id, discharge_time, admission_count, organisation_id, drg_code, "
    "coalesce(scheme_edition, '') as scheme_edition from landing.drg_result",
    "surgery_catalogue": "select operation_code, is_level4, is_minimally_invasive, valid_from, valid_until "
    "from int_surgery_catalogue",
    "complication": "select code_prefix, valid_from, valid_until from surgical_complications",
    "specialty": "select specialty_code from specialties",
}


def write(home: Path, database: Path, long: Path) -> None:
    """One Parquet file a table, of the pages that the candidate shows and of the lists that its models resolved."""
    import duckdb

    long.mkdir()
    with duckdb.connect(str(database), read_only=True, config={"threads": 2}) as con:
        con.execute(f"""
            create temp view page as
            select *, file_row_number + 10000000 * file_index as case_id
            from {province.copies(home, "hqms_front_page")}
        """)
        for name, query in _TABLES.items():
            con.execute(f"copy ({query}) to '{long}/{name}.parquet' (format parquet, compression zstd)")
