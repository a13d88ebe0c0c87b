"""The case lists that the read-only service shows beside a certificate: one Parquet per hospital.

Belongs here: which cases and columns they have. Does not belong here: what counts and why (`made_of`), who may read
which list (`publishing.service`).

    <home>/certified/<certificate>.cases/<hospital>.parquet
        hospital_id, specialty_code   by the programme's way of attributing cases
        case_key                      the pseudonym
        discharge_date, source_id, source_row, facts_zh
        one column per measure        what the case adds to it
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.explain import asked_candidate
from dagster_project.made_of import case_facts, columns_of, shown
from dagster_project.packets import list_previewed, previewed, previewed_hospitals, specialty_column
from dagster_project.recorded import open_record
from sources.expressions import quote

if TYPE_CHECKING:
    import duckdb

    from dagster_project.settings import Settings

_KEPT_APART = ("病例假名", "出院日期", "来源文件", "行号", "专科")
_SOURCE_DIGITS = 12  # as workbooks for hospitals name a file


def write_case_lists(settings: Settings, bundle: Path, target: Path) -> int:
    """Write the lists of a bundle, all or none; how many hospitals have one."""
    record, coming = open_record(settings, str(bundle)), target.with_name(f".{target.name}")
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(parents=True)
    with asked_candidate(settings, record) as connection:
        programme, hospitals = previewed(connection), previewed_hospitals(connection)
        list_previewed(connection, programme)
        for hospital in hospitals:
            _write(connection, programme, hospital, coming / f"{hospital}.parquet")
    shutil.rmtree(target, ignore_errors=True)
    coming.rename(target)
    return len(hospitals)


def _write(connection: duckdb.DuckDBPyConnection, programme: Mapping[str, Any], hospital: str, file: Path) -> None:
    """A hospital's cases, as far as the bundle has the specialty, with the facts of each in words."""
    import pyarrow as pa

    said = [
        {"source_id": row["source_id"], "source_row": row["source_row"], "facts_zh": _sentence(facts)}
        for row, facts in case_facts(connection, hospital)
    ]
    shape = [("source_id", pa.string()), ("source_row", pa.int64()), ("facts_zh", pa.string())]
    connection.register("facts", pa.Table.from_pylist(said, pa.schema(shape)))
    there = columns_of(connection, "asked")
    counted = ", ".join(f"asked.{name}" for name in programme["measures"] if name in there)
    specialty = specialty_column(programme)
    connection.execute(
        f"""
        copy (
            select asked.organisation_id as hospital_id, asked.{specialty} as specialty_code,
                asked.patient_id as case_key, asked.discharge_date,
                substr(asked.source_id, 1, {_SOURCE_DIGITS}) as source_id, asked.source_row, facts.facts_zh, {counted}
            from asked inner join facts on asked.source_id = facts.source_id and asked.source_row = facts.source_row
            where asked.organisation_id = {quote(hospital)} and asked.{specialty} in (
                select specialty_code from memory.published.fct_indicator where hospital_id = {quote(hospital)}
            )
            order by asked.discharge_date, asked.patient_id, asked.source_id, asked.source_row
        ) to {quote(str(file))} (format parquet, compression zstd)
        """
    )
    connection.unregister("facts")


def _sentence(facts: Mapping[str, Any]) -> str:
    """Facts one after the other; what the list has in columns of its own is left out."""
    told = {name: value for name, value in facts.items() if value and name not in _KEPT_APART}
    return "；".join(f"{name} {shown(value).removesuffix('。')}" for name, value in told.items())
