"""Cases grouped by the real models under imported schemes: packages and cases in, one result per case out.

Belongs here: how the tests of grouping reach dbt. Not here: packages, cases, or what must come out of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from conftest import DATABASE, REPOSITORY, run_dbt
from landed import write_candidate
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


def import_schemes(home: Path, schemes: Sequence[Tables]) -> None:
    """As the command does: write each package, check it, keep it."""
    for number, tables in enumerate(schemes):
        with open_package(write_package(home / "packages" / str(number), tables)) as package:
            errors = [str(fault) for fault in find_faults(package) if fault.level == "error"]
            assert not errors, errors
            store.import_package(home, package)


def group_in_sql(work: Path, schemes: Sequence[Tables], cases: Sequence[tuple[str, Case]]) -> list[Result]:
    """The results of cases, each of an edition, in their order."""
    database = work / DATABASE
    import_schemes(work, schemes)
    write_candidate(database, {})
    with duckdb.connect(str(database)) as connection:
        for table, query in store.views(work).items():
            connection.execute(f"insert into scheme.{table} by name {query}")
        connection.register("given", _arrow(cases))
        connection.execute("create table landing.grouping_case as from given")
    done = run_dbt(
        *(REPOSITORY / "dbt", database, "build", "--select", "+int_drg_trace"),
        *("--exclude-resource-type", "unit_test", "test"),
        cases="file",
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    columns = ", ".join(field.name for field in fields(Result))
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(f"select source_row, {columns} from int_drg_trace order by source_row").fetchall()
    assert [row[0] for row in rows] == list(range(len(cases)))
    return [_result(row[1:]) for row in rows]


def _arrow(cases: Sequence[tuple[str, Case]]) -> pa.Table:
    columns = {
        "source_id": pa.array(["a" * 12] * len(cases)),
        "source_row": pa.array(range(len(cases)), pa.int32()),
        "scheme_edition": pa.array([edition for edition, _ in cases]),
    }
    for name, kind in CASE_FIELDS.items():
        columns[name] = pa.array([getattr(case, name) for _, case in cases], kind)
    return pa.table(columns)


def _result(values: tuple[Any, ...]) -> Result:
    return Result(*(tuple(value) if isinstance(value, list) else value for value in values))
