"""The report: a page that needs nothing but itself, with every number of the list and why others are missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from candidate_marts import HOSPITALS, WINDOW, candidate_marts
from python_calamine import CalamineWorkbook

from publishing.forms import write_forms
from publishing.report import PrintingError, charts, printing, write_pdf, write_report

# of the items only a dossier's and an indicator's, where the number of charts does not matter
FEW = """
    delete from dim_programme_item where item_id not in ('NI-02', 'NI-10');
    delete from fct_item where item_id not in ('NI-02', 'NI-10');"""
NEEDS_BROWSER = pytest.mark.skipif(not any(map(shutil.which, printing.BROWSERS)), reason="没有 Chromium")
VOID = {"meta", "br", "link", "img", "path", "line", "rect"}


def report(folder: Path, changes: str = "", programme_id: str = "national_2021", **more: object) -> list[Path]:
    data = candidate_marts(folder / "data", changes, programme_id)
    return write_report(data, folder / "report", programme_id=programme_id, window_id=WINDOW, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's report and its marts lie."""
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    """The report of one specialty with one missing value, one hostile name and one notice."""
    changes = """
        update dim_hospital set name_zh = '<b>示例</b>&二院' where hospital_id = 'H2';
        update fct_item set value = 0.12345678, numerator = 7, denominator = 567
            where item_id = 'NI-15' and hospital_id = 'H1';
        update fct_item set value = null, scale_score = null, status = 'awaiting_dossier',
            status_reason = '申报材料未填' where item_id = 'NI-18' and hospital_id <> 'H1'"""
    return report(folder, changes, specialty_code="0304", notices=["本次发布由专人放行"])[0].read_text("utf-8")


class Wellformed(HTMLParser):
    """Every element that is opened is closed, and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def article(page: str, item_id: str) -> str:
    found = re.search(rf'<article aria-labelledby="[^"]*-{item_id}">.*?</article>', page, re.DOTALL)
    assert found, item_id
    return found[0]


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    assert not re.search(r'(?:src|href)="(?!#)', page.replace('xmlns:xlink="http', ""))
    assert "url(" not in page and "@import" not in page
    assert "default-src 'none'" in page


def test_the_page_is_well_formed_chinese_and_reachable_by_keyboard(page: str) -> None:
    parser = Wellformed()
    parser.feed(page)
    assert not parser.faults and not parser.open
    assert '<html lang="zh-CN">' in page and 'class="skip" href="#content"' in page and ":focus-visible" in page
    assert page.count("<table") == page.count("<caption>")
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_names_are_escaped_wherever_they_stand(page: str) -> None:
    assert "<b>示例</b>" not in page
    assert "&lt;b&gt;示例&lt;/b&gt;&amp;二院" in page


def test_a_value_is_exact_in_the_source_and_rounded_for_the_eye(page: str) -> None:
    assert '<data value="0.12345678">12.3457</data>' in article(page, "NI-15")
    assert '<data value="567.00000000">567</data>' in article(page, "NI-15")


def test_each_item_marks_each_hospital_and_indicators_show_three_years(page: str) -> None:
    drawing = article(page, "NI-10")
    for name in ("1 示例一院", "3 示例三院", "2022", "2023", "2024"):
        assert f">{name}</text>" in drawing
    assert drawing.count("<svg") == 2 + len(HOSPITALS)  # two charts, and a mark before each name of the table
    assert article(page, "NI-02").count('role="img"') == 1  # a dossier has no years


def test_page_and_form_show_the_numbers_of_the_marts_and_no_others(page: str, folder: Path) -> None:
    (form,) = write_forms(
        folder / "data", folder / "form", programme_id="national_2021", window_id=WINDOW, specialty_code="0304"
    )
    book = CalamineWorkbook.from_path(form)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            select item_id, hospital_id, value, scale_score from '{folder}/data/fct_item.parquet'
            where specialty_code = '0304' order by hospital_id, item_id
            """
        ).fetchall()
    assert len(rows) == len(HOSPITALS) * 33
    for place, hospital in enumerate(HOSPITALS):
        due = [(value, score) for item, of, value, score in rows if of == hospital]
        sheet = book.get_sheet_by_name(book.sheet_names[2 + place]).to_python(skip_empty_area=False)
        filled = [
            row for row in sheet[4:] if len(row) > 13 and isinstance(row[12], float)
        ]  # a weight: a line of an item
        assert [(row[5], row[11]) for row in filled] == [
            tuple("—" if number is None else float(number) for number in pair) for pair in due
        ]
    for item, hospital, value, score in rows:
        if value is None and all(other is None for name, _, other, _ in rows if name == item):
            continue  # nobody has a value: the item stands among those without a score
        table = article(page, item).partition("<tbody>")[2].split("<tr>")[1:]
        shown = re.findall(r'<data value="([^"]*)">', table[HOSPITALS.index(hospital)])
        assert shown[0] == ("" if value is None else f"{value:f}")
        assert shown[-1] == ("" if score is None else f"{score:f}")


def test_what_is_not_scored_says_why_and_for_whom(page: str) -> None:
    reasons = page[page.index("未计分的计分项与原因") :]
    assert "国家级科研项目数" in reasons and "申报材料未填" in reasons and "示例三院" in reasons


def test_provisional_choices_notices_quality_and_stability_are_told(page: str) -> None:
    assert "<strong>注意</strong>　本次发布由专人放行" in page
    assert page.count("计分办法暂定：") >= 28
    assert '<td class="c">B</td>' in page and "2023 年数据质量" in page
    assert "名次的稳定性" in page and ">90.0%<" in page


def test_a_large_report_is_an_index_with_a_page_per_list(tmp_path: Path) -> None:
    written = report(tmp_path, FEW, largest=50_000)
    assert [path.name for path in written] == ["index.html", "national-0304.html", "national-0402.html"]
    index = written[0].read_text("utf-8")
    assert 'href="national-0402.html"' in index and "<article" not in index
    assert "<article" in written[1].read_text("utf-8")


def test_a_small_report_is_one_page_with_a_list_of_its_sections(tmp_path: Path) -> None:
    (written,) = report(tmp_path, FEW)
    page = written.read_text("utf-8")
    assert 'href="#national-0402"' in page and 'id="national-0402"' in page


def test_equal_marts_give_equal_bytes(tmp_path: Path) -> None:
    (first,), (second,) = report(tmp_path / "a", FEW), report(tmp_path / "b", FEW)
    assert first.read_bytes() == second.read_bytes()


def test_a_crowd_shares_the_last_row_of_a_chart(tmp_path: Path) -> None:
    changes = FEW + "; ".join(
        f"create or replace table {mart} as select * from {mart} union all by name "
        f"select * replace ('C' || lpad(cast(i as varchar), 3, '0') as hospital_id) "
        f"from (select * from {mart}, range(40) r (i) where hospital_id = 'H3'); alter table {mart} drop column i"
        for mart in ("fct_item", "fct_score")
    )
    (written,) = report(tmp_path, changes, specialty_code="0304")
    drawing = article(written.read_text("utf-8"), "NI-02")
    assert ">其余 14 家</text>" in drawing
    assert drawing.count("<tr>") == 1 + 43


def test_who_is_who_is_told_by_shape_as_well_as_by_colour() -> None:
    named = [charts.SLOTS[str(place)] for place in range(1, charts.NAMED + 1)]
    assert len({shape for shape, _ in named}) == len({colour for _, colour in named}) == charts.NAMED


def test_without_a_browser_there_is_a_clear_message_instead_of_a_pdf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing.shutil, "which", lambda name: None)
    page = tmp_path / "index.html"
    with pytest.raises(PrintingError, match="没有报告页"):
        write_pdf(page, tmp_path / "report.pdf")
    page.touch()
    with pytest.raises(PrintingError, match=r"没有 Chromium.*请安装"):
        write_pdf(page, tmp_path / "report.pdf")


@NEEDS_BROWSER
def test_heads_of_tables_sort_by_the_exact_value_and_empty_cells_stay_last(page: str, tmp_path: Path) -> None:
    clicks = """<script>
        var table = document.querySelector("article[aria-labelledby$='NI-18'] table");
        var buttons = table.querySelectorAll("thead button");
        buttons[1].click(); buttons[1].click();  // the names, downwards
        buttons[2].click();  // the values
        document.title = Array.from(table.tBodies[0].rows).map(row => row.cells[1].textContent).join("|")
            + "|" + table.querySelector("[aria-sort]").textContent;
        </script></body>"""
    file = tmp_path / "clicked.html"
    file.write_text(page.replace("</body>", clicks), "utf-8")
    browser = next(filter(None, map(shutil.which, printing.BROWSERS)))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    done = subprocess.run(
        [*command, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title and title[1].split("|") == ["示例一院", "示例三院", "&lt;b&gt;示例&lt;/b&gt;&amp;二院", "数值（项）"]


@NEEDS_BROWSER
def test_a_report_prints_to_pdf(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text('<!doctype html><html lang="zh-CN"><meta charset="utf-8"><p>示例</p></html>', "utf-8")
    write_pdf(page, tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
