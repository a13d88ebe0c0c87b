"""A dbt project on small tables: the real models, a candidate of a few rows, few row rules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from landed import Row, write_candidate

REPOSITORY = Path(__file__).resolve().parents[2]
DATABASE = "candidate.duckdb"
RULES = [
    "fee_positive,总费用大于零,plausibility,validation,hqms_front_page,stg_hqms_front_page,row,total_fee_fen,"
    "true,total_fee_fen <= 0,,critical,0.01,,,,",
    "grouped,已分组,completeness,validation,drg_result,int_cell,row,drg_code,true,drg_code is null,analysed_count,"
    "warning,0.5,,,,",
    "catalogue_level,级别在 1 至 4,conformance,verification,surgery_catalogue,stg_surgery_catalogue,row,"
    "operation_level,operation_level is not null,\"operation_level not in ('1', '2', '3', '4')\",,warning,0,,,,",
    "accident_dated,事故有日期,completeness,verification,accident,stg_accident,row,accident_date,true,"
    "accident_date is null,,info,0,,,,",
]


@dataclass(frozen=True)
class Built:
    """A candidate after dbt: its database, what dbt said, and the tables that it made with their compiled SQL."""

    database: Path
    output: str
    models: Mapping[str, str]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        import duckdb

        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def indicators(self) -> dict[tuple[str, ...], tuple[Any, ...]]:
        """(hospital, specialty, attribution, window, indicator) -> (numerator, denominator, value, case_count)."""
        return {
            row[:5]: row[5:]
            for row in self.rows(
                "select hospital_id, specialty_code, attribution, window_id, indicator_id,"
                " numerator, denominator, value, case_count from fct_indicator"
            )
        }

    def after(self, folder: Path, *statements: str) -> Built:
        """The same candidate once some statements changed a seed: the compiled SQL again, without dbt's seconds."""
        import duckdb

        database = folder / DATABASE
        shutil.copy(self.database, database)
        with duckdb.connect(str(database)) as connection:
            for statement in statements:
                connection.execute(statement)
            for name, query in self.models.items():
                connection.execute(f"create or replace table {name} as {query}")
        return Built(database, "", self.models)

    def with_switch(self, folder: Path, switch: str, value: str) -> Built:
        assert self.rows(f"select count(*) from switches where switch_id = '{switch}'") == [(1,)]
        return self.after(folder, f"update switches set value = '{value}' where switch_id = '{switch}'")


Build = Callable[..., Built]


def copy_project(folder: Path, rules: Sequence[str] = RULES) -> Path:
    """The dbt folder and the lists beside it as in the repository, with few row rules."""
    project = folder / "dbt"
    reference = folder / "sources" / "reference"
    shutil.copytree(REPOSITORY / "dbt", project, ignore=shutil.ignore_patterns("target", "logs"))
    reference.mkdir(parents=True)
    for name in ("specialties", "divisions", "dossier_items", "single_diseases", "single_disease_codes"):
        shutil.copy(REPOSITORY / "sources" / "reference" / f"{name}.csv", reference)
    rule_file = folder / "expectations" / "rules" / "dq_rules.csv"
    rule_file.parent.mkdir(parents=True)
    for name in ("drift_rules.csv", "mart_inputs.csv", "source_pairs.csv"):
        shutil.copy(REPOSITORY / "expectations" / "rules" / name, rule_file.parent)
    header = (REPOSITORY / "expectations" / "rules" / "dq_rules.csv").read_text(encoding="utf-8").splitlines()[0]
    rule_file.write_text("\n".join([header, *rules]) + "\n", encoding="utf-8")
    return project


def target_of(database: Path) -> Path:
    """Where dbt leaves what it compiled for a database."""
    return database.with_suffix(".dbt")


def run_dbt(
    project: Path, database: Path, *arguments: str, threads: int = 2, province: str | None = "990000", **variables: str
) -> subprocess.CompletedProcess[str]:
    """dbt in a process of its own: an adapter keeps its database open for as long as its process lives."""
    target = target_of(database)
    command = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *arguments]
    command += ["--project-dir", str(project), "--profiles-dir", str(project)]
    command += ["--target-path", str(target), "--log-path", str(target / "logs")]
    if province is not None:
        variables["province_division"] = province
    command += ["--vars", json.dumps(variables)]
    environment = {
        **os.environ,
        "ZHUANKE_CANDIDATE": str(database),
        "ZHUANKE_THREADS": str(threads),
        "ZHUANKE_MEMORY_LIMIT": "1GB",
        "DO_NOT_TRACK": "1",
    }
    return subprocess.run(command, env=environment, cwd=project, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """`build(tables, threads=2, only=())`: the marts of small landed tables; with `only`, what these rest on."""
    work = tmp_path_factory.mktemp("work")
    project = copy_project(work)

    def run(tables: Mapping[str, Sequence[Row]], *, threads: int = 2, only: Sequence[str] = ()) -> Built:
        # always the same path: dbt reads the whole project anew when its database has another name
        database = work / DATABASE
        write_candidate(database, tables)
        selection = ["--select", *(f"+{mart}" for mart in only)] if only else []
        build = ["build", *selection, "--exclude-resource-type", "unit_test", "test"]
        done = run_dbt(project, database, *build, threads=threads)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        target = target_of(database)
        results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
        nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
        models = {
            nodes[result["unique_id"]]["name"]: result["compiled_code"]
            for result in results
            if result["unique_id"] in nodes  # exposures are results too, and no nodes
            and nodes[result["unique_id"]]["config"]["materialized"] in ("table", "kept_by_month")
            # a Python model keeps what it made: no statement of a test reaches it
            and nodes[result["unique_id"]]["language"] == "sql"
        }
        kept = tmp_path_factory.mktemp("built") / DATABASE
        database.rename(kept)
        return Built(kept, done.stdout, models)

    return run
