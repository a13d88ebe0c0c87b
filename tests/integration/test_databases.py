"""One province, told in files and told by databases: the same rows land, and the same marts are published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from support.job import Job, fingerprint
from support.postgres import Postgres
from support.tables import fill

from publishing.targets.sql import Mirror
from sources import candidate, intake, landing
from sources.connectors.carrier import open_carrier
from sources.connectors.cells import text_table
from sources.databases.config import Pull, Source
from sources.databases.pull import pull

pytestmark = pytest.mark.slow

KEY = bytes(range(32))
CONTENT = """
select count(*), md5(string_agg(row::varchar, '|' order by row::varchar))
from (select * exclude (source_id, source_row) from landing.{dataset}) as row
"""
PULLED = ("hqms", "drg", "single_disease")
SETTINGS = """
[connections.his]
url = "{url}"
[connections.bi]
url = "{target}"
[targets.mirror]
connection = "bi"
"""
TABLE = """
[pulls.{layout}]
connection = "his"
layout = "{layout}"
table = "{layout}"
"""


@pytest.fixture(scope="module")
def from_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small province without dirt, as files, landed."""
    from sources.synthetic import write_province

    home = tmp_path_factory.mktemp("files") / "home"
    size = {"hospitals": 4, "first_month": "2022-01", "months": 3, "discharges": 600}
    write_province(home, seed=7, **size, workers=1, dirt=False, broken_files=False)
    return landed_home(home)


def landed_home(home: Path) -> Path:
    intake.record(home, intake.scan(home))
    for dataset in landing.DATASETS:
        report = landing.land(home, dataset, key=KEY)
        assert (report.files_refused, report.rows_quarantined) == (0, 0), report.messages
    candidate.prepare(home, home / "work" / "candidate.duckdb")
    return home


def tables(home: Path) -> Iterator[tuple[str, list[dict[str, str | None]]]]:
    """Per layout the cells of the files in force: what the database of the same province would hold."""
    force = {sha256 for slices in candidate.slices_in_force(home).values() for sha256 in slices.values()}
    rows: dict[str, list[dict[str, str | None]]] = {}
    for receipt in landing.read_receipts(home):
        path = Path(receipt["source"]["path"])
        if path.parts[0] in PULLED and receipt["source"]["sha256"] in force:
            force.remove(receipt["source"]["sha256"])  # a content that arrived twice counts once
            carrier = open_carrier(home / "inbox" / path)
            rows.setdefault(receipt["layout"], []).extend(text_table(carrier.header, carrier.cells()).to_pylist())
    for layout, cells in rows.items():
        yield layout, filled(cells)


def filled(cells: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
    """Only the columns that hold anything: no server takes six hundred columns of text in a row."""
    names = [
        name for name in dict.fromkeys(name for row in cells for name in row) if any(row.get(name) for row in cells)
    ]
    return [{name: row.get(name) or None for name in names} for row in cells]


def copy_of_the_rest(from_files: Path, home: Path) -> None:
    """Registers, catalogue and dossiers stay files: nobody keeps them in a front-end database."""
    pulled = [from_files / "inbox" / system for system in PULLED]
    shutil.copytree(
        from_files / "inbox",
        home / "inbox",
        ignore=lambda folder, names: [name for name in names if Path(folder) / name in pulled],
    )


def copy_in_force(from_files: Path, home: Path) -> None:
    """Without what a resubmission replaced: a database holds the last state alone, and rules compare versions."""
    force = {sha256 for slices in candidate.slices_in_force(from_files).values() for sha256 in slices.values()}
    for receipt in landing.read_receipts(from_files):
        if receipt["source"]["sha256"] in force:
            path = home / "inbox" / receipt["source"]["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(from_files / "inbox" / receipt["source"]["path"], path)


@pytest.fixture(scope="module", params=["postgres", "mariadb", "sqlite"])
def from_database(
    request: pytest.FixtureRequest, from_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The same province, landed: discharges, groups and single diseases in a database, the rest in files."""
    home = tmp_path_factory.mktemp("database") / "home"
    server = request.param
    url = f"sqlite:///{home}.db" if server == "sqlite" else request.getfixturevalue(server).database()
    copy_of_the_rest(from_files, home)
    for layout, cells in tables(from_files):
        fill(url, layout, cells, {name: sa.Text() for name in cells[0]})
        wanted = Pull(connection="his", layout=layout, table=layout)
        report = pull(home, Source(layout, wanted, sa.make_url(url)))
        assert report.problem is None and report.rows == len(cells)
    return landed_home(home), url


def in_force(home: Path) -> dict[str, tuple[int, str]]:
    """Dataset → rows in force and a hash of them, wherever they came from and whatever their files are called."""
    with duckdb.connect(str(home / "work" / "candidate.duckdb"), read_only=True) as con:
        return {dataset: con.execute(CONTENT.format(dataset=dataset)).fetchall()[0] for dataset in landing.DATASETS}


def test_the_same_rows_land_from_files_and_from_every_database(
    from_files: Path, from_database: tuple[Path, str]
) -> None:
    assert in_force(from_database[0]) == in_force(from_files)
    assert in_force(from_files)["hqms_front_page"][0] > 550


def marts(home: Path) -> dict[str, str]:
    return {
        name: digest for name, digest in fingerprint((home / "current").resolve()).items() if name.startswith("data/")
    }


def test_nights_with_a_database(from_files: Path, postgres: Postgres, job: Job, tmp_path: Path) -> None:
    """From one database to another: the same marts as from files, and a copy of them in a target; a second night finds
    nothing new; a database that is away is told and survived.
    """
    files, home = tmp_path / "files", tmp_path / "database"
    copy_in_force(from_files, files)
    job.run(files).must_succeed()

    url = postgres.database()
    copy_of_the_rest(from_files, home)
    mirrored = postgres.database()
    settings = SETTINGS.format(url=url, target=mirrored)
    for layout, cells in tables(from_files):
        fill(url, layout, cells)
        settings += TABLE.format(layout=layout)
    (home / "zhuanke.toml").write_text(settings, encoding="utf-8")
    first = job.run(home).must_succeed()
    assert "来源 hqms_abcd" in first.output
    assert marts(home) == marts(files)
    release, mirror = (home / "current").resolve(), Mirror(sa.make_url(mirrored))
    assert f"目标库 mirror：{release.name}" in first.output
    assert (mirror.status().current, mirror.faults(release)) == (release.name, [])

    assert "已是最新" in job.run(home).must_succeed().output

    away = settings.replace(url, "postgresql+psycopg://reader@127.0.0.1:9/his").replace(
        "table =", "attempts = 1\ntable ="
    )
    (home / "zhuanke.toml").write_text(away, encoding="utf-8")
    night = job.run(home)
    assert night.code == 7
    assert "连接中断或无法建立" in night.output and "已是最新" in night.output
    listed = json.loads(job.run(home, "source", "list", "--json").must_succeed().output)
    assert all(item["months"] == 3 for item in listed)
    assert job.run(home, "source", "check").code == 1
