"""Imported editions: whole or not at all, never changed, seen by the warehouse; two of them compared; the commands."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from dagster_project import cli
from sources import candidate
from sources.scheme.diff import Difference, compare, stored
from sources.scheme.package import SchemeProblem, open_package
from sources.scheme.store import Imported, edition_folder, import_package, in_use, installed, store_folder
from sources.scheme.tables import STORED
from tests.dbt.landed import SCHEME
from tests.support.scheme import small_package, write_package

Tables = dict[str, list[dict[str, str]]]
Command = Callable[..., Result]


def edition(number: str, effective_from: str = "2022-01-01", effective_to: str = "") -> Tables:
    """The small package as another edition."""
    tables = copy.deepcopy(small_package())
    tables["scheme"][0] |= {"edition": number, "effective_from": effective_from, "effective_to": effective_to}
    return tables


def bring(home: Path, tables: Tables, encoding: str = "utf-8") -> Imported:
    folder = write_package(home.parent / f"package{len(list(home.parent.iterdir()))}", tables, encoding=encoding)
    with open_package(folder) as package:
        return import_package(home, package)


def warehouse(home: Path, query: str) -> list[tuple[object, ...]]:
    """What a query over the candidate's schema `scheme` gives."""
    database = home / "candidate.duckdb"
    database.unlink(missing_ok=True)
    candidate.prepare(home, database)
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute(query).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


# ---------------------------------------------------------------------------------------------------------- round trip


COLUMNS = """
select table_name, column_name, data_type
from duckdb_columns()
where schema_name = 'scheme'
order by table_name, column_index
"""


def test_every_table_is_there_and_typed_with_and_without_a_scheme(home: Path) -> None:
    declared = [(table, *column) for table in sorted(STORED) for column in STORED[table].items()]
    home.mkdir()
    assert warehouse(home, COLUMNS) == declared
    assert warehouse(home, " union all ".join(f"select 1 from scheme.{table}" for table in STORED)) == []
    bring(home, edition("1.0"))
    assert warehouse(home, COLUMNS) == declared


def test_small_candidates_of_other_tests_have_the_same_tables() -> None:
    assert SCHEME == STORED


def test_what_the_warehouse_reads(home: Path) -> None:
    tables = edition("1.0", "2022-01-01", "2025-01-01")
    tables["weight"] = [{"drg": "FM19", "weight": "1.25", "reference": "2021 年全省", "year": "2021"}]
    tables["code_map"] = [
        {"kind": "diagnosis", "from_edition": "D0", "from_code": "I10", "to_edition": "D1", "to_code": "I10.x00"}
    ]
    tables["code_list"] += [{"list_id": "P", "code": "36.0601"}, {"list_id": "P", "code": ""}]
    imported = bring(home, tables).description
    content = imported["content"]
    expected: dict[str, list[tuple[object, ...]]] = {
        "scheme": [
            ("T", "虚构小方案", "1.0", "D1", "P1", "无", "虚构", date(2022, 1, 1), date(2025, 1, 1), *content.values())
        ],
        "mdc": [("F", "循环系统", 1, *[None] * 4, False), ("Z", "多发创伤", 2, None, None, None, 2, True)],
        "mdc_diagnosis": [
            ("F", "I10.x00", None),
            ("F", "I21.001", None),
            ("Z", "S06.000", "头"),
            ("Z", "S27.000", "胸"),
        ],
        "adrg": [
            ("FM1", "F", "介入", 1, "procedure"),
            ("FR1", "F", "心梗", 2, "medical"),
            ("ZB1", "Z", "创伤", 1, "surgical"),
        ],
        "adrg_condition": [
            ("FM1", 1, "any_procedure", "P", None, None, None),
            ("FR1", 1, "principal_diagnosis", "D", None, None, None),
            ("FR1", 2, "none", None, None, None, 2500),
            ("ZB1", 1, "first_valid_procedure", None, None, None, None),
        ],
        "code_list": [("D", "I21.001"), ("P", "36.0601")],
        "valid_procedure": [("36.0601",), ("54.1100",)],
        "complication": [("E11.900", "cc", None), ("J96.900", "mcc", "T1")],
        "exclusion": [("I10.x00", "T1")],
        "weight": [("FM19", Decimal("1.25"), "2021 年全省", 2021)],
        "code_map": [("diagnosis", "D0", "I10", "D1", "I10.x00")],
        "edition_code": [
            *(("diagnosis", code, None) for code in ("E11.900", "I10.x00", "I21.001", "J96.900", "S06.000", "S27.000")),
            *(("procedure", code, None) for code in ("36.0601", "54.1100")),
        ],
    }
    for table, rows in expected.items():
        assert warehouse(home, f"from scheme.{table} order by all") == [("T-1.0", *row) for row in rows], table
    assert warehouse(home, "select count(*), min(edition_id) from scheme.drg") == [(5, "T-1.0")]


def test_known_codes_are_those_of_the_editions_where_the_package_lists_them(home: Path) -> None:
    tables = edition("1.0")
    tables["edition_code"] = [
        {"kind": "diagnosis", "code": "I21.001", "name_zh": "急性前壁心肌梗死"},
        {"kind": "procedure", "code": "36.0601", "name_zh": ""},
    ]
    bring(home, tables)
    assert warehouse(home, "from scheme.edition_code order by all") == [
        ("T-1.0", "diagnosis", "I21.001", "急性前壁心肌梗死"),
        ("T-1.0", "procedure", "36.0601", None),
    ]


def test_editions_lie_side_by_side(home: Path) -> None:
    bring(home, edition("1.0"))
    bring(home, edition("2.0"))
    counts = warehouse(home, "select edition_id, count(*) from scheme.adrg group by all order by all")
    assert counts == [("T-1.0", 3), ("T-2.0", 3)]


def test_description_names_owner_licence_and_every_file_by_its_hashes(home: Path) -> None:
    package = write_package(home.parent / "package", edition("1.0"))
    with open_package(package) as opened:
        import_package(home, opened)
    (found,) = installed(home)
    assert (found["name_zh"], found["owner"], found["licence"]) == ("虚构小方案", "无", "虚构")
    content = (package / "mcc.csv").read_bytes()
    assert found["files"]["mcc.csv"] == {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "sm3": hashlib.new("sm3", content).hexdigest(),
    }
    assert set(found["files"]) == {path.name for path in package.iterdir()}
    assert (found["rows"]["adrg"], found["rows"]["weight"]) == (3, 0)


# -------------------------------------------------------------------------------------------------------- immutability


def snapshot(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in edition_folder(home, "T-1.0").iterdir()}


def test_the_same_content_again_changes_nothing_whatever_its_form(home: Path) -> None:
    assert bring(home, edition("1.0")).is_new
    before = snapshot(home)
    shuffled = edition("1.0")
    for rows in shuffled.values():
        rows.reverse()
    shuffled["code_list"].append(shuffled["code_list"][0])
    assert not bring(home, shuffled, encoding="gb18030").is_new
    assert snapshot(home) == before


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("adrg", "priority", "7"), ("scheme", "licence", "另一种"), ("cc", "code", "E11.901")],
)
def test_other_content_under_the_same_id_is_refused(home: Path, table: str, column: str, value: str) -> None:
    bring(home, edition("1.0"))
    before = snapshot(home)
    changed = edition("1.0")
    changed[table][0][column] = value
    with pytest.raises(SchemeProblem, match=r"T-1.0，内容与此包不同，拒绝覆盖"):
        bring(home, changed)
    assert snapshot(home) == before


def test_an_edition_is_read_only(home: Path) -> None:
    bring(home, edition("1.0"))
    assert {path.stat().st_mode & 0o222 for path in edition_folder(home, "T-1.0").iterdir()} == {0}


def test_a_killed_import_leaves_no_edition_and_the_next_one_is_whole(home: Path) -> None:
    package = write_package(home.parent / "package", edition("1.0"))
    code = """
import os, pathlib, sys
from sources.scheme import store
from sources.scheme.package import open_package
store.write_json = lambda *_: os._exit(9)
home, path = map(pathlib.Path, sys.argv[1:])
with open_package(path) as package:
    store.import_package(home, package)
"""
    done = subprocess.run([sys.executable, "-c", code, str(home), str(package)], check=False)
    assert done.returncode == 9
    assert [path.name for path in store_folder(home).glob("*/*.parquet")], "it was killed in the middle"
    assert installed(home) == []
    assert warehouse(home, "from scheme.scheme") == []
    with open_package(package) as opened:
        assert import_package(home, opened).is_new
    assert sorted(path.name for path in store_folder(home).iterdir() if path.is_dir()) == ["T-1.0"]


def test_a_scheme_is_part_of_what_a_release_is_made_of(home: Path) -> None:
    home.mkdir()
    seen = [candidate.inputs_fingerprint(home)]
    bring(home, edition("1.0"))
    seen.append(candidate.inputs_fingerprint(home))
    bring(home, edition("2.0"))
    seen.append(candidate.inputs_fingerprint(home))
    bring(home, edition("2.0"))
    assert len(set(seen)) == 3 and candidate.inputs_fingerprint(home) == seen[-1]


# -------------------------------------------------------------------------------------------------- which one is in use


@pytest.mark.parametrize(
    ("choice", "day", "expected"),
    [
        ("by_date", date(2021, 12, 31), None),
        ("by_date", date(2022, 1, 1), "T-1.0"),
        ("by_date", date(2023, 12, 31), "T-1.0"),
        ("by_date", date(2024, 1, 1), "T-2.0"),  # 1.0 has no end and yields all the same
        ("by_date", date(2024, 12, 31), "T-2.0"),
        ("by_date", date(2025, 1, 1), None),  # 2.0 has ended, and 1.0 does not come back
        ("latest", date(2021, 1, 1), "T-2.0"),
        ("T-1.0", date(2030, 1, 1), "T-1.0"),
        ("T-9.0", date(2022, 1, 1), None),
    ],
)
def test_edition_in_use(home: Path, choice: str, day: date, expected: str | None) -> None:
    editions = [
        {"edition_id": "T-2.0", "effective_from": "2024-01-01", "effective_to": "2025-01-01"},
        {"edition_id": "T-1.0", "effective_from": "2022-01-01", "effective_to": None},
    ]
    assert in_use(editions, choice, day) == expected


# ------------------------------------------------------------------------------------------------------ two editions


def later_edition() -> Tables:
    """What a revision does: one of everything that `compare` tells."""
    tables = edition("2.0")
    tables["mdc_diagnosis"][1]["mdc"] = "Z"
    tables["adrg"][0]["priority"], tables["adrg"][1]["priority"] = "2", "1"
    tables["adrg"][2] |= {"adrg": "ZB2", "name_zh": "多处创伤"}
    tables["adrg_condition"][3]["adrg"] = "ZB2"
    tables["adrg_condition"][2]["weight_g_below"] = "2000"
    tables["code_list"].append({"list_id": "P", "code": "36.0602"})
    tables["code_list"][1] = {"list_id": "D2", "code": "I21.001"}
    tables["adrg_condition"][1]["list_id"] = "D2"
    tables["mcc"].append({"code": "E11.900", "exclusion_table": ""})
    tables["cc"].clear()
    tables["exclusion"].append({"principal_code": "I10.x00", "exclusion_table": "T2"})
    tables["drg"][4] |= {"drg": "ZB29", "adrg": "ZB2"}
    tables["drg"][2:4] = [{"drg": "FR15", "adrg": "FR1", "name_zh": "心梗", "severity": "any"}]
    return tables


@pytest.fixture
def difference(home: Path) -> Difference:
    bring(home, edition("1.0"))
    package = write_package(home.parent / "later", later_edition())
    with stored(home, "T-1.0") as earlier, stored(home, str(package)) as later:
        return compare(earlier, later)


def test_rows_that_differ(difference: Difference) -> None:
    assert (difference.earlier, difference.later) == ("T-1.0", "T-2.0")
    counts = {found.table: (found.added, found.removed, found.changed) for found in difference.tables}
    assert {table: count for table, count in counts.items() if any(count)} == {
        "mdc_diagnosis": (1, 1, 0),
        "adrg": (1, 1, 2),
        "adrg_condition": (3, 3, 0),
        "code_list": (2, 1, 0),
        "complication": (1, 1, 0),
        "exclusion": (1, 0, 0),
        "drg": (1, 2, 1),
        "edition_code": (1, 0, 0),
    }


def test_changes_that_a_reader_of_the_results_notices(difference: Difference) -> None:
    assert {change.title_zh: change.cases for change in difference.changes if change.cases} == {
        "新增的 ADRG": ("ZB2（多处创伤）",),
        "取消的 ADRG": ("ZB1（创伤）",),
        "改了优先级的 ADRG": ("FM1：1 → 2", "FR1：2 → 1"),
        "改了入组条件的 ADRG": (
            "FR1：[1] principal_diagnosis D、[2] none 体重<2500g → [1] principal_diagnosis D2、[2] none 体重<2000g",
        ),
        "改了严重程度划分的 ADRG": ("FR1：cc、mcc、none → any、mcc",),
        "新增的 DRG": ("ZB29（创伤）",),
        "取消的 DRG": ("FR13（心梗，伴并发症）", "ZB19（创伤）"),
        "改属 MDC 的主要诊断": ("I10.x00：F → Z",),
        "改属列表的编码": ("I21.001：D → D2",),
        "改了级别的并发症或合并症": ("E11.900：cc → mcc",),
        "改了排除的主要诊断": ("I10.x00：T1 → T1、T2",),
    }


def test_an_edition_does_not_differ_from_itself(home: Path) -> None:
    bring(home, edition("1.0"))
    with stored(home, "T-1.0") as one:
        found = compare(one, one)
    assert not any(t.added or t.removed or t.changed for t in found.tables)
    assert not any(change.cases for change in found.changes)


# -------------------------------------------------------------------------------------------------------- the commands


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    for name in [name for name in os.environ if name.startswith("ZHUANKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ZHUANKE_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(cli.app, ["scheme", *map(str, arguments)])


def test_from_check_to_list(home: Path, run: Command) -> None:
    assert "还没有导入" in run("list").output
    first = write_package(home.parent / "first", edition("1.0"))
    checked = run("check", first)
    assert (checked.exit_code, checked.output) == (cli.OK, "可以导入：错误 0 种，提醒 0 种\n")
    assert not store_folder(home).exists(), "a check leaves nothing"
    assert run("import", first).output.splitlines()[1:3] == ["已导入", "  T-1.0  虚构小方案"]
    assert run("import", first).output.splitlines()[1] == "此前已导入，内容相同"
    run("import", write_package(home.parent / "second", edition("2.0", "2023-01-01")))
    heads = ["  T-1.0  虚构小方案", "● T-2.0  虚构小方案"]
    lines = run("list").output.splitlines()
    assert [line for line in lines if "虚构小方案" in line] == heads
    assert "    有效：2022-01-01 起" in lines and "    所有者：无；许可：虚构" in lines
    told = json.loads(run("list", "--json").output)
    assert told["in_use_today"] == "T-2.0" and len(told["schemes"]) == 2


def test_a_package_with_an_error_is_refused_and_one_with_a_warning_is_not(home: Path, run: Command) -> None:
    tables = edition("1.0")
    tables["adrg"][0]["kind"] = "?"
    wrong = write_package(home.parent / "wrong", tables)
    for command in ("check", "import"):
        done = run(command, wrong)
        assert done.exit_code == cli.FAILURE
        assert "✗ adrg.csv 第 2 行 kind：" in done.output and "不能导入：错误 1 种" in done.output
    assert installed(home) == []
    (told,) = json.loads(run("check", wrong, "--json").output)
    assert (told["level"], told["file"], told["rows"]) == ("error", "adrg.csv", [2])
    tables = edition("1.0")
    tables["cc"][0]["exclusion_table"] = "T9"
    doubtful = write_package(home.parent / "doubtful", tables)
    assert run("check", doubtful).exit_code == cli.OK
    assert "! cc.csv 第 2 行" in run("import", doubtful).output
    assert [found["edition_id"] for found in installed(home)] == ["T-1.0"]


def test_diff_of_an_edition_and_a_package_that_is_not_imported(home: Path, run: Command) -> None:
    bring(home, edition("1.0"))
    later = write_package(home.parent / "later", later_edition())
    told = run("diff", "T-1.0", later).output
    assert "T-1.0 → T-2.0" in told and "取消的 DRG：2\n  FR13（心梗，伴并发症）\n" in told
    assert "改属 ADRG" not in told, "what did not happen is not told"
    document = json.loads(run("diff", "T-1.0", later, "--json").output)
    assert document["tables"][0] == {"table": "mdc", "added": 0, "removed": 0, "changed": 0}
    assert [found["edition_id"] for found in installed(home)] == ["T-1.0"]


def test_what_is_not_there_is_said_in_one_sentence(home: Path) -> None:
    def main(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from dagster_project.cli import main; main()", "scheme", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = main("diff", "T-1.0", "T-2.0", "--home", str(home))
    assert (done.returncode, done.stderr.strip()) == (
        cli.FAILURE,
        "错误 没有导入过方案 T-1.0（已有：无）。请先运行 zhuanke scheme import。",
    )
