"""What `zhuanke synth` and `zhuanke demo` prepare: the inbox, the scheme that groups it, key and settings."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from dagster_project.demo import prepare_demo, write_inbox
from dagster_project.settings import Settings
from dagster_project.views import show_ranking
from sources.scheme.store import installed

SIZE = {"hospitals": 2, "first_month": "2023-05", "months": 1, "discharges": 40, "workers": 1}


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), soft_wrap=True)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_inbox_comes_with_the_packages_of_its_scheme(tmp_path: Path, console: Console) -> None:
    write_inbox(console, tmp_path, **SIZE)
    assert {path.name for path in tmp_path.iterdir()} == {"inbox", "truth.json", "demo_schemes"}
    assert {path.name for path in (tmp_path / "demo_schemes").iterdir()} == {"YUNXIU-1.0", "YUNXIU-2.0"}
    assert "2023-01-01" in (tmp_path / "demo_schemes" / "YUNXIU-1.0" / "scheme.csv").read_text(encoding="utf-8")


def test_an_inbox_that_was_emptied_is_written_anew(tmp_path: Path, console: Console) -> None:
    write_inbox(console, tmp_path, **SIZE)
    for path in (tmp_path / "inbox").rglob("*"):
        if path.is_file():
            path.unlink()
    write_inbox(console, tmp_path, **{**SIZE, "first_month": "2024-05"})
    assert "2024-01-01" in (tmp_path / "demo_schemes" / "YUNXIU-1.0" / "scheme.csv").read_text(encoding="utf-8")


def test_the_demo_imports_its_scheme_once(tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHUANKE_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    home = tmp_path / "home"
    write_inbox(console, home, **SIZE)
    prepare_demo(home, console)
    assert [edition["edition_id"] for edition in installed(home)] == ["YUNXIU-1.0", "YUNXIU-2.0"]
    before = said(console).count("分组方案：")
    prepare_demo(home, console)
    assert (before, said(console).count("分组方案：")) == (2, 2)


def test_the_ranking_leaves_out_whom_nobody_knows_and_who_has_too_few_cases(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, province_division="990000")
    settings.current.mkdir()
    with duckdb.connect(str(settings.current / "marts.duckdb")) as marts:
        marts.execute(
            """
            create table dim_window as
            select '2022-2024' as window_id, 3 as years, true as is_complete, 2024 as last_year;
            create table dim_indicator as from (values
                ('discharge_count', '出院人次', '人次', 0, 1), ('cmi', 'CMI', '', 2, 2)
            ) as t(indicator_id, name_zh, unit, decimals, serial);
            create table dim_specialty as select '0301' as specialty_code, '呼吸内科' as name_zh;
            create table dim_programme_item as select 'cmi' as indicator_id, 30 as min_cases;
            create table dim_hospital as from (values
                ('REGION', '全省', false, true), ('A', '甲医院', true, false), ('B', '乙医院', true, false),
                ('C', '丙医院', true, false), ('X', '未登记机构', false, false)
            ) as t(hospital_id, name_zh, is_registered, is_region);
            create table fct_indicator as
            select hospital_id, '0301' as specialty_code, 'department' as attribution, '2022-2024' as window_id,
                   indicator_id, value
            from (values
                ('REGION', 132, 1.0), ('A', 30, 0.8), ('B', 70, 1.1), ('C', 29, 1.5), ('X', 900, 9.9)
            ) as t(hospital_id, discharge_count, cmi)
            unpivot (value for indicator_id in (discharge_count, cmi))
            """
        )
    wide = Console(file=io.StringIO(), width=140)
    show_ranking(wide, settings)
    lines = said(wide).splitlines()
    ranked = [line.split()[:2] for line in lines if "医院" in line or "机构" in line]
    assert ranked[1:3] == [["1", "乙医院"], ["2", "甲医院"]]
    assert "丙医院" not in said(wide)
    assert "未列入名次：未登记机构 1 家，出院不足 30 例的 1 家" in said(wide)


def test_a_province_that_only_looks_gets_no_invented_scheme(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`zhuanke demo` on an inbox of one's own: what exists is left as it is, nothing is added."""
    monkeypatch.setenv("ZHUANKE_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    own = tmp_path / "home" / "inbox" / "hqms" / "own.csv"
    own.parent.mkdir(parents=True)
    own.write_text("x")
    prepare_demo(tmp_path / "home", console)
    assert installed(tmp_path / "home") == []
