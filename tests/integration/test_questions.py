"""Four releases of one home, each with one thing changed: data, then a switch, then the SQL. Every question about them
is asked when all four are there, by the code of the last.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from python_calamine import CalamineWorkbook
from support.job import Job

from dagster_project.case_lists import write_case_lists
from dagster_project.causes import Difference, difference
from dagster_project.explain import explain
from dagster_project.made_of import NothingToExplain
from dagster_project.packets import CASES, QUERIES, QUERY_FIELDS, VALUES, write_packets
from dagster_project.rebuild import rebuild
from dagster_project.recorded import RecordProblem, open_record
from dagster_project.settings import Settings, load_settings

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
RESUBMITTED = "12990103MB0000004C"
ROOMS = ("dagster_project", "sources", "expectations", "publishing", "dbt", "requirements.lock")
Told = Callable[[str, str], Difference]


@dataclass(frozen=True)
class Home:
    settings: Settings
    releases: tuple[str, ...]
    project: Path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def home(small_home: Path, job: Job, tmp_path_factory: pytest.TempPathFactory) -> Home:
    work = tmp_path_factory.mktemp("questions")
    path = Path(shutil.copytree(small_home, work / "home", symlinks=True))
    project = work / "project"
    for room in ROOMS:
        source = REPOSITORY / room
        if source.is_dir():
            shutil.copytree(source, project / room, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
        else:
            shutil.copy(source, project / room)
    releases = [(path / "current").resolve().name]

    def publish() -> None:
        command = [sys.executable, "-c", "from dagster_project.cli import main; main()", "run"]
        environment = {**job.environment(), "ZHUANKE_HOME": str(path), "PYTHONPATH": str(project)}
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        releases.append((path / "current").resolve().name)

    [month] = (path / "inbox" / "hqms" / RESUBMITTED).glob("TCMMS_202203*")
    lines = month.read_bytes().splitlines(keepends=True)
    month.write_bytes(b"".join(lines[:-6]))
    publish()
    edit(project / "dbt/seeds/indicators/switches.csv", "trim_max_los_days,60,", "trim_max_los_days,9,")
    publish()
    edit(
        project / "dbt/macros/drg_measures.sql",
        "where weight >= 2), 0) as weight_2_count",
        "where weight >= 1), 0) as weight_2_count",
    )
    publish()
    assert len(set(releases)) == 4
    settings = load_settings(path, pseudonym_key_file=job.key_file, province_division="990000")
    return Home(settings, tuple(releases), project)


@pytest.fixture(scope="module")
def told(home: Home) -> Told:
    known: dict[tuple[str, str], Difference] = {}

    def ask(earlier: str, later: str) -> Difference:
        if (earlier, later) not in known:
            known[earlier, later] = difference(home.settings, earlier, later)
        return known[earlier, later]

    return ask


def test_one_cause_is_named_with_what_changed(home: Home, told: Told) -> None:
    first, second, third, fourth = home.releases
    expected = (
        (first, second, "data", f"hqms_front_page {RESUBMITTED} 2022-03：文件"),
        (second, third, "rule", "trim_max_los_days value 60 → 9"),
        (third, fourth, "code", "dbt/macros/drg_measures.sql：有改动"),
    )
    for earlier, later, cause, words in expected:
        found = told(earlier, later)
        assert list(found.origins) == [cause]
        assert any(words in line for line in found.origins[cause]), found.origins
        assert found.changes and {change.causes for change in found.changes} == {(cause,)}


def test_each_number_is_put_down_to_what_moved_it(home: Home, told: Told) -> None:
    """Data and rule changed together: the half-way numbers are computed."""
    first, _, third, fourth = home.releases
    found = told(first, third)
    assert found.is_computed and list(found.origins) == ["data", "rule"]
    indicators = [change for change in found.changes if change.mart == "fct_indicator" and change.column == "value"]
    by_indicator = {json.loads(change.key)["indicator_id"]: change.causes for change in indicators}
    assert by_indicator["discharge_count"] == ("data",), "no switch moves how many were discharged"
    untouched = [
        change
        for change in indicators
        if json.loads(change.key)["hospital_id"] not in (RESUBMITTED, "REGION")
        and json.loads(change.key)["indicator_id"] == "drg_group_count"
    ]
    assert untouched and {change.causes for change in untouched} == {("rule",)}
    assert ("data", "rule") in found.counted()
    shares = [c for c in told(third, fourth).changes if c.mart == "fct_indicator" and c.column == "numerator"]
    assert {json.loads(change.key)["indicator_id"] for change in shares} == {"rw2_share"}


def test_the_first_release_comes_out_again_after_all_that(home: Home) -> None:
    found = rebuild(home.settings, home.releases[0])
    assert found.is_identical and not found.other_bytes and found.marts > 30
    assert found.method == "发布时留存的算法"


def test_a_missing_or_altered_input_is_named(home: Home) -> None:
    record = open_record(home.settings, home.releases[0])
    landed = next(item["landed"][0]["path"] for item in record.inputs.values() if item["dataset"] == "bed_report")
    path = home.settings.home / landed
    kept = path.read_bytes()
    try:
        path.chmod(0o600)
        path.write_bytes(kept + b"\0")
        with pytest.raises(RecordProblem, match=rf"{landed} 已被改动"):
            rebuild(home.settings, home.releases[0])
        path.unlink()
        with pytest.raises(RecordProblem, match=rf"{landed} 缺失"):
            rebuild(home.settings, home.releases[0])
    finally:
        path.write_bytes(kept)


def test_a_published_number_that_was_altered_is_the_first_that_differs(home: Home, tmp_path: Path) -> None:
    forged = Path(shutil.copytree(home.settings.releases / home.releases[1], tmp_path / "forged"))
    forged.chmod(0o700)
    (forged / "data").chmod(0o700)
    mart = forged / "data" / "fct_measure.parquet"
    mart.chmod(0o600)
    key = "hospital_id, specialty_code, attribution, window_id, measure_id"
    duckdb.sql(
        f"copy (select {key}, "
        f"cast(value + case when row_number() over (order by {key}) = 77 then 1 else 0 end as decimal(28, 8)) as value "
        f"from '{mart}' order by {key}) to '{tmp_path / 'other.parquet'}' (format parquet)"
    )
    shutil.copy(tmp_path / "other.parquet", mart)
    found = rebuild(home.settings, str(forged))
    assert found.difference is not None
    assert (found.difference.mart, found.difference.column) == ("fct_measure", "value")
    assert found.difference.before - found.difference.after == 1


def published(home: Home, release: str, query: str) -> list[tuple[Any, ...]]:
    data = home.settings.releases / release / "data"
    return duckdb.sql(query.format(data=data)).fetchall()


def test_every_indicator_of_a_replaced_release_is_explained(home: Home) -> None:
    """The cases are those of the release that is asked about, though a month of it was resubmitted since."""
    release = home.releases[0]
    indicators = published(home, release, "select indicator_id from '{data}/dim_indicator.parquet' order by serial")
    [(busiest,)] = published(
        home,
        release,
        "select specialty_code from '{data}/fct_indicator.parquet' where indicator_id = 'surgery_count' and "
        f"hospital_id = '{RESUBMITTED}' and specialty_code <> 'ALL' and attribution = 'mdc' and window_id = '2022' "
        "order by value desc, 1 limit 1",
    )
    for (indicator,) in indicators:
        for hospital, specialty, attribution in ((RESUBMITTED, busiest, "mdc"), ("REGION", "ALL", "department")):
            found = explain(
                home.settings,
                release,
                hospital=hospital,
                specialty=specialty,
                indicator=indicator,
                window="2022",
                attribution=attribution,
            )
            assert found.parts, indicator
            assert {case["机构"] for case in found.cases} <= {RESUBMITTED} or hospital == "REGION"
            for part in found.parts:
                if part.made_of == "病例":
                    listed = sum(case[f"计入{part.role}"] for case in found.cases)
                    # weights have twelve decimals, published sums eight
                    assert Decimal(listed).quantize(Decimal("1e-8"), ROUND_HALF_UP) == part.amount
    now, then = (
        explain(home.settings, r, hospital=RESUBMITTED, specialty="ALL", indicator="discharge_count", window="2022")
        for r in (home.releases[1], release)
    )
    assert len(then.cases) - len(now.cases) > 0


def test_a_packet_holds_one_hospital_alone(home: Home, tmp_path: Path) -> None:
    from datetime import date

    count = write_packets(home.settings, home.settings.current, tmp_path / "packets", date(2025, 4, 1))
    folders = sorted((tmp_path / "packets").iterdir())
    assert count == len(folders) == 5
    owners = dict(published(home, "../current", "select hospital_id, name_zh from '{data}/dim_hospital.parquet'"))
    pages = home.settings.home / "landing" / "hqms_front_page"
    own = dict(
        duckdb.sql(f"select source_id || '/' || source_row, organisation_id from '{pages}/**/*.parquet'").fetchall()
    )
    for folder in folders:
        others = {
            text for one, name in owners.items() if one != folder.name and one != "REGION" for text in (one, name)
        }
        for workbook in folder.rglob("*.xlsx"):
            book = CalamineWorkbook.from_path(str(workbook))
            cells = {
                str(c) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for c in row
            }
            assert not cells & others, workbook
        rows = CalamineWorkbook.from_path(str(folder / CASES)).get_sheet_by_name("病例").to_python()
        titles = rows[1]
        found = [dict(zip(titles, row, strict=True)) for row in rows[2:]]
        assert found and {own[f"{row['来源文件']}/{int(row['行号'])}"] for row in found} == {folder.name}
        assert CalamineWorkbook.from_path(str(folder / VALUES)).sheet_names == ["总分与名次", "条目", "指标"]
        form = CalamineWorkbook.from_path(str(folder / QUERIES)).get_sheet_by_name("异议").to_python()
        assert list(QUERY_FIELDS) in form
        assert list((folder / "数据质量").glob("2022-0?.xlsx"))


def test_the_case_lists_of_the_service_add_up_to_what_is_published(home: Home, tmp_path: Path) -> None:
    """Each hospital, specialty and measure; but for sums that are divided by group, which no case can tell."""
    lists = tmp_path / "R.cases"
    assert write_case_lists(home.settings, home.settings.current, lists) == len(list(lists.iterdir())) == 5
    listed, marts = f"'{lists}/*.parquet'", home.settings.current / "data"
    columns = set(duckdb.sql(f"from {listed}").columns) - {"cost_ratio_sum", "time_ratio_sum"}
    window = duckdb.sql(f"select window_id from '{marts}/dim_window.parquet' order by years desc, 1 desc").fetchall()[
        0
    ][0]
    measures = duckdb.sql(f"select indicator_id, numerator_measure from '{marts}/dim_indicator.parquet'").fetchall()
    counted = [(indicator, measure) for indicator, measure in measures if measure in columns]
    assert len(counted) > 5
    for indicator, measure in counted:
        wrong = duckdb.sql(
            f"""
            with listed as (select hospital_id, specialty_code, sum({measure}) as amount from {listed} group by all)
            select hospital_id, specialty_code, published.numerator, listed.amount
            from '{marts}/fct_indicator.parquet' as published left join listed using (hospital_id, specialty_code)
            where published.attribution = 'department' and published.window_id = '{window}'
                and published.indicator_id = '{indicator}' and hospital_id <> 'REGION' and specialty_code <> 'ALL'
                and published.numerator <> cast(coalesce(listed.amount, 0) as decimal(28, 8))
            """
        ).fetchall()
        assert wrong == [], indicator


def test_a_certificate_answers_like_its_release(home: Home) -> None:
    """Filtered marts, the method that travels in the bundle, and the hashes of whole marts in its evidence."""
    from publishing.certificates.lifecycle import Act, Office

    office = Office(home.settings.home, exhibits=lambda *_, **__: None)
    release = home.settings.releases / home.releases[-1]
    name = office.draft(release, "national_2021", "0304", "2020-2022", Act("拟制人", "试验"), project=home.project)
    found = rebuild(home.settings, name)
    assert found.is_identical and not found.other_bytes and found.method == "随证书保存的算法"
    told = explain(home.settings, name, hospital="REGION", specialty="0304", indicator="cmi", window="2020-2022")
    assert told.record == name and told.groups and told.cases
    with pytest.raises(NothingToExplain, match="没有"):
        explain(home.settings, name, hospital="REGION", specialty="0403", indicator="cmi", window="2020-2022")
