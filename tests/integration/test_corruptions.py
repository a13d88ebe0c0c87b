"""One thing broken in a clean file: it is refused, set aside or counted, and never moves a number in silence.

Every case is a hospital's month in a genuine layout with a single corruption. All are landed in one go, and dbt counts
the row rules over what landed; then each case is compared with what it must come to:

    refused CODE WORDS      the whole file, with these words in its message
    quarantined FIELD REASON   the row, or every row where the whole column is broken
    counted RULE            the row lands, and this rule counts it
    held RULE               the rows land, and this rule keeps the whole month out of the release
    noted WORDS             the file lands and its message says so
    same                    what lands is what lands of the clean file
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.decisions import NO_DECISIONS
from expectations.holding import held_back
from sources import candidate, intake, landing
from tests.conftest import Shared
from tests.support import corruption as c
from tests.support.corruption import Broken
from tests.support.corruption_cases import CASES, Case
from tests.support.front_page import put

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow  # four hundred files of 642 columns, and dbt

KEY = bytes(range(32))


@dataclass
class Outcome:
    """What the product made of one file, in counts and words."""

    refused: tuple[str, str] | None = None
    message: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    held: list[str] = field(default_factory=list)
    layout: str = ""
    landed: str = ""


def _folder(number: int) -> str:
    return f"case{number:03d}"


@pytest.fixture(scope="module")
def outcomes(shared: Shared) -> list[Outcome]:
    """Case by case, what landing and the rules say; number 0 is the clean file."""
    folder = shared("corruptions", _build)
    return [
        Outcome(**{**item, "rules": Counter(item["rules"]), "faults": [tuple(f) for f in item["faults"]]})
        for item in json.loads((folder / "outcomes.json").read_text("utf-8"))
    ]


def _build(folder: Path) -> None:
    home = folder / "home"
    clean = Case("clean", lambda hospital: Broken(c.write(c.table(hospital))), "same")
    for number, item in enumerate([clean, *CASES]):
        broken = item.file(c.organisation(number))
        put(home / "inbox" / broken.system / _folder(number) / broken.name, broken.content)
    intake.record(home, intake.scan(home))
    messages = []
    for dataset in landing.DATASETS:
        messages += landing.land(home, dataset, key=KEY, threads=2).messages
    found = _read(home, messages)
    (folder / "outcomes.json").write_text(json.dumps([vars(o) for o in found], ensure_ascii=False), "utf-8")


def _read(home: Path, messages: list[str]) -> list[Outcome]:
    found = [Outcome() for _ in range(len(CASES) + 1)]

    def of(path: str) -> Outcome:
        return found[int(path.split("/")[1].removeprefix("case"))]

    for message in messages:
        of(message).message = message
    for item in intake.read_journal(home):
        of(item.path).refused = item.problem
    for receipt in landing.read_receipts(home):
        outcome = of(receipt["source"]["path"])
        if receipt["refused"]:
            outcome.refused = (receipt["refused"]["code"], receipt["refused"]["message"])
            continue
        outcome.rows = receipt["rows"]
        outcome.faults = [(fault["field"] or "-", fault["reason"]) for fault in receipt["quarantine"]]
        outcome.layout, outcome.landed = receipt["layout"], _content(home, receipt)
    places = {c.organisation(number): outcome for number, outcome in enumerate(found)}
    for organisation, rule, violated in _count_rules(home):
        if organisation in places:
            places[organisation].rules[rule] += violated
    for organisation, rule in _held(home):
        places[organisation].held.append(rule)
    _count_strays(home, found)
    return found


_LABELS = "source_id, source_row, layout, organisation_id, patient_id, person_id, discharge_department_raw"


def _content(home: Path, receipt: dict[str, Any]) -> str:
    """Everything that landed of a file but where it came from, as one digest."""
    paths = [str(home / output["path"]) for output in receipt["outputs"]]
    if not paths or receipt["dataset"] != "hqms_front_page":
        return ""
    return str(
        duckdb.sql(
            f"select md5(string_agg(t::varchar, chr(10) order by t::varchar)) from "
            f"(select * exclude ({_LABELS}) from read_parquet({paths}, hive_partitioning = false)) t"
        ).fetchall()[0][0]
    )


def _candidate(home: Path) -> Path:
    database = home / "work" / "candidate.duckdb"
    if not database.exists():
        candidate.prepare(home, database, held_back=held_back(home, NO_DECISIONS))
        environment = {
            **os.environ,
            "ZHUANKE_CANDIDATE": str(database),
            "ZHUANKE_THREADS": "2",
            "ZHUANKE_MEMORY_LIMIT": "2GB",
            "DO_NOT_TRACK": "1",
        }
        target = home / "work" / "dbt"
        command = [
            str(Path(sys.executable).with_name("dbt")),
            "--no-use-colors",
            "build",
            "--select",
            "+int_rule_count",
        ]
        command += ["--exclude-resource-type", "unit_test", "test", "--vars", '{"province_division": "990000"}']
        command += ["--profiles-dir", ".", "--target-path", str(target), "--log-path", str(target)]
        done = subprocess.run(
            command, env=environment, cwd=REPOSITORY / "dbt", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return database


def _count_rules(home: Path) -> list[tuple[str, str, int]]:
    with duckdb.connect(str(_candidate(home)), read_only=True) as connection:
        return connection.execute(
            "select organisation_id, rule_id, violated::integer from int_rule_count where violated > 0"
        ).fetchall()


def _held(home: Path) -> list[tuple[str, str]]:
    with duckdb.connect(str(_candidate(home)), read_only=True) as connection:
        return connection.execute("select organisation_id, rule_id from gate.held_back").fetchall()


def _count_strays(home: Path, found: list[Outcome]) -> None:
    """Rules count by organisation; rows whose organisation itself is broken are brought back to their file."""
    with duckdb.connect(str(_candidate(home)), read_only=True) as connection:
        strays = connection.execute(
            "select distinct source_id, organisation_id from landing.hqms_front_page "
            "where not regexp_full_match(organisation_id, '12990102MB[0-9]{7}L')"
        ).fetchall()
        counts = connection.execute("select organisation_id, rule_id, violated from int_rule_count").fetchall()
    sources = {item.source_id: item.path for item in intake.read_journal(home)}
    for source, organisation in strays:
        for place, rule, violated in counts:
            if place == organisation and violated:
                found[int(sources[source].split("/")[1].removeprefix("case"))].rules[rule] += violated


def test_the_clean_file_lands_whole_and_breaks_no_rule(outcomes: list[Outcome]) -> None:
    clean = outcomes[0]
    assert clean.rows == {"read": 12, "landed": 12, "quarantined": 0}
    # without a grouping scheme no case has a group, and the catalogue is that of other cases
    assert set(clean.rules) <= {"drg_grouped", "hqms_17_operation_edition"}


def test_there_are_more_than_two_hundred() -> None:
    assert len(CASES) >= 200
    assert len({item.what for item in CASES}) == len(CASES)


@pytest.mark.parametrize("number", range(1, len(CASES) + 1), ids=[item.what for item in CASES])
def test_a_single_corruption(number: int, outcomes: list[Outcome]) -> None:
    expected, found, clean = CASES[number - 1].expected, outcomes[number], outcomes[0]
    kind, *words = expected.split(" ", 2)
    if kind == "refused":
        assert found.refused is not None, found
        code, message = found.refused
        assert not found.rows
        assert message.endswith("。")
        assert code == (words[0] if words else code), found
        assert (words[1] if len(words) > 1 else "") in message
    else:
        assert found.refused is None, found.refused
        assert found.rows["read"] == found.rows["landed"] + found.rows["quarantined"]
    if kind == "quarantined":
        assert found.rows["quarantined"] >= 1
        assert any(fault[0] == words[0] and fault[1] == (words[1:] or [fault[1]])[0] for fault in found.faults), found
    if kind == "counted":
        assert found.rows["quarantined"] == 0, found
        assert found.rules[words[0]] > clean.rules[words[0]], found
    if kind == "held":
        assert found.held == words, found
        assert not found.rules, "no rule counts what is not in the release"
    if kind == "noted":
        assert " ".join(words) in found.message, found
    if kind == "same":
        assert found.rows == clean.rows, found
        assert found.rules == clean.rules, found


def test_nothing_moves_a_number_in_silence(outcomes: list[Outcome]) -> None:
    """Whatever is not refused, set aside, counted or noted has landed as the clean file of its layout, to the value."""
    clean = {outcome.layout: outcome for outcome in reversed(outcomes)}  # the first case of a layout is its clean file
    silent = [
        CASES[number - 1].what
        for number, outcome in enumerate(outcomes)
        if number
        and outcome.landed
        and outcome.landed != clean[outcome.layout].landed
        and not outcome.message
        and not outcome.held
        and outcome.rules == clean[outcome.layout].rules
    ]
    assert silent == []


def test_a_row_of_another_hospital_does_not_replace_its_month(tmp_path: Path) -> None:
    """Its code is valid and its month is the file's: nothing in the row itself is wrong."""
    home, mine, theirs = tmp_path / "home", c.table(c.organisation(1)), c.table(c.organisation(2))
    put(home / "inbox" / "hqms" / "one" / c.NAME, c.write(mine))
    intake.record(home, intake.scan(home))
    put(home / "inbox" / "hqms" / "two" / c.NAME, c.write([*theirs, mine[1]]))
    intake.record(home, intake.scan(home))
    landing.land(home, "hqms_front_page", key=KEY, threads=2)
    with duckdb.connect(str(_candidate(home)), read_only=True) as connection:
        pages = connection.execute(
            "select organisation_id, count(*) from landing.hqms_front_page group by all order by all"
        ).fetchall()
        held = connection.execute(
            "select organisation_id, month, rule_id, checked, violated, used_source_id is not null from gate.held_back"
        ).fetchall()
        counted = connection.execute(
            "select organisation_id, month, checked, violated from int_rule_count "
            "where rule_id = 'hqms_19_month_shrunk' and checked > 0"
        ).fetchall()
    assert pages == [(c.organisation(1), 12), (c.organisation(2), 12)]
    assert held == [(c.organisation(1), "2022-01", "hqms_19_month_shrunk", 12, 11, True)]
    assert counted == [(c.organisation(1), "2022-01", 12, 11)]


def test_nothing_is_written_outside_the_home(outcomes: list[Outcome], shared: Shared) -> None:
    folder = shared("corruptions", _build)
    assert not list(folder.parent.rglob("escaped.csv"))
    assert not Path("/tmp/escaped.csv").exists()
