"""The filled annex as a workbook: an overview of the list, a sheet per candidate hospital, the notes.

Belongs here: sheets, formats and page setup. Values are written as numbers, exact to the eight decimals of the marts,
and shown with the unit and decimals of the registry; a cell without a score says why. Does not belong here: what the
annex prints (layout), what the marts hold (publishing.candidates).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from expectations.verdict import write_durably
from publishing.candidates import (
    DIRECTIONS,
    MISSING,
    SCALES,
    SOURCES,
    VALUED,
    Candidate,
    CandidateList,
    Marts,
    Row,
    list_notes,
    places,
    provisional_note,
)
from publishing.forms.layout import Layout, Line, annex_lines, load_layout, spans

_PRINTED = 4  # columns of the annex
_FILLED = (
    ("计分项", 24),
    ("数值", 12),
    ("单位", 7),
    ("分子", 13),
    ("分母", 12),
    ("例数", 9),
    ("数据窗口", 10),
    ("得分", 8),
    ("权重", 6),
    ("未计分的原因与注", 30),
)
_WIDTHS = (7, 12, 15, 26)
_COVER, _OVERVIEW, _NOTES = "说明", "汇总", "注释"
_LINE_HEIGHT = 15
_MOST_ON_A_PAGE = 12  # hospitals beside each other that can still be read on one page
_CREATED = datetime(2000, 1, 1)  # a form is known by its window; equal values give equal bytes on any day


def write_forms(
    data: Path,
    target: Path,
    *,
    programme_id: str,
    window_id: str,
    specialty_code: str | None = None,
    notices: Sequence[str] = (),
) -> list[Path]:
    """One workbook per tier and specialty in `target`, from the marts in `data`; equal marts give equal bytes."""
    layout = load_layout(programme_id)
    written = []
    with Marts(data, programme_id, window_id, specialty_code) as marts:
        inside, outside = annex_lines(layout, marts.items)
        target.mkdir(parents=True, exist_ok=True)
        for found in marts.lists():
            path = target / f"{found.name}.xlsx"
            notes = list_notes(marts, found.programme, notices)
            write_durably(path, _Form(layout, inside, outside, found, notes).content())
            written.append(path)
    return written


class _Form:
    """One workbook."""

    def __init__(
        self,
        layout: Layout,
        inside: Sequence[Line],
        outside: Sequence[Line],
        found: CandidateList,
        notes: Sequence[str],
    ) -> None:
        self._layout, self._inside, self._outside = layout, inside, outside
        self._list, self._notes = found, notes
        noted = [line.item for line in (*inside, *outside) if provisional_note(line.item)]
        self._note_numbers = {item["item_id"]: number for number, item in enumerate(noted, 1)}
        self._heights = dict(chain(self._line_heights(inside), self._line_heights(outside)))

    def content(self) -> bytes:
        import xlsxwriter

        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            book.set_properties({"title": self._layout.title, "subject": self._list.title_zh, "created": _CREATED})
            self._formats = _Formats(book)
            self._cover(book.add_worksheet(_COVER))
            self._overview(book.add_worksheet(_OVERVIEW))
            for number, candidate in enumerate(self._list.candidates, 1):
                self._hospital(book.add_worksheet(_sheet_name(number, candidate)), candidate)
            self._note_sheet(book.add_worksheet(_NOTES))
        return out.getvalue()

    def _cover(self, sheet: Any) -> None:
        """What the workbook is, what binds the whole list, and where each hospital's sheet lies."""
        widths = (8, 40, 8, 10, 10, 12, 40)
        _page(sheet, widths)
        row = self._head(sheet, len(widths), "候选专科与名次")
        for note in self._notes:
            row = self._wide(sheet, row, note, sum(widths), len(widths))
        head = ("序号", "医院", "名次", "总分", "覆盖率", "同类机构", "无名次的原因")
        row += 1
        for column, title in enumerate(head):
            sheet.write_string(row, column, title, self._formats.head)
        sheet.repeat_rows(row)
        for number, one in enumerate(self._list.candidates, 1):
            row += 1
            sheet.write_number(row, 0, number, self._formats.number("0"))
            sheet.write_url(row, 1, f"internal:'{_sheet_name(number, one)}'!A1", self._formats.link, string=one.name_zh)
            self._number(sheet, row, 2, one.rank, "0")
            self._number(sheet, row, 3, one.total["score"], "0.00")
            self._number(sheet, row, 4, one.total["coverage"], "0.0%")
            sheet.write_string(row, 5, "是" if one.is_peer else "否", self._formats.text)
            sheet.write_string(row, 6, one.total["rank_reason"] or "", self._formats.text)
            sheet.set_row(row, _height([(one.name_zh, 40), (one.total["rank_reason"] or "", 40)]))

    def _overview(self, sheet: Any) -> None:
        """The annex with a column per hospital, in the order of the ranks."""
        widths = (*_WIDTHS, 24, 7, *(13 for _ in self._list.candidates))
        _page(sheet, widths)
        sheet.fit_to_pages(-(-len(self._list.candidates) // _MOST_ON_A_PAGE), 0)
        row = self._head(sheet, min(len(widths), _PRINTED + 2 + _MOST_ON_A_PAGE), "各医院数值一览")
        names = [one.name_zh for one in self._list.candidates]
        heads = (*self._layout.headings, "计分项", "单位", *names)
        sheet.set_row(row, _height([(name, 13) for name in names]))
        for column, title in enumerate(heads):
            sheet.write_string(row, column, title, self._formats.head)
        sheet.repeat_rows(row)
        sheet.repeat_columns(0, _PRINTED + 1)
        sheet.freeze_panes(row + 1, _PRINTED + 2)
        row += 1
        for title, key, pattern in (("名次", "rank", "0"), ("总分", "score", "0.00"), ("覆盖率", "coverage", "0.0%")):
            sheet.merge_range(row, 0, row, _PRINTED, title, self._formats.centred)
            sheet.write_string(row, _PRINTED + 1, "", self._formats.text)
            for column, one in enumerate(self._list.candidates, _PRINTED + 2):
                self._number(sheet, row, column, one.total[key], pattern)
            row += 1

        def fill(sheet: Any, row: int, line: Line) -> None:
            item = line.item
            sheet.write_string(row, _PRINTED, self._item_title(item), self._formats.text)
            sheet.write_string(row, _PRINTED + 1, item["unit"] or "", self._formats.text)
            for column, one in enumerate(self._list.candidates, _PRINTED + 2):
                self._value(sheet, row, column, item, one.cells.get(item["item_id"]))

        row = self._annex(sheet, row, self._inside, fill)
        self._annex(sheet, self._outside_head(sheet, row, _PRINTED + 2), self._outside, fill)

    def _hospital(self, sheet: Any, candidate: Candidate) -> None:
        """The annex of one hospital with everything behind each value."""
        widths = (*_WIDTHS, *(width for _, width in _FILLED))
        _page(sheet, widths)
        row = self._head(sheet, len(widths), f"{candidate.name_zh}（{candidate.hospital_id}）")
        for column, title in enumerate((*self._layout.headings, *(title for title, _ in _FILLED))):
            sheet.write_string(row, column, title, self._formats.head)
        sheet.repeat_rows(row)
        sheet.freeze_panes(row + 1, 0)

        def fill(sheet: Any, row: int, line: Line) -> None:
            self._filled(sheet, row, line.item, candidate.cells.get(line.item["item_id"]))

        row = self._annex(sheet, row + 1, self._inside, fill)
        row = self._annex(sheet, self._outside_head(sheet, row, len(widths)), self._outside, fill)
        row = self._scores(sheet, row + 1, candidate)
        for note in self._notes:
            row = self._wide(sheet, row, note, sum(widths), len(widths))
        self._wide(sheet, row, f"〔注〕的内容见“{_NOTES}”表。", sum(widths), len(widths))

    def _annex(self, sheet: Any, row: int, lines: Sequence[Line], fill: Any) -> int:
        """The printed cells, merged as in the annex, and what `fill` writes beside them; the next free row."""
        for offset, line in enumerate(lines):
            fill(sheet, row + offset, line)
            sheet.set_row(row + offset, self._heights[line.item["item_id"]])
        for span in spans(lines):
            place = (row + span.first, span.column, row + span.last, span.column)
            style = self._formats.centred if span.column == 0 else self._formats.printed
            if span.first == span.last:
                sheet.write_string(*place[:2], span.text, style)
            else:
                sheet.merge_range(*place, span.text, style)
        return row + len(lines)

    def _line_heights(self, lines: Sequence[Line]) -> Iterator[tuple[str, float]]:
        """High enough for the texts of each line on any sheet, with merged texts spread over their lines."""
        texts = []
        for line in lines:
            cells = (one.cells.get(line.item["item_id"], {}) for one in self._list.candidates)
            reason = max((cell.get("status_reason") or "" for cell in cells), key=len, default="")
            texts.append([(self._item_title(line.item), 24), (reason, 30)])
        for span in spans(lines):
            share = -(-len(span.text) // (span.last - span.first + 1))
            for offset in range(span.first, span.last + 1):
                texts[offset].append((span.text[:share], _WIDTHS[span.column]))
        for line, found in zip(lines, texts, strict=True):
            yield line.item["item_id"], _height(found)

    def _filled(self, sheet: Any, row: int, item: Row, cell: Row | None) -> None:
        sheet.write_string(row, _PRINTED, self._item_title(item), self._formats.text)
        self._value(sheet, row, _PRINTED + 1, item, cell)
        sheet.write_string(row, _PRINTED + 2, item["unit"] or "", self._formats.text)
        known: Row = cell or {}
        for column, key in ((3, "numerator"), (4, "denominator"), (5, "case_count")):
            self._number(sheet, row, _PRINTED + column, known.get(key), "#,##0.########")
        window = known.get("data_window") or item["printed_window"] or ""
        sheet.write_string(row, _PRINTED + 6, window, self._formats.text)
        self._number(sheet, row, _PRINTED + 7, known.get("scale_score"), "0.00")
        self._number(sheet, row, _PRINTED + 8, known.get("weight"), "0")
        reason = known.get("status_reason") or ("" if known.get("status") == VALUED else "不在本名单的计分范围")
        sheet.write_string(row, _PRINTED + 9, reason, self._formats.text)

    def _value(self, sheet: Any, row: int, column: int, item: Row, cell: Row | None) -> None:
        """A choice as it was entered, a number in the unit of its item, or a dash."""
        if cell and cell["choice"]:
            sheet.write_string(row, column, cell["choice"], self._formats.centred)
        elif cell and cell["value"] is not None:
            decimals = places(item, cell["value"])
            pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + ("%" if item["is_percentage"] else "")
            self._number(sheet, row, column, cell["value"], pattern)
        else:
            sheet.write_string(row, column, "—", self._formats.centred)

    def _number(self, sheet: Any, row: int, column: int, value: Decimal | int | None, pattern: str) -> None:
        """A spreadsheet holds binary numbers of 15 digits, which keep the eight decimals of a mart."""
        if value is None:
            sheet.write_string(row, column, "—", self._formats.centred)
            return
        if pattern.endswith("########"):
            pattern = "#,##0" if value == int(value) else "#,##0.00"
        sheet.write_number(row, column, float(value), self._formats.number(pattern))

    def _scores(self, sheet: Any, row: int, candidate: Candidate) -> int:
        """Scores by first-level heading, and the total with its coverage and rank."""
        lines: list[tuple[str, Row]] = [(group["group_zh"], group) for group in candidate.groups.values()]
        last = _PRINTED + len(_FILLED) - 1
        sheet.merge_range(row, 0, row, 1, "得分汇总", self._formats.head)
        sheet.write_string(row, 2, "得分", self._formats.head)
        sheet.write_string(row, 3, "覆盖率", self._formats.head)
        sheet.merge_range(row, 4, row, last, "未计入的计分项", self._formats.head)
        for title, score in [*lines, ("总分", candidate.total)]:
            row += 1
            sheet.merge_range(row, 0, row, 1, title, self._formats.printed)
            self._number(sheet, row, 2, score["score"], "0.00")
            self._number(sheet, row, 3, score["coverage"], "0.0%")
            missing = score["missing_items"] or ""
            sheet.merge_range(row, 4, row, last, missing, self._formats.text)
            sheet.set_row(row, _height([(missing, 130), (title, 18)]))
        row += 1
        rank = "无" if candidate.rank is None else str(candidate.rank)
        reason = candidate.total["rank_reason"]
        sheet.merge_range(row, 0, row, 1, "名次", self._formats.printed)
        sheet.merge_range(row, 2, row, last, f"{rank}（{reason}）" if reason else rank, self._formats.text)
        return row + 2

    def _note_sheet(self, sheet: Any) -> None:
        """What is provisional, item by item, and how each item is computed."""
        widths = (7, 24, 10, 12, 16, 6, 8, 8, 16, 62)
        _page(sheet, widths)
        row = self._head(sheet, len(widths), "计分项的来源、计分办法与暂定事项")
        head = ("注", "计分项", "来源", "导向", "计分办法", "权重", "最低例数", "缺失", "条款", "口径与暂定事项")
        for column, title in enumerate(head):
            sheet.write_string(row, column, title, self._formats.head)
        sheet.repeat_rows(row)
        for line in (*self._inside, *self._outside):
            item = line.item
            row += 1
            definition = item["indicator"]["definition_zh"] if item["indicator"] else ""
            words = "。".join(part for part in (definition, provisional_note(item)) if part)
            number = self._note_numbers.get(item["item_id"])
            cells = (
                f"〔注{number}〕" if number else "",
                item["title_zh"],
                SOURCES[item["source"]],
                DIRECTIONS[item["direction"]],
                SCALES[item["scale_method"]],
                str(item["weight"]),
                str(item["min_cases"] or "—"),
                MISSING[item["missing_policy"]],
                item["clause"],
                words,
            )
            for column, value in enumerate(cells):
                sheet.write_string(row, column, value, self._formats.text)
            sheet.set_row(row, _height(list(zip(cells, widths, strict=True))))

    def _head(self, sheet: Any, columns: int, subject: str) -> int:
        """Attachment, title and subject over the whole width; the row of the column heads."""
        sheet.write_string(0, 0, self._layout.attachment, self._formats.attachment)
        sheet.merge_range(1, 0, 1, columns - 1, self._layout.title, self._formats.title)
        sheet.merge_range(2, 0, 2, columns - 1, f"{self._list.title_zh}　{subject}", self._formats.subject)
        sheet.set_row(1, 26)
        sheet.set_row(2, 20)
        sheet.set_footer(f"&L{self._list.window['window_id']}&C第 &P 页，共 &N 页&R&A")
        return 3

    def _outside_head(self, sheet: Any, row: int, columns: int) -> int:
        if not self._outside:
            return row
        sheet.merge_range(row, 0, row, columns - 1, self._layout.outside, self._formats.head)
        return row + 1

    def _wide(self, sheet: Any, row: int, words: str, width: float, columns: int) -> int:
        sheet.merge_range(row, 0, row, columns - 1, words, self._formats.note)
        sheet.set_row(row, _height([(words, width)]))
        return row + 1

    def _item_title(self, item: Row) -> str:
        number = self._note_numbers.get(item["item_id"])
        return f"{item['title_zh']}〔注{number}〕" if number else str(item["title_zh"])


class _Formats:
    """One look for all sheets; number formats are made when they are first needed."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[str, Any] = {}
        cell = {"border": 1, "text_wrap": True, "valign": "vcenter", "font_name": "宋体", "font_size": 10}
        self._cell = cell
        self.text = book.add_format(cell)
        self.printed = book.add_format(cell | {"align": "center"})
        self.centred = book.add_format(cell | {"align": "center"})
        self.link = book.add_format(cell | {"font_color": "#0B4F8A", "underline": 1})
        self.head = book.add_format(cell | {"bold": True, "align": "center", "bg_color": "#E8EEF4"})
        plain = {"font_name": "宋体", "text_wrap": True, "valign": "vcenter"}
        self.attachment = book.add_format({"font_name": "黑体", "font_size": 12})
        self.title = book.add_format(plain | {"bold": True, "font_size": 16, "align": "center"})
        self.subject = book.add_format(plain | {"font_size": 11, "align": "center"})
        self.note = book.add_format(plain | {"font_size": 9})

    def number(self, pattern: str) -> Any:
        if pattern not in self._numbers:
            self._numbers[pattern] = self._book.add_format(self._cell | {"num_format": pattern, "align": "right"})
        return self._numbers[pattern]


def _page(sheet: Any, widths: Sequence[float]) -> None:
    """A4 across, one page wide, narrow margins."""
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.center_horizontally()


def _height(texts: Sequence[tuple[str, float]]) -> float:
    """Row height in points for wrapped texts in columns of given widths; a Chinese character is two wide."""
    lines = 1
    for words, width in texts:
        wide = sum(2 if ord(letter) > 0x2E7F or letter in "“”—…" else 1 for letter in words)
        lines = max(lines, -(-wide // max(1, int(width) - 2)))
    return float(min(lines * _LINE_HEIGHT + 3, 400))


def _sheet_name(number: int, candidate: Candidate) -> str:
    """Within the 31 characters and the forbidden signs of a spreadsheet; the number keeps it unique."""
    name = "".join(letter for letter in candidate.name_zh if letter not in "[]:*?/\\'")
    return f"{number} {name}"[:31]
