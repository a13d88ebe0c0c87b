"""A province that imports a grouping scheme: its release rests on our groups, and the grouper answers questions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from support.job import Finished, Job

from sources.synthetic import write_demo_schemes

pytestmark = pytest.mark.slow

FIRST, SECOND = "YUNXIU-1.0", "YUNXIU-2.0"


@pytest.fixture(scope="module")
def grouped(small_home: Path, job: Job, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """The small home, once it has both editions of the demo's scheme and ran again."""
    work = tmp_path_factory.mktemp("grouped")
    home = Path(shutil.copytree(small_home, work / "home", symlinks=True))
    for package in write_demo_schemes(work / "packages", 2022):
        job.run(home, "scheme", "import", str(package)).must_succeed()
    return home, job.run(home).must_succeed()


def mart(home: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home / "current" / "marts.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_first_scheme_makes_a_new_release_of_the_same_files(grouped: tuple[Path, Finished]) -> None:
    home, _ = grouped
    assert len([path for path in (home / "releases").glob("R*") if path.is_dir()]) == 2
    provenance = json.loads((home / "current" / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["grouping"] == {"drg_source": "own", "drg_edition": "latest"}
    assert [scheme["edition_id"] for scheme in provenance["schemes"]] == [FIRST, SECOND]
    assert mart(home, "select distinct scheme_edition, weight_source from ref_drg_benchmark") == [(SECOND, "scheme")]


def test_what_became_of_every_analysed_case(grouped: tuple[Path, Finished]) -> None:
    home, _ = grouped
    query = "select outcome, case_count from fct_grouping_outcome where hospital_id = 'REGION' and window_id = '2022'"
    outcomes = dict(mart(home, query))
    analysed, grouped_cases = mart(
        home,
        "select max(case when measure_id = 'analysed_count' then value end),"
        " max(case when measure_id = 'grouped_count' then value end) from fct_measure"
        " where hospital_id = 'REGION' and specialty_code = 'ALL' and attribution = 'mdc' and window_id = '2022'",
    )[0]
    assert sum(outcomes.values()) == analysed
    assert outcomes["grouped"] == grouped_cases > analysed * 9 / 10
    assert {"principal_outside_scheme", "sex_conflict"} & set(outcomes)
    compared = mart(home, "select is_same, sum(case_count) from fct_drg_comparison group by is_same order by 1")
    assert [same for same, _ in compared] == [False, True]


def test_the_grouper_answers_for_an_uploaded_file(grouped: tuple[Path, Finished], job: Job, tmp_path: Path) -> None:
    """Asked for a hospital's month, it gives the groups that the release counted."""
    home, _ = grouped
    pages = min(path for path in (home / "inbox" / "hqms").rglob("*M01*") if "nokey" not in path.name)
    out = tmp_path / "answer.csv"
    job.run(home, "group", str(pages), "--trace", "--out", str(out)).must_succeed()
    rows = duckdb.sql(f"select * from read_csv('{out}', all_varchar = true)")
    assert rows.columns == ["编号", "MDC", "ADRG", "DRG", "DRG 名称", "权重", "未入组原因", "分组过程", "方案版本"]
    answers = rows.fetchall()
    assert len(answers) > 20
    for _, mdc, adrg, drg, name, weight, reason, trace, edition in answers:
        assert edition == SECOND
        assert (drg is None) == (reason is not None)
        assert reason is None or trace.endswith(f"未入组：{reason}。") or reason == "缺主要诊断"
        assert drg is None or (drg.startswith(adrg) and name and weight and f"进入 MDC{mdc}" in trace)


def test_two_editions_side_by_side(grouped: tuple[Path, Finished], job: Job, tmp_path: Path) -> None:
    home, _ = grouped
    before = (home / "current").resolve()
    job.run(home, "scheme", "compare", FIRST, SECOND, "--out", str(tmp_path / "moved")).must_succeed()
    assert (home / "current").resolve() == before
    groups = duckdb.sql(f"select * from '{tmp_path}/moved/groups.parquet'").fetchall()
    landed = mart(
        home,
        "select value from fct_measure where measure_id = 'discharge_count' and hospital_id = 'REGION'"
        " and specialty_code = 'ALL' and attribution = 'mdc' and window_id = '2022'",
    )
    assert sum(cases for *_, cases in groups) == landed[0][0]
    assert any(one != other for one, other, _ in groups) and any(one == other for one, other, _ in groups)
    cmi = duckdb.sql(
        "select earlier_value, later_value, change, earlier_rank, later_rank"
        f" from '{tmp_path}/moved/indicators.parquet'"
        " where indicator_id = 'cmi' and specialty_code = 'ALL' and attribution = 'mdc' and window_id = '2022'"
        " and hospital_id <> 'REGION' order by hospital_id"
    ).fetchall()
    assert len(cmi) == 5 and all(later - earlier == change for earlier, later, change, *_ in cmi)
    for column, rank in ((0, 3), (1, 4)):
        assert [row[rank] for row in sorted(cmi, key=lambda row: -row[column])] == [1, 2, 3, 4, 5]
    # counts that no group can move
    assert duckdb.sql(
        f"select count(*) from '{tmp_path}/moved/indicators.parquet'"
        " where indicator_id = 'discharge_count' and attribution = 'department' and earlier_value <> later_value"
    ).fetchone() == (0,)
    assert (tmp_path / "moved" / "regroup.xlsx").stat().st_size > 5_000
