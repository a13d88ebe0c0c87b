"""The page on adding an indicator, performed: its blocks are applied to a copy of the project, which is then built."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
from conftest import DATABASE, REPOSITORY, copy_project, run_dbt
from landed import write_candidate
from province import province

BLOCK = re.compile(r"^```\w+ (dbt/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def perform(page: str, root: Path) -> list[str]:
    """New files are written, lists and registers appended to, and the one `set models` line replaced."""
    touched = []
    for place, text in BLOCK.findall(page):
        path = root / place
        if path.suffix == ".sql" and path.exists():
            known = path.read_text(encoding="utf-8")
            changed = re.sub(r"^\{% set models = .*\n", lambda _, line=text: line, known, flags=re.MULTILINE)
            assert changed != known, place
            path.write_text(changed, encoding="utf-8")
        else:
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        touched.append(place)
    return touched


def test_the_steps_of_the_page_add_two_indicators(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "how-to-add-an-indicator.md").read_text(encoding="utf-8")
    project = copy_project(tmp_path)
    touched = perform(page, tmp_path)
    # two indicators are two rows and one model
    assert touched.count("dbt/seeds/indicators/indicators.csv") == 2
    assert [place for place in touched if place.endswith(".sql")] == [
        "dbt/models/intermediate/int_winter.sql",
        "dbt/models/intermediate/int_measure_row.sql",
    ]
    tables = province(5, discharges=300)
    database = tmp_path / DATABASE
    write_candidate(database, tables)
    done = run_dbt(
        project,
        database,
        *("build", "--select", "+fct_indicator", "+dim_hospital", "+dim_specialty", "--exclude", "test_type:unit"),
        *("--indirect-selection", "cautious"),
    )
    assert done.returncode == 0, done.stdout[-6000:]
    unit = run_dbt(project, database, "test", "--select", "indicator_winter_share")
    assert unit.returncode == 0 and "PASS=1" in unit.stdout, unit.stdout[-6000:]
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select indicator_id, numerator, denominator from fct_indicator where hospital_id = 'REGION'"
            " and specialty_code = 'ALL' and attribution = 'mdc' and window_id = '2022-2024'"
        ).fetchall()
        analysed = connection.execute(
            "select count(*) filter (where is_grouped), count(*) from int_discharge where is_analysed"
        ).fetchone()
    found = {indicator: parts for indicator, *parts in rows}
    pages = tables["hqms_front_page"]
    winter = sum(page["discharge_time"].month in (12, 1, 2) for page in pages)
    assert found["winter_share"] == [winter, len(pages)] and 0 < winter < len(pages)
    assert found["grouping_rate"] == list(analysed)
