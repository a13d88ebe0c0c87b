"""The error workbook of one hospital's month: what is wrong, where in its own file, and what to do until when.

Belongs here: sheets, columns and words of the workbook, and the comparison of two lists of faults. Does not belong
here: finding faults. No value of a row enters a workbook, only the kind of value that was found; a row is named by
the file and the line in which its sender finds it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from expectations.verdict import write_durably

_MOST_ROWS = 100_000  # a workbook with more lines helps nobody; the summary still counts them all


@dataclass(frozen=True)
class Fault:
    """One fault of one row; `key` finds the row again in another version of the file, empty where nothing does."""

    file: str
    line: int
    key: str
    code: str
    field: str
    title: str
    found: str
    expected: str
    remedy: str
    group: int = 0  # rows of one number belong together; 0 for a fault of one row alone

    def in_group(self, number: int) -> Fault:
        """The same fault as one of several rows."""
        return replace(self, group=number)


@dataclass(frozen=True)
class Standing:
    """A hospital's month among the hospitals of that month; place 1 has the smallest share of faulty rows."""

    month: str
    rows: int
    faulty: int
    place: int
    peers: int


@dataclass(frozen=True)
class Total:
    """A rule that speaks of the month as a whole, as published."""

    title: str
    remedy: str
    checked: int
    violated: int


@dataclass(frozen=True)
class Feedback:
    """Everything that goes into one workbook."""

    organisation_id: str
    month: str
    issued: date
    deadline: date
    faults: Sequence[Fault]
    replaced: Sequence[str]
    earlier: Sequence[Fault]
    trend: Sequence[Standing]
    totals: Sequence[Total]
    held_back: Sequence[str] = ()
    notices: Sequence[str] = ()  # of decisions about the gate that hold for this month


@dataclass(frozen=True)
class Change:
    """What became of one kind of fault from the replaced file to the present one, in rows."""

    title: str
    field: str
    before: int
    mended: int
    kept: int
    new: int


def compare(earlier: Sequence[Fault], faults: Sequence[Fault]) -> list[Change]:
    """Kind by kind: rows that had the fault and have it no more, rows that still have it, rows that have it now.

    Rows are matched by their key; those without one (lines that cannot be read) only by their number. Faults of several
    rows are not compared: only the version in force is searched for them.
    """
    before, after = _by_kind(earlier), _by_kind(faults)
    changes = []
    for kind in sorted(before.keys() | after.keys()):
        old, new = before[kind], after[kind]
        kept = sum((old & new).values())
        changes.append(Change(kind[0], kind[1], old.total(), old.total() - kept, kept, new.total() - kept))
    return changes


def _by_kind(faults: Sequence[Fault]) -> defaultdict[tuple[str, str], Counter[str]]:
    kinds: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for fault in faults:
        if not fault.group:
            kinds[fault.title, fault.field][fault.key] += 1
    return kinds


def write_feedback(path: Path, feedback: Feedback) -> None:
    """Write the workbook; equal faults on equal days give equal bytes."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties(
            {"title": "数据质量反馈", "created": datetime.combine(feedback.issued, datetime.min.time())}
        )
        sheets = _Sheets(book)
        _summary(sheets, feedback)
        _rows(sheets, feedback)
        if feedback.replaced:
            _comparison(sheets, feedback)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, out.getvalue())


def write_refused(path: Path, refused: Sequence[tuple[str, str]]) -> int:
    """Files that were refused as a whole, with the reason: no hospital can be told from what cannot be read."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("文件", "原因与处理"))
    writer.writerows(refused)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, out.getvalue().encode("utf-8-sig"))
    return len(refused)


class _Sheets:
    """Adds sheets of one look; every text is written as text, so that nothing becomes a formula."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True})
        self._share = book.add_format({"num_format": "0.00%"})
        self._title = book.add_format({"bold": True, "font_size": 14})

    def add(self, name: str, widths: Sequence[int]) -> Any:
        sheet = self._book.add_worksheet(name)
        for place, width in enumerate(widths):
            sheet.set_column(place, place, width)
        return sheet

    def title(self, sheet: Any, row: int, text: str) -> int:
        sheet.write_string(row, 0, text, self._title)
        return row + 1

    def table(self, sheet: Any, row: int, head: Sequence[str], lines: Sequence[Sequence[object]]) -> int:
        for place, text in enumerate(head):
            sheet.write_string(row, place, text, self._head)
        for line in lines:
            row += 1
            for place, value in enumerate(line):
                if isinstance(value, float):
                    sheet.write_number(row, place, value, self._share)
                elif isinstance(value, int):
                    sheet.write_number(row, place, value)
                else:
                    sheet.write_string(row, place, str(value))
        return row + 2


def _summary(sheets: _Sheets, feedback: Feedback) -> None:
    sheet = sheets.add("汇总", (46, 44, 14, 40, 14))
    row = sheets.title(sheet, 0, f"数据质量反馈：{feedback.organisation_id}　{feedback.month}")
    facts = [
        ("出具日期", feedback.issued.isoformat()),
        ("整改期限", f"{feedback.deadline.isoformat()}（工作日按周一至周五计，遇法定节假日以通知为准）"),
        ("如何整改", "按“明细”中的文件与行号在来源系统更正，重新导出并报送整月；行号以表头为第 1 行，空行不计"),
        ("组", "“明细”中同一组号的各行互相重复或矛盾，须对照着核对"),
        ("说明", "本表不含任何患者身份信息，也不含字段的原值，只写明值的类别"),
        *(("本次报送暂不采用", why) for why in feedback.held_back),
        *(("注意", notice) for notice in feedback.notices),
    ]
    row = sheets.table(sheet, row, ("项目", "内容"), facts)
    kinds = Counter((f.title, f.field, f.remedy) for f in feedback.faults)
    lines = [
        (title, field, count, remedy)
        for (title, field, remedy), count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    ]
    row = sheets.title(sheet, row, "逐项汇总")
    row = sheets.table(sheet, row, ("规则或原因", "字段", "行数", "处理办法"), lines)
    if feedback.totals:
        row = sheets.title(sheet, row, "按月计数的规则（无法指到单行，取自已发布的质控结果）")
        totals = [(t.title, f"{t.violated} / {t.checked}", t.remedy) for t in feedback.totals]
        row = sheets.table(sheet, row, ("规则", "违反数 / 检查数", "处理办法"), totals)
    row = sheets.title(sheet, row, "各月走势与同行位次（第 1 位问题行占比最小）")
    trend = [
        (s.month, f"{s.place} / {s.peers}", s.faulty, s.rows, s.faulty / s.rows if s.rows else 0.0)
        for s in feedback.trend
    ]
    sheets.table(sheet, row, ("月份", "位次 / 机构数", "问题行", "总行数", "问题行占比"), trend)


def _rows(sheets: _Sheets, feedback: Feedback) -> None:
    sheet = sheets.add("明细", (40, 8, 40, 40, 34, 40, 60, 12, 8))
    head = ("文件", "行号", "字段", "规则或原因", "发现的值的类别", "应为", "处理办法", "整改期限", "组")
    lines: list[Sequence[object]] = [
        (f.file, f.line, f.field, f.title, f.found, f.expected, f.remedy, feedback.deadline.isoformat(), f.group or "")
        for f in feedback.faults[:_MOST_ROWS]
    ]
    sheets.table(sheet, 0, head, lines)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(lines), 1), len(head) - 1)
    if len(feedback.faults) > _MOST_ROWS:
        sheet.write_string(len(lines) + 1, 0, f"只列出前 {_MOST_ROWS} 条，共 {len(feedback.faults)} 条")


def _comparison(sheets: _Sheets, feedback: Feedback) -> None:
    sheet = sheets.add("与上一版对比", (46, 40, 12, 12, 12, 12))
    row = sheets.title(sheet, 0, f"被替换的文件：{'、'.join(feedback.replaced)}")
    lines = [(c.title, c.field, c.before, c.mended, c.kept, c.new) for c in compare(feedback.earlier, feedback.faults)]
    sheets.table(sheet, row, ("规则或原因", "字段", "上一版", "已改正", "仍存在", "新出现"), lines)
