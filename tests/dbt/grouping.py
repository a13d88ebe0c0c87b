"""Cases grouped by the real models under imported schemes: packages and cases in, one result per case out.

Belongs here: how the tests of grouping reach dbt. Not here: packages, cases, or what must come out of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from conftest import DATABASE, REPOSITORY, run_dbt
from landed import Row, write_candidate
from support.grouper import Case, Result, Tables
from support.scheme import write_package

from sources.scheme import store
from sources.scheme.checks import find_faults
from sources.scheme.package import open_package

CASE_FIELDS = {
    "diagnoses": pa.list_(pa.string()),
    "operations": pa.list_(pa.string()),
    "sex": pa.string(),
    "age_years": pa.int32(),
    "age_days": pa.int32(),
    "weight_g": pa.int32(),
}


def group_in_sql(work: Path, schemes: Sequence[Tables], cases: Sequence[tuple[str, Case]]) -> list[Result]:
    """The results of cases, each of an edition, in their order."""
    database = candidate(work, schemes)
    with duckdb.connect(str(database)) as connection:
        connection.register("given", _arrow(cases))
        connection.execute("create table landing.grouping_case as from given")
    grouped = run_models(database, cases="file")
    assert [number for number, _, _ in grouped] == list(range(len(cases)))
    return [result for _, _, result in grouped]


def candidate(work: Path, schemes: Sequence[Tables], landed: Mapping[str, Sequence[Row]] | None = None) -> Path:
    """A candidate with packages imported as the command does: written, checked, kept."""
    # always the same path: dbt reads the whole project anew when its database has another name
    database = work / DATABASE
    database.unlink(missing_ok=True)
    write_candidate(database, landed or {})
    with tempfile.TemporaryDirectory(dir=work) as folder, duckdb.connect(str(database)) as connection:
        home = Path(folder)
        for number, tables in enumerate(schemes):
            with open_package(write_package(home / f"package-{number}", tables)) as package:
                errors = [str(fault) for fault in find_faults(package) if fault.level == "error"]
                assert not errors, errors
                store.import_package(home, package)
        for table, query in store.views(home).items():
            connection.execute(f"insert into scheme.{table} by name {query}")
    return database


def run_models(database: Path, **variables: str) -> list[tuple[int, str | None, Result]]:
    """The grouping models over a candidate, which keep what they promise: row of the source, edition and result."""
    done = run_dbt(
        *(REPOSITORY / "dbt", database, "build", "--select", "+int_drg_trace"),
        *("--indirect-selection", "cautious", "--exclude-resource-type", "unit_test"),
        **variables,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    columns = ", ".join(field.name for field in fields(Result))
    query = f"select source_row, scheme_edition, {columns} from int_drg_trace order by source_row"
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(query).fetchall()
    return [(number, edition, _result(values)) for number, edition, *values in rows]


def _arrow(cases: Sequence[tuple[str, Case]]) -> pa.Table:
    columns = {
        "source_id": pa.array(["a" * 12] * len(cases)),
        "source_row": pa.array(range(len(cases)), pa.int32()),
        "scheme_edition": pa.array([edition for edition, _ in cases]),
    }
    for name, kind in CASE_FIELDS.items():
        columns[name] = pa.array([getattr(case, name) for _, case in cases], kind)
    return pa.table(columns)


def _result(values: Sequence[Any]) -> Result:
    return Result(*(tuple(value) if isinstance(value, list) else value for value in values))
