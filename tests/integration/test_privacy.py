"""No identity value of the inbox is found anywhere else in the home: not in marts, logs, receipts or quarantine."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import zipfile
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import make_url
from support.front_page import clean_front_page
from support.identity import Leak, Scanner
from support.tables import fill

from dagster_project import alerts
from dagster_project.feedback import write_all
from dagster_project.settings import Settings
from dagster_project.workspace import append_journal
from sources import intake, landing
from sources.databases.config import Pull, Source
from sources.databases.pull import pull

NAME, NUMBER, ADDRESS = "欧阳示例", "990102196005050031", "云岫省岫宁市东岫区示例路1号7栋"


@pytest.fixture(scope="module")
def planted() -> Scanner:
    return Scanner([NAME, NUMBER, ADDRESS, "王示", "GOLD0001"])


def _parquet(path: Path) -> None:
    duckdb.sql(f"select ['{ADDRESS}', 'x'] as places, {{'n': '{NAME}'}} as s from range(3)").write_parquet(str(path))


def _integers(path: Path) -> None:
    duckdb.sql(f"select {NUMBER}::bigint as n from range(3)").write_parquet(str(path))


def _duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema s")
        connection.execute(
            f"create table s.t as select '{NAME}' || range as name, '{NUMBER}' as number from range(2000)"
        )


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (event text)")
        connection.execute("insert into t values (?)", [json.dumps({"message": f"患者{NAME}"}, ensure_ascii=False)])
    connection.close()


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", NAME * 50)


HIDING_PLACES = {
    "marts.parquet": (_parquet, {NAME, ADDRESS}),
    "numbers.parquet": (_integers, {NUMBER}),
    "marts.duckdb": (_duckdb, {NAME, NUMBER}),
    "events.db": (_sqlite, {NAME}),
    "data.zip": (_zip, {NAME}),
    "log.gz": (lambda path: path.write_bytes(gzip.compress(f"患者{NAME}入院".encode())), {NAME}),
    "utf8.log": (lambda path: path.write_text(f"患者{NAME}，{ADDRESS}"), {NAME, ADDRESS}),
    "gbk.log": (lambda path: path.write_bytes(f"患者{NAME}入院".encode("gb18030")), {NAME}),
    "escaped.json": (lambda path: path.write_text(json.dumps({"who": f"患者{NAME}"})), {NAME}),
    "number.json": (lambda path: path.write_text(json.dumps({"id": NUMBER})), {NUMBER}),
    "record GOLD0001.txt": (lambda path: path.write_text("its name alone tells"), {"GOLD0001"}),
    "two.txt": (lambda path: path.write_text("住院号GOLD0001王示"), {"GOLD0001", "王示"}),
}


@pytest.mark.parametrize("name", HIDING_PLACES)
def test_scanner_finds_what_was_planted(tmp_path: Path, planted: Scanner, name: str) -> None:
    hide, hidden = HIDING_PLACES[name]
    hide(tmp_path / name)
    assert {leak.value for leak in planted.scan(tmp_path)} == hidden
    assert {leak.path for leak in planted.scan(tmp_path)} == {name}


def test_scanner_finds_a_value_across_its_pieces(planted: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data are searched piece by piece; a value on the seam is found as well, and only as a whole word."""
    monkeypatch.setattr("support.identity.CHUNK", 64)
    for before in range(200):
        assert planted.find(b"." * before + NUMBER.encode() + b"." * 100) == {NUMBER}
        assert planted.find(b"." * before + b"7" + NUMBER.encode() + b"." * 100) == set()
        assert planted.find(b"." * before + NUMBER.encode() + b"7" * 100) == set()
        assert planted.find(b"." * before + ADDRESS.encode() + b"." * 100) == {ADDRESS}


def test_scanner_knows_words_from_digits_of_a_hash(planted: Scanner) -> None:
    assert planted.find(f"a{NUMBER}f 0GOLD00012".encode()) == set()
    assert planted.find(f'"{NUMBER}",GOLD0001'.encode()) == {NUMBER, "GOLD0001"}


@pytest.fixture(scope="module")
def identities(small_inbox: Path) -> Scanner:
    from sources.synthetic import identity_values

    return Scanner(set().union(*identity_values(small_inbox.parent).values()))


def test_the_inbox_itself_is_full_of_them(small_home: Path, identities: Scanner) -> None:
    """What the search looks for is really there to be leaked: every kind of carrier holds some."""
    leaks = identities.scan(small_home / "inbox")
    assert len({leak.value for leak in leaks}) > 5_000
    assert {Path(leak.path).suffix for leak in leaks} >= {".csv", ".gz", ".zip"}


def test_no_identity_leaves_the_inbox(small_home: Path, identities: Scanner) -> None:
    leaks: list[Leak] = identities.scan(small_home, skip=["inbox"])
    assert leaks == []


def test_no_identity_goes_back_to_the_sender_or_into_an_alert(
    small_home: Path, identities: Scanner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workbooks of all hospitals, and every alert that this home gives reason for."""
    home = tmp_path / "home"
    shutil.copytree(small_home, home, symlinks=True, ignore=shutil.ignore_patterns("inbox", "dagster", "cache"))
    settings = Settings(home=home, province_division="990000")
    written = write_all(settings, date(2026, 2, 6))
    assert written.workbooks > 5 and written.refused > 0
    assert identities.scan(home / "feedback") == []
    append_journal(settings, "started", run_id="x")
    append_journal(settings, "ended", run_id="x")
    told = alerts.due(settings)
    assert {alert.title for alert in told} == {"专科指标：运行失败"}
    monkeypatch.setenv(alerts.ADDRESSES, "json://127.0.0.1:1/")
    problems = alerts.send(settings, told)
    assert identities.find("\n".join([*(f"{alert}" for alert in told), *problems]).encode()) == set()


def test_no_identity_of_a_database_is_found_outside_the_inbox(tmp_path: Path) -> None:
    """A pull, its journal, what landed, what was set aside and the workbook of it; with names where numbers belong."""
    home, url = tmp_path / "home", f"sqlite:///{tmp_path / 'his.db'}"
    pages = [
        clean_front_page(
            organisation="12990102MB0000001L",
            record=f"GOLD{serial:05d}",
            admitted=datetime(2024, 1, 5, 8),
            discharged=datetime(2024, 1, 10, 10),
            department="0304",
            diagnosis="I21.001",
            serial=serial,
            address=ADDRESS,
            **misplaced,
        )
        for serial, misplaced in enumerate([{}, {"A49": NAME}, {"B15": NUMBER}, {"B20": NAME}, {"D01": ADDRESS}])
    ]
    identities = Scanner(
        {page[item] for page in pages for item in ("A11", "A20", "A27", "A32", "A35", "A48")} | {NAME, NUMBER, ADDRESS}
    )
    fill(url, "pages", pages)
    report = pull(home, Source("pages", Pull(connection="his", layout="hqms_abcd", table="pages"), make_url(url)))
    assert (report.problem, report.rows) == (None, len(pages))
    intake.record(home, intake.scan(home))
    landed = landing.land(home, "hqms_front_page", key=bytes(range(32)))
    written = write_all(Settings(home=home, province_division="990000"), date(2024, 2, 6))
    assert landed.rows_quarantined >= 3 and written.faults >= 3
    assert len({leak.value for leak in identities.scan(home / "inbox")}) > 10  # of what the pull asks for at all
    assert (home / "receipts" / "pulls.jsonl").read_text("utf-8").count("pages") > 0
    assert identities.scan(home, skip=["inbox"]) == []
    assert identities.find(f"{report}{landed}".encode()) == set()


def test_there_was_something_to_search(small_home: Path) -> None:
    """An empty quarantine, no log or no event log would make the search above worthless."""
    for pattern in (
        "quarantine/**/*.parquet",
        "landing/**/*.parquet",
        "logs/*",
        "receipts/*.json",
        "verdicts/*.json",
        "verdicts/*.html",
        "current/index.html",
    ):
        assert list(small_home.glob(pattern)), pattern
    assert list(small_home.glob("dagster/**/*.db")), "Dagster's event log"
    assert (small_home / "current" / "marts.duckdb").exists()


def test_quarantine_is_for_its_owner_only(small_home: Path) -> None:
    for path in (small_home / "quarantine").rglob("*.parquet"):
        assert path.stat().st_mode & 0o777 == 0o600, path
