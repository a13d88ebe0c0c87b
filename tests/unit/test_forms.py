"""The official forms: what stands in which cell, what is merged, and that nothing is lost on the way."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from candidate_marts import HOSPITALS, WINDOW, candidate_marts, registered_items
from python_calamine import CalamineWorkbook

from publishing.candidates import CandidatesError
from publishing.forms import write_forms
from publishing.forms.layout import FormError

PRINTED = {"national_2021": (28, 27), "beijing_2023": (20, 20), "guizhou_942": (27, 27)}


def forms(folder: Path, programme_id: str = "national_2021", changes: str = "", **more: object) -> list[Path]:
    data = candidate_marts(folder / "data", changes, programme_id)
    return write_forms(data, folder / "form", programme_id=programme_id, window_id=WINDOW, **more)  # type: ignore[arg-type]


def sheet(path: Path, name: str) -> list[list[object]]:
    return CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python(skip_empty_area=False)


def merged(path: Path, number: int) -> set[str]:
    with zipfile.ZipFile(path) as book:
        return set(re.findall(r'<mergeCell ref="([A-Z0-9:]+)"', book.read(f"xl/worksheets/sheet{number}.xml").decode()))


def test_one_workbook_per_tier_and_specialty_with_a_sheet_per_hospital(tmp_path: Path) -> None:
    written = forms(tmp_path, "beijing_2023")
    assert [path.name for path in written] == [
        f"beijing_2023-{tier}-{specialty}.xlsx" for tier in ("national", "municipal") for specialty in ("0304", "0402")
    ]
    names = CalamineWorkbook.from_path(written[0]).sheet_names
    assert names == ["说明", "汇总", "1 示例一院", "2 示例二院", "3 示例三院", "注释"]


@pytest.mark.parametrize("programme_id", PRINTED)
def test_the_annex_has_its_printed_entries_numbers_and_wordings(tmp_path: Path, programme_id: str) -> None:
    path = forms(tmp_path, programme_id, specialty_code="0304")[0]
    entries, numbers = PRINTED[programme_id]
    rows = sheet(path, "1 示例一院")[4:]
    end = next(
        index for index, row in enumerate(rows) if str(row[0]).startswith("指标体系之外") or row[0] == "得分汇总"
    )
    annex = [row[:5] for row in rows[:end] if row[4]]
    items = [item for item in registered_items(programme_id) if item["part"] == "data"]
    assert len(annex) == len(items)
    assert len([row for row in annex if row[3]]) == entries
    assert len([row for row in annex if row[0]]) == numbers
    assert [row[3] for row in annex if row[3]] == list(dict.fromkeys(item["wording_zh"] for item in items))


def test_headings_are_merged_as_in_the_annex(tmp_path: Path) -> None:
    ranges = merged(forms(tmp_path, specialty_code="0304")[0], 3)
    # two entries under number 1 and one first-level heading; five entries of 医院管理情况; the title over all columns
    assert {"A5:A6", "B5:B6", "B7:B11", "C7:C9", "C10:C11", "A2:N2"} <= ranges
    assert "A7:A8" not in ranges


def test_values_are_exact_and_stand_beside_unit_numerator_and_score(tmp_path: Path) -> None:
    change = """
        update fct_item set value = 0.12345678, numerator = 7, denominator = 567, status_reason = null
        where item_id = 'NI-15' and hospital_id = 'H1'"""
    path = forms(tmp_path, specialty_code="0304", changes=change)[0]
    (row,) = [row for row in sheet(path, "1 示例一院") if str(row[4]).startswith("中低风险组死亡率")]
    assert row[5:8] == [0.12345678, "%", 7.0] and row[8] == 567.0 and row[11] == 14.28571429
    with zipfile.ZipFile(path) as book:  # the registry shows four decimals of a per cent
        assert "0.0000%" in book.read("xl/styles.xml").decode()


def test_what_is_not_scored_says_why_and_shows_no_number(tmp_path: Path) -> None:
    change = """
        update fct_item set value = null, numerator = null, denominator = null, case_count = null,
            scale_score = null, status = 'awaiting_dossier', status_reason = '申报材料未填'
        where item_id = 'NI-18' and hospital_id = 'H2'"""
    path = forms(tmp_path, specialty_code="0304", changes=change)[0]
    (row,) = [row for row in sheet(path, "2 示例二院") if str(row[4]).startswith("国家级科研项目数")]
    assert row[5] == "—" and row[11] == "—" and row[13] == "申报材料未填"


def test_every_provisional_choice_window_edition_and_notice_is_noted(tmp_path: Path) -> None:
    path = forms(tmp_path, specialty_code="0304", notices=["本次发布由专人放行"])[0]
    notes = sheet(path, "注释")
    titles = [str(row[1]) for row in notes]
    for item in registered_items("national_2021"):
        assert item["title_zh"] in titles
        (row,) = [row for row in notes if row[1] == item["title_zh"]]
        assert ("计分办法暂定" in str(row[9])) == (item["status"] == "provisional")
    hospital = "\n".join(str(cell) for row in sheet(path, "1 示例一院") for cell in row)
    for word in (f"统计窗口：{WINDOW}", "版本：分组方案 示例-1", "暂定：", "注意：本次发布由专人放行"):
        assert word in hospital


def test_the_overview_holds_every_hospital_in_the_order_of_the_ranks(tmp_path: Path) -> None:
    change = "update fct_score set rank = 4 - rank, score = 100 - score where level = 'total'"
    rows = sheet(forms(tmp_path, specialty_code="0304", changes=change)[0], "汇总")
    assert rows[3][6:] == ["示例三院", "示例二院", "示例一院"]
    assert rows[4][6:] == [1.0, 2.0, 3.0]
    assert len(rows[3]) == 6 + len(HOSPITALS)


def test_equal_marts_give_equal_bytes(tmp_path: Path) -> None:
    first, second = forms(tmp_path / "a", specialty_code="0304"), forms(tmp_path / "b", specialty_code="0304")
    assert first[0].read_bytes() == second[0].read_bytes()


def test_a_registry_that_lost_an_entry_fills_no_form(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="印有 28 个条目，登记的计分项有 27 个"):
        forms(tmp_path, changes="delete from dim_programme_item where item_id = 'NI-08'")


def test_a_window_without_results_says_what_there_is(tmp_path: Path) -> None:
    data = candidate_marts(tmp_path / "data")
    with pytest.raises(CandidatesError, match="已有：national_2021 2022-2024"):
        write_forms(data, tmp_path / "form", programme_id="national_2021", window_id="2019-2021")


@pytest.mark.parametrize("programme_id", PRINTED)
def test_a_form_prints_on_a4_across_with_repeated_heads(tmp_path: Path, programme_id: str) -> None:
    with zipfile.ZipFile(forms(tmp_path, programme_id, specialty_code="0402")[0]) as book:
        page = book.read("xl/worksheets/sheet3.xml").decode()
        assert 'paperSize="9"' in page and 'orientation="landscape"' in page and 'fitToHeight="0"' in page
        assert "$4:$4" in book.read("xl/workbook.xml").decode()
