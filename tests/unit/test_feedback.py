"""What goes back to a sender: every fault of its file by line, what a correction mended, and no value of any row."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from python_calamine import CalamineWorkbook

from dagster_project.feedback import deadline, write_all
from dagster_project.settings import Settings
from expectations.checks import load_rules
from expectations.decisions import DecisionLog, Override, ThresholdChange
from expectations.verdict import RULES
from publishing.feedback import Change, Fault, compare
from sources import intake, landing
from sources.synthetic.people import identity_number
from tests.support.front_page import clean_front_page, front_page_csv, put
from tests.support.identity import Scanner

KEY = bytes(range(32))
ONE, OTHER = "12990102MB0000001L", "12990102MB0000002J"
RULE = "hqms_01_time_order"
ISSUED = date(2026, 2, 6)  # a Friday


def page(serial: int, organisation: str = ONE, **codes: str) -> dict[str, str]:
    return clean_front_page(
        organisation=organisation,
        record=f"BINGAN{serial:05d}",
        admitted=datetime(2022, 1, 5, 8),
        discharged=datetime(2022, 1, 10, 10),
        department="0304",
        diagnosis="I21.001",
        serial=serial,
        address="云岫省岫宁市东岫区某路1号",
        cost_fen=512_345,
        **{"D09": "1.00", **codes},
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hospitals; the first sends a month with faults, then a correction of it that mends some and adds one."""
    folder = tmp_path_factory.mktemp("home")
    inbox = folder / "inbox" / "hqms"
    late = {"B12": "2022-01-11 08:00:00", "B20": "1"}
    put(
        inbox / "one" / "hqmsts_2022M01.csv",
        front_page_csv([page(1), page(2, D01="0"), page(3, A49="x"), page(4, **late), page(5, A48="-")]),
    )
    put(inbox / "other" / "hqmsts_2022M01.csv", front_page_csv([page(n, OTHER) for n in range(20)]))
    put(inbox / "broken" / "hqmsts_2022M01.zip", b"PK")
    intake.record(folder, intake.scan(folder))
    put(
        inbox / "one" / "hqmsts_2022M01_r2.csv",
        front_page_csv([page(9, C03C="Z33.x00"), page(5), page(4, **late), page(3), page(2)]),
    )
    intake.record(folder, intake.scan(folder))
    landing.land(folder, "hqms_front_page", key=KEY)
    return folder


@pytest.fixture(scope="module")
def sheets(home: Path) -> dict[str, list[list[object]]]:
    written = write_all(Settings(home=home, province_division="990000"), ISSUED, organisation=ONE)
    assert (written.workbooks, written.refused) == (1, 1)
    book = CalamineWorkbook.from_path(str(home / "feedback" / ONE / "2022-01.xlsx"))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_fault_is_named_by_file_line_field_and_remedy(sheets: dict[str, list[list[object]]]) -> None:
    head, *rows = sheets["明细"]
    assert head == ["文件", "行号", "字段", "规则或原因", "发现的值的类别", "应为", "处理办法", "整改期限", "组"]
    found = {(row[1], row[3]) for row in rows}
    assert (2, "主要诊断已填写且可作主要诊断（不为外因、状态码、星号码等）") in found
    assert (4, "出院时间不早于入院时间") in found
    assert {row[0] for row in rows} == {"hqms/one/hqmsts_2022M01_r2.csv"}
    (order,) = [row for row in rows if row[3] == "出院时间不早于入院时间"]
    assert order[2] == "B12 入院时间；B15 出院时间"
    assert order[4] == "B12 日期；B15 日期"
    assert order[7] == "2026-02-20"
    assert all(order[5:7])


def test_a_correction_is_compared_with_the_file_that_it_replaced(sheets: dict[str, list[list[object]]]) -> None:
    changes = {(row[0], str(row[1])[:3].strip()): row[2:] for row in sheets["与上一版对比"][2:]}
    assert changes["住院总费用大于零", "D01"] == [1, 1, 0, 0]
    assert changes["不是整数", "A49"] == [1, 1, 0, 0]
    assert changes["必填项为空", "A48"] == [1, 1, 0, 0]
    assert changes["出院时间不早于入院时间", "B12"] == [1, 0, 1, 0]
    assert changes["主要诊断已填写且可作主要诊断（不为外因、状态码、星号码等）", "C03"] == [0, 0, 0, 1]


def test_the_summary_places_the_hospital_among_its_peers(sheets: dict[str, list[list[object]]]) -> None:
    (trend,) = [row for row in sheets["汇总"] if row[0] == "2022-01"]
    assert trend[1] == "2 / 2"
    assert trend[3] == 5


def test_rank_and_rows_do_not_depend_on_who_asks(home: Path) -> None:
    settings = Settings(home=home, province_division="990000")
    path = home / "feedback" / ONE / "2022-01.xlsx"
    write_all(settings, ISSUED, organisation=ONE)
    alone = path.read_bytes()
    write_all(settings, ISSUED)
    assert path.read_bytes() == alone


def test_a_refused_file_is_listed_with_its_reason(home: Path) -> None:
    write_all(Settings(home=home, province_division="990000"), ISSUED, organisation="nobody")
    text = (home / "feedback" / "拒收文件.csv").read_text("utf-8-sig")
    assert "hqms/broken/hqmsts_2022M01.zip" in text
    assert "请重新上传" in text


def test_a_month_that_is_held_back_is_told_to_its_hospital(tmp_path: Path) -> None:
    """Another hospital's file brings one row of it, without a fault of its own."""
    for name, rows in (("one", [page(n, D09=f"{n}.00") for n in range(10)]), ("other", [page(1), page(11, OTHER)])):
        put(tmp_path / "inbox" / "hqms" / name / "hqmsts_2022M01.csv", front_page_csv(rows))
        intake.record(tmp_path, intake.scan(tmp_path))
    landing.land(tmp_path, "hqms_front_page", key=KEY)
    assert write_all(Settings(home=tmp_path, province_division="990000"), ISSUED).workbooks == 1
    book = CalamineWorkbook.from_path(str(tmp_path / "feedback" / ONE / "2022-01.xlsx"))
    assert [
        "本次报送暂不采用",
        "hqms/other/hqmsts_2022M01.csv：重报的月份不比上一版少（行数），违反 9 / 检查 10，单独暂缓的阈值 50%；"
        "仍用 hqms/one/hqmsts_2022M01.csv",
    ] in [row[:2] for row in book.get_sheet_by_name("汇总").to_python()]


def test_decisions_that_hold_for_a_month_are_printed_on_its_workbook(home: Path, tmp_path: Path) -> None:
    """Those about the province and about this hospital's month, and none that names another hospital."""
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    settings = Settings(home=tmp_path, province_division="990000")
    log, taken = DecisionLog(settings.decisions), date.today()
    log.record(
        ThresholdChange(rule_id=RULE, threshold=Decimal("0.03"), owner="信息中心", reason="接口切换", decided_on=taken),
        load_rules(RULES),
    )
    for place in ((None, None), (ONE, "2022-01"), (ONE, "2022-02"), (OTHER, None)):
        override = Override(
            rule_id=RULE,
            organisation_id=place[0],
            month=place[1],
            decided_by="张三",
            confirmed_by="李四",
            reason="补报中",
            decided_on=taken,
            expires_on=taken,
        )
        log.record(override, load_rules(RULES))
    write_all(settings, ISSUED, organisation=ONE)
    book = CalamineWorkbook.from_path(str(tmp_path / "feedback" / ONE / "2022-01.xlsx"))
    told = [row[1] for row in book.get_sheet_by_name("汇总").to_python() if row[0] == "注意"]
    decisions = log.in_force(taken)
    assert told == [
        decisions.thresholds[0].sentence(),
        *(
            o.sentence()
            for o in decisions.overrides
            if (o.organisation_id, o.month) in {(None, None), (ONE, "2022-01")}
        ),
    ]
    assert len(told) == 3


def test_rows_that_contradict_each_other_are_listed_together(tmp_path: Path) -> None:
    """A page copied under another number, one stay in two hospitals at once, and a page that is alone."""
    numbers = [identity_number(f"99010219800101{n:03d}") for n in range(9)]
    person = {"A20": numbers[0]}
    copied = page(2, D09="2.00", A20=numbers[1]) | {"A48": "BINGAN00009"}
    files = {
        "one": [page(1, **person), page(2, D09="2.00", A20=numbers[1]), copied, page(4, D09="4.00", A20=numbers[4])],
        "other": [page(5, OTHER, **person), page(6, OTHER, D09="6.00", A20=numbers[6])],
    }
    for name, rows in files.items():
        put(tmp_path / "inbox" / "hqms" / name / "hqmsts_2022M01.csv", front_page_csv(rows))
    intake.record(tmp_path, intake.scan(tmp_path))
    landing.land(tmp_path, "hqms_front_page", key=KEY)
    write_all(Settings(home=tmp_path, province_division="990000"), ISSUED)

    def told(organisation: str) -> list[list[object]]:
        book = CalamineWorkbook.from_path(str(tmp_path / "feedback" / organisation / "2022-01.xlsx"))
        rows = book.get_sheet_by_name("明细").to_python()[1:]
        return [[row[8], row[1], row[3][:12], row[4]] for row in rows if row[8]]

    path = "hqms/one/hqmsts_2022M01.csv"
    same = f"共 2 行；{path} 第 3 行；{path} 第 4 行"
    assert told(ONE) == [
        [1, 3, "同一机构没有内容完全相同", same],
        [1, 4, "同一机构没有内容完全相同", same],
        [2, 2, "同一患者（身份证假名）的", f"共 2 行；{path} 第 2 行；其他机构 1 行"],
    ]
    assert told(OTHER) == [
        [1, 2, "同一患者（身份证假名）的", "共 2 行；hqms/other/hqmsts_2022M01.csv 第 2 行；其他机构 1 行"]
    ]


def test_no_value_of_a_row_is_in_a_workbook(home: Path) -> None:
    write_all(Settings(home=home, province_division="990000"), ISSUED)
    values = {text for n in range(20) for text in page(n).values() if len(text) >= 6 and text != ONE}
    values -= {"I21.001"}  # an example in the words of a rule is no value of a row
    assert Scanner(values).scan(home / "feedback") == []
    quarantine = next((home / "quarantine").rglob("*.parquet"))
    assert set(duckdb.read_parquet(str(quarantine)).columns) == {
        *("source_id", "source_row", "organisation_id", "month", "field", "reason", "value_class", "row_key")
    }


def fault(key: str, title: str = "t") -> Fault:
    return Fault("f", 2, key, "c", "A01", title, "", "", "")


def test_rows_are_matched_by_key_and_lines_without_one_by_number() -> None:
    earlier = [fault("a"), fault("b"), fault(""), fault(""), fault("x", "gone")]
    now = [fault("b"), fault("c"), fault("")]
    assert compare(earlier, now) == [Change("gone", "A01", 1, 1, 0, 0), Change("t", "A01", 4, 2, 2, 1)]


@pytest.mark.parametrize(
    ("days", "until"), [(1, date(2026, 2, 9)), (5, date(2026, 2, 13)), (10, date(2026, 2, 20)), (0, ISSUED)]
)
def test_the_deadline_counts_working_days(days: int, until: date) -> None:
    assert deadline(ISSUED, days) == until
