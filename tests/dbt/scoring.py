"""The scoring models alone, over indicators, dossiers and registers written by hand.

Belongs here: a candidate database of empty marts, the statements that dbt compiled for the scoring models, and rows
for what they read. Not here: front pages, or how an indicator is made.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import DATABASE, REPOSITORY, copy_project, run_dbt, target_of
from landed import write_candidate

YEARS = ("2022", "2023", "2024")
WINDOW = "2022-2024"
MODELS = {path.stem for path in (REPOSITORY / "dbt" / "models").glob("*/scoring/*.sql")}


@dataclass(frozen=True)
class Value:
    """An indicator's value, given as its fraction where it is a share; without one, its status and reason."""

    value: str | int | None
    cases: int = 100
    window: str = WINDOW
    status: str = "valued"
    reason: str | None = None


def no_value(status: str, reason: str) -> Value:
    return Value(None, 0, status=status, reason=reason)


Indicators = Mapping[tuple[str, str], Mapping[str, Value | Sequence[Value]]]


@dataclass(frozen=True)
class Scored:
    """The marts of a small province; gone when the next one is scored."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def item(self, programme: str, hospital: str, specialty: str, item: str) -> tuple[Any, ...]:
        """(scale_score, status, status_reason); the programme may carry its tier behind a slash."""
        return self._one("scale_score, status, status_reason", "fct_item", programme, hospital, specialty, item)

    def value(self, programme: str, hospital: str, specialty: str, item: str) -> Decimal | None:
        return self._one("value", "fct_item", programme, hospital, specialty, item)[0]

    def score(self, programme: str, hospital: str, specialty: str, group: str = "total") -> tuple[Any, ...]:
        """(score, coverage, rank) of a group, a part or the total."""
        return self._one("score, coverage, rank", "fct_score", programme, hospital, specialty, group)

    def _one(self, what: str, mart: str, programme: str, hospital: str, specialty: str, name: str) -> tuple[Any, ...]:
        identity, _, tier = programme.partition("/")
        key = "item_id" if mart == "fct_item" else "group_id"
        found = self.rows(
            f"select {what} from {mart} where programme_id = '{identity}' and hospital_id = '{hospital}'"
            f" and specialty_code = '{specialty}' and {key} = '{name}'" + (f" and tier = '{tier}'" if tier else "")
        )
        assert len(found) == 1, (programme, hospital, specialty, name, found)
        return found[0]


@cache
def _compiled(parent: Path) -> tuple[Path, tuple[tuple[str, str], ...]]:
    """An empty candidate and the scoring models in the order in which dbt ran them; once per process."""
    folder = Path(tempfile.mkdtemp(prefix="scoring", dir=parent))
    database = folder / DATABASE
    write_candidate(database, {})
    project = copy_project(folder / "project")
    done = run_dbt(
        *(project, database, "build", "--select", "+fct_rank_stability", "+fct_appraisal"),
        *("--exclude-resource-type", "unit_test", "test"),
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    target = target_of(database)
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    named = [(result["unique_id"].rpartition(".")[2], result["compiled_code"]) for result in results]
    models = tuple((name, query) for name, query in named if name in MODELS)
    assert {name for name, _ in models} == MODELS
    return database, models


@dataclass(frozen=True)
class Scoring:
    """`with scoring.province(...) as scored`: small tables in, the scoring marts out, and nothing left behind."""

    connection: duckdb.DuckDBPyConnection
    models: Sequence[tuple[str, str]]

    @contextmanager
    def province(
        self,
        indicators: Indicators | None = None,
        *,
        hospitals: Mapping[str, tuple[str, str]] | None = None,
        dossiers: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
        grades: Sequence[tuple[str, int, str, int]] = (),
        incomplete: Sequence[str] = (),
        statements: Sequence[str] = (),
    ) -> Iterator[Scored]:
        """Hospitals: (level, kind) by id, tertiary general ones unless said; grades: (hospital, year, grade, rank)."""
        self.connection.begin()
        try:
            self._windows(incomplete)
            named = {hospital for hospital, _ in [*(indicators or {}), *(dossiers or {})]} | {row[0] for row in grades}
            self._hospitals(dict.fromkeys(named, ("3", "综合")) | dict(hospitals or {}))
            self._indicators(indicators or {})
            self._dossiers(dossiers or {})
            self._grades(grades)
            for statement in statements:
                self.connection.execute(statement)
            self.run()
            yield Scored(self.connection)
        finally:
            self.connection.rollback()

    def run(self) -> None:
        for name, query in self.models:
            self.connection.execute(f"create or replace table {name} as {query}")

    def _insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
            self.connection.execute(
                f"insert into {table} ({columns}) values {marks}", [cell for row in rows for cell in row]
            )

    def _windows(self, incomplete: Sequence[str]) -> None:
        windows = [(year, int(year), int(year), 1) for year in YEARS] + [(WINDOW, 2022, 2024, 3)]
        self._insert(
            "dim_window",
            "window_id, first_year, last_year, years, is_complete",
            [(*window, window[0] not in incomplete) for window in windows],
        )

    def _hospitals(self, hospitals: Mapping[str, tuple[str, str]]) -> None:
        self._insert(
            "dim_hospital",
            "hospital_id, name_zh, level, kind, is_registered, is_region",
            [(name, f"示例医院{name}", *known, True, False) for name, known in sorted(hospitals.items())],
        )

    def _indicators(self, indicators: Indicators) -> None:
        registered = {row[0] for row in self.connection.execute("select indicator_id from dim_indicator").fetchall()}
        rows = []
        for (hospital, specialty), values in indicators.items():
            cases = 0
            for indicator, given in values.items():
                assert indicator in registered, f"{indicator} is not registered"
                for value in [given] if isinstance(given, Value) else given:
                    number = None if value.value is None else Decimal(value.value)
                    numerator = None if number is None else number * value.cases
                    rows.append(
                        (
                            *(hospital, specialty, "department", value.window, indicator),
                            *(numerator, value.cases, number, value.cases, value.status, value.reason),
                        )
                    )
                    cases = max(cases, value.cases)
            rows.append(
                (
                    *(hospital, specialty, "department", WINDOW, "discharge_count"),
                    *(cases, None, cases, cases, "valued", None),
                )
            )
        self._insert(
            "fct_indicator",
            "hospital_id, specialty_code, attribution, window_id, indicator_id, numerator, denominator, value,"
            " case_count, status, status_reason",
            rows,
        )

    def _dossiers(self, dossiers: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        """Numbers as they are, choices as text; of a text item its reviewed score, or '' while it has none."""
        rows = []
        for (hospital, specialty), answers in dossiers.items():
            for item, answer in answers.items():
                text, number = (answer, None) if isinstance(answer, str) else (None, answer)
                rows.append((hospital, specialty, item, "当前", text, number))
        self._insert(
            "landing.dossier_item",
            "organisation_id, specialty_code, item_code, period, value_text, value_number",
            rows,
        )

    def _grades(self, grades: Sequence[tuple[str, int, str, int]]) -> None:
        self._insert(
            "landing.appraisal_result",
            "organisation_id, data_year, indicator_code, indicator_name, grade, rank",
            [(hospital, year, "GK000", "绩效考核", grade, rank) for hospital, year, grade, rank in grades],
        )


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoring]:
    database, models = _compiled(tmp_path_factory.getbasetemp())
    with duckdb.connect(str(database)) as connection:
        connection.execute("set threads = 2")
        yield Scoring(connection, models)
