"""The scoring suite: every item of every programme for a province's candidates, and the recommended lists.

Belongs here: its contenders and what the product promises.  Does not belong here: whether scores and lists are right
(``tests/dbt/test_scoring.py``, ``tests/dbt/test_selection_lists.py``, ``tests/unit/test_solver.py``).

``python -m benchmarks.scoring STEP …`` runs one step in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import REPOSITORY
from benchmarks.suite import Command, Contender, Promise, Suite, Summary
from benchmarks.warehouse import NOTHING, build, environment

if TYPE_CHECKING:
    import duckdb

START_UP, SCORING, SELECTION = "dbt with nothing to do", "scores of all programmes", "recommended lists"
SPECIALTIES = 40
_SCORING = ("path:models/intermediate/scoring", "path:models/marts/scoring")
_SELECTION = ("int_selection_candidate+",)
_LIMITS = {SCORING: 30, SELECTION: 30}  # CPU seconds for 4,000 candidates


def prepare(folder: Path, size: int) -> list[Contender]:
    """A candidate with indicators, dossiers and registers; the lists start from its scores."""
    home, target, candidate = folder / "home", folder / "dbt", folder / "candidate.duckdb"
    filled, scored = folder / "filled.duckdb", folder / "scored.duckdb"
    known = environment(candidate)

    def run(command: Command) -> None:
        subprocess.run(
            list(map(str, command)), env={**os.environ, **known}, cwd=REPOSITORY, check=True, stdout=sys.stderr
        )

    run(_step("candidate", home, candidate))
    run(build(target, ("+fct_rank_stability", "+fct_selection_quota", "+fct_selection")))
    run(_step("fill", candidate, size))
    shutil.copy(candidate, filled)
    run(build(target, _SCORING))
    run(_step("admit", candidate))
    shutil.copy(candidate, scored)

    def contender(name: str, selection: tuple[str, ...], start: Path, mart: str) -> Contender:
        return Contender(
            name,
            size if selection != NOTHING else 0,
            build(target, selection),
            before=lambda: shutil.copy(start, candidate),
            check=_step("digest", candidate, mart) if mart else None,
            environment=known,
        )

    return [
        contender(START_UP, NOTHING, filled, ""),
        contender(SCORING, _SCORING, filled, "fct_rank_stability"),
        contender(SELECTION, _SELECTION, scored, "fct_selection"),
    ]


def promises(summary: Summary) -> list[Promise]:
    """What the product promises of scores and lists, judged on the largest size."""
    size = summary.sizes[-1]
    held = []
    for contender, limit in _LIMITS.items():
        seconds = summary.cpu(size, contender) - summary.cpu(size, START_UP)
        held.append(
            Promise(f"{contender}: {size:,} candidates within {limit} CPU s", f"{seconds:.1f} s", seconds <= limit)
        )
    return held


def _step(name: str, *arguments: object) -> Command:
    return [sys.executable, "-m", "benchmarks.scoring", name, *map(str, arguments)]


# ------------------------------------------------------------------------------------------------ steps


def _candidate(home: str, database: str) -> None:
    from sources.candidate import prepare as prepare_candidate

    prepare_candidate(Path(home), Path(database))


def _fill(database: str, size: str) -> None:
    """Invented values from hashes of their keys: the same at every run, ties included."""
    with _open(database) as con:
        for statement in _FILL:
            con.execute(statement.replace("$hospitals", str(int(size) // SPECIALTIES)))


def _admit(database: str) -> None:
    """Every candidate may apply; four in five hospitals are in the capital."""
    with _open(database) as con:
        for statement in _ADMIT:
            con.execute(statement)


def _digest(database: str, mart: str) -> None:
    with _open(database) as con:
        row = con.execute(f"select count(*), bit_xor(hash({mart})) from {mart}").fetchall()[0]
    print(json.dumps({mart: f"{row[0]} rows, {row[1]}"}))


def _open(database: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(database, config={"threads": 2, "memory_limit": "4GB"})


# what the hash of some keys draws: a whole number from 0 to 999
_DRAW = "create macro drawn(keys) as cast(md5_number(keys) % 1000 as integer)"
_FILL = (
    _DRAW,
    """insert into dim_window (window_id, first_year, last_year, years, is_complete) values
       ('2021', 2021, 2021, 1, true), ('2022', 2022, 2022, 1, true), ('2023', 2023, 2023, 1, true),
       ('2021-2023', 2021, 2023, 3, true)""",
    """insert into dim_hospital (hospital_id, name_zh, level, kind, is_registered, is_region)
       select printf('H%03d', number), '示例医院' || number, if(number % 5 = 0, '2', '3'),
           if(number % 7 = 0, '专科', '综合'), true, false
       from range($hospitals) as numbers (number)""",
    f"""create table pair as
       select hospital_id, specialty_code, hospital_id || specialty_code as keys
       from dim_hospital cross join (
           select specialty_code from dim_specialty where specialty_code not in ('ALL', 'UNMAPPED')
           order by specialty_code limit {SPECIALTIES}
       )""",
    """insert into fct_indicator by name
       select hospital_id, specialty_code, attribution, window_id, indicator_id, cases as denominator,
           cases as case_count, 'valued' as status,
           case when indicator.method = 'count' then cases
               else cast(round(cases * drawn(keys || attribution || window_id || indicator_id) / 1000) as integer)
           end as numerator,
           case when indicator.method = 'count' then cases else round(numerator / cases, 8) end as value
       from (
           select pair.*, attribution, window_id, 20 + drawn(keys || attribution || window_id) as cases
           from pair cross join dim_window
           cross join (values ('department'), ('mdc')) as attributions (attribution)
       )
       cross join dim_indicator as indicator""",
    "drop view landing.dossier_item",
    """create table landing.dossier_item as
       select 'dossier' as source_id, 1::bigint as source_row, hospital_id as organisation_id, specialty_code,
           item_code, period, case value_kind when 'choice' then split_part(choices, '|', 1) end as value_text,
           case when value_kind <> 'choice' then cast(drawn(keys || item_code) % 20 as decimal(24, 8)) end
               as value_number,
           unit, null::varchar as evidence_file, null::varchar as reviewer, sheet
       from pair cross join dossier_items
       where drawn('answered' || keys || item_code) < 800""",
    "drop view landing.appraisal_result",
    """create table landing.appraisal_result as
       select 'appraisal' as source_id, 1::bigint as source_row, hospital_id as organisation_id, data_year,
           'GK000' as indicator_code, '绩效考核' as indicator_name, null::decimal(24, 8) as value,
           null::decimal(24, 8) as numerator, null::decimal(24, 8) as denominator,
           case drawn(hospital_id || data_year) % 3 when 0 then 'A+' when 1 then 'A' else 'B++' end as grade,
           1 + drawn('rank' || hospital_id || data_year) as rank, null::date as release_date
       from dim_hospital cross join (values (2022), (2023)) as years (data_year)""",
    "drop table pair",
)
_ADMIT = (
    _DRAW.replace("create macro", "create or replace macro"),
    """insert into int_eligibility by name
       select programme_id, tier, hospital_id, specialty_code, 'passed' as eligibility
       from fct_score where level = 'total'""",
    """insert into int_candidate_fact by name
       select programme_id, tier, hospital_id, specialty_code, drawn(hospital_id) < 800 as is_provincial_capital,
           if(drawn(specialty_code) < 300, ['B-10'], []) as list_ids
       from fct_score where level = 'total'""",
)

SUITE = Suite(
    name="scoring",
    title="Scores and recommended lists",
    about="""\
Hospitals with forty specialties each, every indicator in three years and their window under both attributions, four
in five items of every dossier answered; all values are invented. Measured is the nightly's own command for the scoring
models, which place, weigh and rank every item of the three programmes in all their tiers, and redraw the ranks 200
times; then for the models of the recommended lists, where everybody may apply.""",
    sizes=(1_000, 4_000),
    baseline=SCORING,
    prepare=prepare,
    promises=promises,
    start_up={SCORING: START_UP, SELECTION: START_UP},
)

if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {
        "candidate": _candidate,
        "fill": _fill,
        "admit": _admit,
        "digest": _digest,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=steps)
    parser.add_argument("arguments", nargs="*")
    chosen = parser.parse_args()
    steps[chosen.step](*chosen.arguments)
