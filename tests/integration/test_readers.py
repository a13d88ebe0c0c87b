"""Thirty-two readers at the mirror and at marts.duckdb while releases are published, one after the other.

Readers ask, think for a second, and ask again, as dashboards do. They give way to others for the processor, because
elsewhere they run on machines of their own; what the database server does for them is not spared. Every other
publication happens while the readers stand still: so both are timed in one run, under whatever else the machine does.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.postgres import Postgres

from publishing.targets.sql import Mirror

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from test_publishing_release import Home

RELEASES = 20
PROCESSES, THREADS = 4, 4  # of each kind: 16 readers of the mirror, 16 of the file
BOUND = 1.3

# The same sign stands in two tables of a release: an answer that holds two signs, or two releases, is mixed
MARK = (
    "update dim_hospital set name_zh = '{sign}' where hospital_id = 'H1'",
    "update fct_indicator set method_version = '{sign}'",
)
MIRROR_READER = """
import json, sys, threading, time
import psycopg
url, threads, until = sys.argv[1], int(sys.argv[2]), sys.argv[3]
from pathlib import Path
told = {"answers": 0, "errors": [], "mixed": 0, "seen": set()}
JOINED = '''select distinct i.release_id, h.release_id, i.method_version, h.name_zh
            from zhuanke_v1.fct_indicator i join zhuanke_v1.dim_hospital h using (hospital_id)
            where hospital_id = 'H1' '''
def read():
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        while not Path(until).exists():
            try:
                with connection.transaction():
                    [(release,)] = connection.execute("select release_id from zhuanke_v1.release").fetchall()
                    rows = connection.execute(JOINED).fetchall()
                whole = len(rows) == 1 and rows[0][0] == rows[0][1] == release and rows[0][2] == rows[0][3]
                told["mixed"] += not whole
                told["answers"] += 1
                told["seen"].add(release)
            except Exception as error:
                told["errors"].append(str(error))
            time.sleep(1)
"""
FILE_READER = """
import json, sys, threading, time
import duckdb
path, threads, until = sys.argv[1], int(sys.argv[2]), sys.argv[3]
from pathlib import Path
told = {"answers": 0, "errors": [], "mixed": 0, "seen": set()}
JOINED = '''select distinct i.method_version, h.name_zh from fct_indicator i join dim_hospital h using (hospital_id)
            where hospital_id = 'H1' '''
def read():
    while not Path(until).exists():
        try:
            with duckdb.connect(path, read_only=True, config={"threads": 1}) as connection:
                rows = connection.execute(JOINED).fetchall()
            told["mixed"] += not (len(rows) == 1 and rows[0][0] == rows[0][1])
            told["answers"] += 1
            told["seen"].add(rows[0][0])
        except Exception as error:
            told["errors"].append(str(error))
        time.sleep(1)
"""
RUN = """
readers = [threading.Thread(target=read) for _ in range(threads)]
for reader in readers: reader.start()
for reader in readers: reader.join()
print(json.dumps(told | {"seen": sorted(told["seen"])}))
"""


@pytest.mark.slow
def test_readers_never_fail_never_see_two_releases_and_hardly_slow_publication(
    postgres: Postgres, tmp_path: Path
) -> None:
    home, url = Home(tmp_path), sa.make_url(postgres.database())
    candidates = []
    for sign in ("甲", "乙"):
        candidate = home.candidate(sign, *(change.format(sign=sign) for change in MARK))
        home.judge(candidate)
        candidates.append(candidate)
    mirror, numbers = Mirror(url), iter(range(10**6))

    def publish() -> float:
        started, number = time.monotonic(), next(numbers)
        mirror.push(home.publish(candidates[number % 2], f"R{number:03}").folder)
        return time.monotonic() - started

    publish()
    stop = tmp_path / "stop"
    places = {MIRROR_READER: str(url.set(drivername="postgresql")), FILE_READER: str(home.current / "marts.duckdb")}
    readers = [
        subprocess.Popen(
            ["nice", "-n", "19", sys.executable, "-c", script + RUN, place, str(THREADS), str(stop)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for script, place in places.items()
        for _ in range(PROCESSES)
    ]
    alone, among = [], []
    try:
        time.sleep(3)
        for _ in range(RELEASES):
            among.append(publish())
            for reader in readers:
                os.kill(reader.pid, signal.SIGSTOP)
            alone.append(publish())
            for reader in readers:
                os.kill(reader.pid, signal.SIGCONT)
    finally:
        for reader in readers:
            os.kill(reader.pid, signal.SIGCONT)
        stop.touch()
        told = [json.loads(reader.communicate(timeout=120)[0].splitlines()[-1]) for reader in readers]

    # each beside the one that followed it at once: whatever else the machine does, it does to both
    ratio = statistics.median(one / other for one, other in zip(among, alone, strict=True))
    print(f"{sum(each['answers'] for each in told)} answers; publication among readers {ratio:.2f} times as long")
    assert [error for each in told for error in each["errors"]] == []
    assert sum(each["mixed"] for each in told) == 0
    # enough of them saw enough of what happened
    assert all(each["answers"] for each in told)
    assert len({release for each in told[:PROCESSES] for release in each["seen"]}) > RELEASES // 2
    assert {sign for each in told[PROCESSES:] for sign in each["seen"]} == {"甲", "乙"}
    assert ratio < BOUND
