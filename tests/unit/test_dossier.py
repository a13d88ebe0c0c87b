"""The dossier workbook goes out as a template and comes back as rows, or as a list of faults with cells."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from sources import dossier
from sources.contract import contracts_of
from sources.dossier import Answer, DossierError, dossier_items, dossier_to_rows, read_dossier, write_template

ORGANISATION = "99330101MB0000001A"


def filled(path: Path, answers: dict[str, Answer], organisation: str = ORGANISATION, specialty: str = "0304") -> Path:
    return write_template(path, organisation_id=organisation, specialty_code=specialty, answers=answers)


def faults(path: Path, **options: object) -> str:
    with pytest.raises(DossierError) as caught:
        read_dossier(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


def by_kind(kind: str) -> str:
    return next(item.item_code for item in dossier_items().values() if item.value_kind == kind)


def test_answers_come_back_in_the_columns_of_the_contract(tmp_path: Path) -> None:
    path = filled(
        tmp_path / "a.xlsx",
        {
            "D0201": Answer(1234.5, "拨款文件.pdf", "审核甲"),
            "D0207": Answer("１,200"),
            "D0205": Answer("是"),
            "D0302": Answer("=SUM(A1) 开头的文字仍是文字", "规划.pdf;批复.pdf", "审核乙", 88),
            "D0904": Answer("5级"),
        },
    )
    header, rows = dossier_to_rows(path)
    assert header == [field.source for field in contracts_of("dossier_item")[0].fields]
    assert [row[2:8] for row in rows] == [
        ["D0201", "近3年", "1234.5", "1234.5", "万元", "拨款文件.pdf"],
        ["D0205", "建设期内", "是", "1", "", ""],
        ["D0207", "近3年", "１,200", "1200", "万元", ""],
        ["D0302", "当前", "=SUM(A1) 开头的文字仍是文字", "88", "分", "规划.pdf;批复.pdf"],
        ["D0904", "当前", "5级", "", "", ""],
    ]
    assert {(row[0], row[1]) for row in rows} == {(ORGANISATION, "0304")}
    assert rows[3][8:] == ["审核乙", "医院管理"]


def test_an_unanswered_item_gives_no_row_and_an_empty_template_is_refused(tmp_path: Path) -> None:
    one = filled(tmp_path / "one.xlsx", {"D0601": Answer(0)})
    assert [row["数值"] for row in read_dossier(one)] == ["0"]
    assert "没有填写任何项目" in faults(filled(tmp_path / "none.xlsx", {}))


def test_all_faults_are_reported_with_their_cells(tmp_path: Path) -> None:
    path = filled(
        tmp_path / "bad.xlsx",
        {
            "D0201": Answer("一千万元"),
            "D0205": Answer("有"),
            "D1001": Answer(180),
            "D0301": Answer("体系健全", score=90),
            "D0601": Answer(5, reviewer="审核甲", score=80),
        },
    )
    message = faults(path)
    assert "“投入与政策”C4：“省级以下财政投入总金额”应填数字" in message
    assert "“投入与政策”C8：" in message and "是、否" in message
    assert "“管理与服务”C4：“患者满意度（本年）”应在 0 与 100 之间" in message
    assert "“医院管理”J4：有审核评分，须写明审核人" in message
    assert "“人才队伍”I4：数字和是否项目不评分" in message


@pytest.mark.parametrize(
    ("organisation", "specialty", "expected"),
    [
        ("", "0304", "机构代码应为 9 至 22 位"),
        (ORGANISATION, "3040", "专科代码不在诊疗科目表中"),
        ("99330101MB0000009X", "0304", "机构代码“99330101MB0000009X”不在医疗机构登记册中"),
    ],
)
def test_unknown_organisation_or_specialty_is_refused(
    tmp_path: Path, organisation: str, specialty: str, expected: str
) -> None:
    path = filled(tmp_path / "d.xlsx", {"D0601": Answer(5)}, organisation, specialty)
    assert expected in faults(path, organisations={ORGANISATION})


def test_a_fault_never_repeats_what_was_typed(tmp_path: Path) -> None:
    path = filled(tmp_path / "d.xlsx", {"D0201": Answer("张三")}, organisation="李四", specialty="王五")
    message = faults(path)
    assert not any(name in message for name in ("张三", "李四", "王五"))


def test_another_template_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "old.xlsx", {"D0601": Answer(5)})
    monkeypatch.setattr(dossier, "TEMPLATE_VERSION", "2")
    assert "模板版本是 1，当前版本是 2" in faults(path)


def test_other_files_are_refused_in_chinese(tmp_path: Path) -> None:
    import xlsxwriter

    text = tmp_path / "text.xlsx"
    text.write_bytes(b"not a workbook")
    assert "不能作为 Excel 工作簿打开" in faults(text)
    other = tmp_path / "other.xlsx"
    with xlsxwriter.Workbook(other) as book:
        book.add_worksheet("Sheet1").write_string(0, 0, "项目代码")
    assert "不是由本系统生成的专科申报材料模板" in faults(other)


def test_unknown_item_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="D9999"):
        filled(tmp_path / "x.xlsx", {"D9999": Answer(1)})
    assert not (tmp_path / "x.xlsx").exists()


def test_the_template_guides_the_hand(tmp_path: Path) -> None:
    path = write_template(tmp_path / "t.xlsx")
    with zipfile.ZipFile(path) as archive:
        workbook = archive.read("xl/workbook.xml").decode()
        sheets = [
            archive.read(name).decode() for name in archive.namelist() if re.match(r"xl/worksheets/sheet\d+", name)
        ]
        notes = [name for name in archive.namelist() if name.startswith("xl/comments")]
    topics = {item.sheet for item in dossier_items().values()}
    assert all(f'name="{topic}"' in workbook for topic in topics)
    assert 'name="_template"' in workbook and 'state="veryHidden"' in workbook
    entry_sheets = [text for text in sheets if "dataValidation " in text]
    assert len(entry_sheets) == len(notes) == len(topics) == 10
    assert all("sheetProtection" in text and 'state="frozen"' in text for text in entry_sheets)
    validated = sum(text.count("<dataValidation ") for text in entry_sheets)
    scored = sum(item.value_kind in ("text", "choice") for item in dossier_items().values())
    assert validated == len(dossier_items()) + scored


def test_equal_inputs_give_equal_bytes(tmp_path: Path) -> None:
    def demo(folder: str, seed: int) -> list[bytes]:
        paths = dossier.write_demo_dossiers(tmp_path / folder, [ORGANISATION], ["0304", "0401"], seed)
        assert [path.name for path in paths] == [f"{ORGANISATION}_0304.xlsx", f"{ORGANISATION}_0401.xlsx"]
        return [path.read_bytes() for path in paths]

    first = demo("a", 7)
    assert demo("b", 7) == first
    assert demo("c", 8) != first
    assert write_template(tmp_path / "1.xlsx").read_bytes() == write_template(tmp_path / "2.xlsx").read_bytes()


def test_demo_dossiers_read_back_without_a_fault(tmp_path: Path) -> None:
    (path,) = dossier.write_demo_dossiers(tmp_path, [ORGANISATION], ["5001"], seed=3)
    rows = read_dossier(path)
    assert 0.75 * len(dossier_items()) < len(rows) < len(dossier_items())
    assert {row["审核人"] for row in rows} == {"示例审核人"}
    assert all(row["填报内容"].startswith("示例") for row in rows if row["项目代码"] == by_kind("text"))
