"""Whole jobs on a small province: repeated, resubmitted, side by side, while somebody reads."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from support.job import Job, fingerprint, result_of

READER = """
import pathlib, sys, time, duckdb
home, stop = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
connection = duckdb.connect(str(home / "current" / "marts.duckdb"), read_only=True)
query = "select count(*), sum(value), max(window_id) from fct_indicator"
first, reads = connection.execute(query).fetchone(), 0
print("open", flush=True)
while not stop.exists():
    assert connection.execute(query).fetchone() == first
    reads += 1
    time.sleep(0.01)
connection.close()
fresh = duckdb.connect(str(home / "current" / "marts.duckdb"), read_only=True).execute(query).fetchone()
print(reads, fresh != first, flush=True)
"""


@pytest.fixture
def home(small_home: Path, tmp_path: Path) -> Path:
    """A copy of the finished small home that a test may change."""
    return Path(shutil.copytree(small_home, tmp_path / "home", symlinks=True))


def discharges(home: Path) -> int:
    query = f"""select value from '{home}/current/data/fct_indicator.parquet'
        where indicator_id = 'discharge_count' and hospital_id = 'REGION' and specialty_code = 'ALL'
            and attribution = 'department'
        order by window_id like '%-%' desc, window_id desc limit 1"""
    return int(duckdb.sql(query).fetchone()[0])


def test_release_is_found_whole_by_its_own_verification(small_home: Path, job: Job) -> None:
    assert job.run(small_home, "release", "verify").code == 0
    assert job.run(small_home, "status").code == 0


def test_second_run_says_up_to_date_and_touches_nothing(home: Path, job: Job) -> None:
    before, receipts = result_of(home), fingerprint(home / "receipts")
    again = job.run(home).must_succeed()
    assert "已是最新" in again.output
    assert "✓" not in again.output, "no step was run"
    assert again.seconds < 15  # mostly the start of Python; a whole job takes several times as long
    assert (result_of(home), fingerprint(home / "receipts")) == (before, receipts)


def test_one_resubmitted_file_is_read_and_nothing_else(home: Path, job: Job, tmp_path: Path) -> None:
    """A hospital sends a month again without its last patient; meanwhile a reader has the release open."""
    before = result_of(home)
    counted = discharges(home)
    original = _a_clean_csv(home)
    again = original.with_name(f"{original.stem}_2.csv")
    again.write_bytes(original.read_bytes().rstrip(b"\r\n").rsplit(b"\n", 1)[0] + b"\n")
    receipts = fingerprint(home / "receipts")

    stop = tmp_path / "stop"
    reader = subprocess.Popen([sys.executable, "-c", READER, str(home), str(stop)], stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None and reader.stdout.readline() == "open\n"
    job.run(home).must_succeed()
    stop.touch()
    reads, sees_new = reader.communicate(timeout=30)[0].split()
    assert (reader.returncode, sees_new) == (0, "True")
    assert int(reads) > 10

    new_receipts = {name for name, digest in fingerprint(home / "receipts").items() if receipts.get(name) != digest}
    assert len(new_receipts - {"intake.jsonl"}) == 1
    after = result_of(home)
    assert {name for name in before["landing"] if before["landing"][name] != after["landing"].get(name)} == set()
    assert len(after["landing"]) == len(before["landing"]) + 1
    assert after["release"]["id"] != before["release"]["id"]
    assert discharges(home) == counted - 1
    assert fingerprint(home / "releases" / before["release"]["id"]) == {
        name: digest for name, digest in before["release"].items() if name != "id"
    }


def _a_clean_csv(home: Path) -> Path:
    """A front-page file that landed whole and that nobody sent again."""
    receipts = [json.loads(path.read_text()) for path in sorted((home / "receipts").glob("?" * 64 + ".json"))]
    seen: dict[tuple[str, str], int] = {}
    clean = []
    for receipt in receipts:
        if receipt["dataset"] != "hqms_front_page" or receipt["refused"]:
            continue
        path = home / "inbox" / receipt["source"]["path"]
        place = (path.parent.name, str(receipt["file_month"]))
        seen[place] = seen.get(place, 0) + 1
        if path.suffix == ".csv" and not receipt["rows"]["quarantined"] and receipt["rows"]["landed"] > 5:
            clean.append((place, path))
    return next(path for place, path in clean if seen[place] == 1)


def test_same_inputs_give_the_same_bytes(small_home: Path, second_home) -> None:
    """Two homes, two numbers of threads and processes, with and without a network."""
    assert second_home.first.code == 0, second_home.first.output[-4000:]
    assert result_of(second_home.path) == result_of(small_home)


def test_a_run_that_will_not_wait_gives_way(second_home) -> None:
    assert second_home.impatient.code == 4
    assert "另一次运行" in second_home.impatient.output


def test_a_run_that_waits_finds_the_work_done(second_home) -> None:
    assert second_home.patient.code == 0, second_home.patient.output[-4000:]
    assert "另一次运行" in second_home.patient.output
    assert "已是最新" in second_home.patient.output
    assert len(list((second_home.path / "releases").glob("R*/"))) == 1
