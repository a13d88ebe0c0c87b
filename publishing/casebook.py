"""Workbooks that show what numbers are made of: sheets of titled tables, in one look, equal bytes for equal content.

Belongs here: how a table becomes a sheet. Does not belong here: which cases there are and why they count; nothing
here reads a mart or a case.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from expectations.verdict import write_durably

MOST_ROWS = 1_000_000  # a sheet ends at 1,048,576
_EXACT_DIGITS = 15  # a number of a workbook holds no more: longer ones are written as text
_WIDE = {"计入理由": 100, "分组过程": 80, "手术目录": 50, "病例假名": 34, "定义": 60, "说明": 90, "异议内容": 60}


class TooLong(ValueError):
    """A table does not fit into a sheet; the text says in Chinese what to do instead."""


@dataclass(frozen=True)
class Sheet:
    """A table under its title; `choices`: column -> the values that may be filled in."""

    name: str
    titles: Sequence[str]
    rows: Sequence[Sequence[object]]
    notes: Sequence[str] = ()
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, rows: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()) -> Sheet:
        """A sheet of rows by title."""
        titles = list(rows[0]) if rows else ["说明"]
        return cls(name, titles, [list(row.values()) for row in rows] or [["无"]], notes)


def write_casebook(path: Path, title: str, sheets: Sequence[Sheet]) -> None:
    """Write the workbook."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": title, "created": datetime(2000, 1, 1)})
        for sheet in sheets:
            _write_sheet(book, sheet)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, out.getvalue())


def _write_sheet(book: Any, sheet: Sheet) -> None:
    if len(sheet.rows) > MOST_ROWS:
        raise TooLong(
            f"“{sheet.name}”有 {len(sheet.rows):,} 行，超过工作表的上限；请按机构或专科分别查询，或改用 --json。"
        )
    head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    page = book.add_worksheet(sheet.name)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    top = 0
    for note in sheet.notes:
        page.write_string(top, 0, note)
        top += 1
    for place, name in enumerate(sheet.titles):
        page.set_column(place, place, _WIDE.get(name, max(12, 2 * len(name) + 2)))
        page.write_string(top, place, name, head)
    page.freeze_panes(top + 1, 0)
    page.repeat_rows(top)
    for number, row in enumerate(sheet.rows, top + 1):
        for place, value in enumerate(row):
            _write(page, number, place, value, wrapped)
    if sheet.rows:
        page.autofilter(top, 0, top + len(sheet.rows), len(sheet.titles) - 1)
    for name, allowed in sheet.choices.items():
        place = list(sheet.titles).index(name)
        page.data_validation(top + 1, place, top + 200, place, {"validate": "list", "source": list(allowed)})


def _write(page: Any, row: int, column: int, value: object, wrapped: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_string(row, column, "是" if value else "否", wrapped)
    elif isinstance(value, int | Decimal) and len(Decimal(value).normalize().as_tuple().digits) <= _EXACT_DIGITS:
        page.write_number(row, column, value, wrapped)
    elif isinstance(value, Decimal):
        page.write_string(row, column, f"{value:f}", wrapped)
    elif isinstance(value, date):
        page.write_string(row, column, value.isoformat(), wrapped)
    else:
        page.write_string(row, column, str(value), wrapped)
