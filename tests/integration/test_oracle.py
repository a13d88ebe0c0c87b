"""Fifty thousand discharges of the demo province: what the job publishes is what the oracle computes, cell by cell."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from support.job import Job
from support.oracle import FrontPages, discharges, indicators, read_front_pages

pytestmark = pytest.mark.slow

PROVINCE = "990000"
KEYS = ("attribution", "window_id", "hospital_id", "specialty_code", "indicator_id")


@pytest.fixture(scope="module")
def big_home(shared, job: Job) -> Path:
    def build(folder: Path) -> None:
        from sources.synthetic import write_province

        write_province(folder, seed=7, hospitals=6, first_month="2022-01", months=38, discharges=50_000, workers=1)
        job.run(folder).must_succeed()
        shutil.rmtree(folder / "work", ignore_errors=True)

    return shared("big_home", build)


@pytest.fixture(scope="module")
def pages(big_home: Path) -> FrontPages:
    return read_front_pages(big_home / "inbox")


@pytest.fixture(scope="module")
def expected(big_home: Path, pages: FrontPages):
    inbox = big_home / "inbox"
    return indicators(discharges(inbox, province=PROVINCE, pages=pages), inbox=inbox, province=PROVINCE)


@pytest.fixture(scope="module")
def published(big_home: Path) -> dict[tuple[str, ...], dict]:
    found = duckdb.sql(f"select * from '{big_home}/current/data/fct_indicator.parquet'")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    return {tuple(row[key] for key in KEYS): row for row in rows}


def receipts(home: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((home / "receipts").glob("?" * 64 + ".json"))]


def test_same_files_are_refused(big_home: Path, pages: FrontPages) -> None:
    of_product = {
        receipt["source"]["path"]
        for receipt in receipts(big_home)
        if receipt["dataset"] == "hqms_front_page" and receipt["refused"]
    }
    unknown = {
        line["path"]
        for line in map(json.loads, (big_home / "receipts" / "intake.jsonl").read_text().splitlines())
        if line["path"].startswith("hqms/") and line["problem"] and line["problem"][0] != "duplicate_file"
    }
    assert of_product | unknown == set(pages.refused)
    assert pages.refused, "the province holds files that cannot be read"


def test_same_rows_land_and_same_rows_do_not(big_home: Path, pages: FrontPages) -> None:
    """Per file: rows read = landed + quarantined, and both opinions agree on each number and on every reason."""
    counted = {
        receipt["source"]["path"]: receipt
        for receipt in receipts(big_home)
        if receipt["dataset"] == "hqms_front_page" and not receipt["refused"]
    }
    assert set(counted) == set(pages.read)
    for path, receipt in counted.items():
        rows = receipt["rows"]
        assert (rows["read"], rows["landed"]) == (pages.read[path], pages.landed[path]), path
        assert rows["read"] == rows["landed"] + rows["quarantined"], path
        reasons = Counter()
        for fault in receipt["quarantine_rows"]:
            reasons[fault["reason"]] += fault["rows"]
        mine = {reason: n for (name, reason), n in pages.quarantined.items() if name == path}
        assert dict(reasons) == mine, path


def test_every_cell_is_there(published, expected) -> None:
    assert set(published) - set(expected) == set()
    assert set(expected) - set(published) == set()
    assert len(expected) > 30_000


@pytest.mark.parametrize("part", ["numerator", "denominator", "value", "case_count"])
def test_every_cell_is_equal(published, expected, part: str) -> None:
    different = {
        key: (published[key][part], getattr(cell, part))
        for key, cell in expected.items()
        if published[key][part] != getattr(cell, part)
    }
    assert not different, f"{len(different)} of {len(expected)}: {list(different.items())[:10]}"


def test_the_province_exercises_the_rules(big_home: Path, pages: FrontPages) -> None:
    """A comparison on data where nothing happens proves nothing."""
    rows = discharges(big_home / "inbox", province=PROVINCE, pages=pages)
    assert len(rows) > 45_000
    assert rows["organisation"].nunique() >= 6
    flags = ["died", "surgery", "level4", "minimally_invasive", "transferred_in", "out_of_province", "out_of_city"]
    assert rows["records"].sum() > rows["submitted"].sum() > rows["completed"].sum() > 0
    assert rows["asked"].sum() > rows["reported"].sum() > 1000
    flags += ["elective", "day_surgery", "complication", "class1_bad", "endoscopic", "foreign", "rescues", "improved"]
    for flag in flags:
        assert 0 < rows[flag].sum() < len(rows), flag
    assert (~rows["analysed"]).any() and (rows["analysed"] & ~rows["grouped"]).any()
    assert (~rows["residence_known"]).any()
    assert {"13040503"} == set(rows["department"][rows["department_specialty"] == "UNMAPPED"])
    assert (rows["department_specialty"] != rows["mdc_specialty"]).any()
    assert {reason for _, reason in pages.quarantined} >= {
        *("required_missing", "not_datetime", "not_integer", "not_amount", "not_in_code_list"),
        *("duplicate_key", "ragged_row", "outside_file_month"),
    }
