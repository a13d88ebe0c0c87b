"""The specialty dossier (专科申报材料): the workbook a hospital fills in, and its way back into rows.

Belongs here: writing the template from ``reference/dossier_items.csv``, reading a filled workbook into the
columns of the ``dossier_item`` contract, and filling demo workbooks.  Does not belong here: typing and
landing of those rows (``sources/landing.py``) and what an answer is worth (``dbt/``).

A workbook with a fault is refused as a whole: a dossier is one statement of one department, and half of it
would look like a complete one.  All faults are reported together, each with sheet and cell.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sources.connectors.problems import FileRefused
from sources.contract import REFERENCE_DIR, contracts_of

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

TEMPLATE_ID = "zhuanke-dossier"
TEMPLATE_VERSION = "1"

_META_SHEET = "_template"
_IDENTITY_LABELS = ("机构代码", "专科代码", "填报日期", "填报人")
_WIDTHS = {
    "项目代码": 10,
    "填报项目": 38,
    "填报内容": 44,
    "单位": 8,
    "时间窗": 12,
    "填写说明": 40,
    "依据条款": 34,
    "证明材料": 30,
    "审核评分": 10,
    "审核人": 12,
}
_COLUMNS = tuple(_WIDTHS)
_CODE, _TITLE, _VALUE, _UNIT, _PERIOD, _NOTE, _CLAUSE, _EVIDENCE, _SCORE, _REVIEWER = range(len(_COLUMNS))
_TEXT_LIMIT = 2000
_SCORE_UNIT = "分"
# XlsxWriter stamps the creation time; a fixed one makes equal content equal bytes
_CREATED = datetime(2024, 1, 1)
_ORGANISATION = re.compile(r"[0-9A-Z]{9,22}")


class DossierError(FileRefused):
    """A workbook that cannot be read as a dossier; ``problems`` says, in Chinese, what is wrong and where."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("bad_workbook", "；".join(self.problems) + "。")


class DossierItem(NamedTuple):
    """One line of the template."""

    item_code: str
    sheet: str
    title_zh: str
    unit: str
    value_kind: str
    choices: tuple[str, ...]
    period: str
    clause: str
    note_zh: str


class Answer(NamedTuple):
    """What a department entered for an item; ``score`` is the reviewer's, for text and choice items only."""

    value: str | int | float
    evidence: str = ""
    reviewer: str = ""
    score: float | None = None


def _reference(name: str) -> list[dict[str, str]]:
    with (REFERENCE_DIR / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def dossier_items() -> dict[str, DossierItem]:
    """The items of the template by code, in the order in which they are printed."""
    return {
        row["item_code"]: DossierItem(
            row["item_code"],
            row["sheet"],
            row["title_zh"],
            row["unit"],
            row["value_kind"],
            tuple(row["choices"].split("|")) if row["choices"] else (),
            row["period"],
            row["clause"],
            row["note_zh"],
        )
        for row in _reference("dossier_items.csv")
    }


@cache
def _specialties() -> dict[str, str]:
    return {row["specialty_code"]: row["name_zh"] for row in _reference("specialties.csv")}


@cache
def dossier_header() -> list[str]:
    """Columns of the rows that :func:`dossier_to_rows` gives: the sources of the contract, in its order."""
    return [field.source for field in contracts_of("dossier_item")[0].fields]


# --- writing --------------------------------------------------------------------------------------


def write_template(
    path: Path,
    *,
    organisation_id: str | None = None,
    specialty_code: str | None = None,
    answers: Mapping[str, Answer] | None = None,
) -> Path:
    """Write the workbook: one sheet per topic, drop-downs, notes, units, and only the entry cells unlocked.

    ``answers`` (item code → answer) fills it; without them it is the empty template.
    Equal arguments give equal bytes.
    """
    import xlsxwriter

    answers = answers or {}
    unknown = sorted(set(answers) - set(dossier_items()))
    if unknown:
        raise ValueError(f"没有这些填报项目：{'、'.join(unknown)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"title": "专科申报材料", "created": _CREATED})
        formats = _formats(book)
        sheets: dict[str, list[DossierItem]] = {}
        for item in dossier_items().values():
            sheets.setdefault(item.sheet, []).append(item)
        for number, (name, items) in enumerate(sheets.items()):
            sheet = book.add_worksheet(name)
            identity = (organisation_id or "", specialty_code or "", "", "") if number == 0 else None
            _write_sheet(sheet, formats, name, items, identity, answers)
        meta = book.add_worksheet(_META_SHEET)
        for row, (key, value) in enumerate((("template", TEMPLATE_ID), ("version", TEMPLATE_VERSION))):
            meta.write_string(row, 0, key)
            meta.write_string(row, 1, value)
        meta.protect()
        meta.very_hidden()
    return path


def _formats(book: Any) -> dict[str, Any]:
    grid = {"border": 1, "border_color": "#B7C4D1", "valign": "vcenter", "text_wrap": True, "font_size": 10}
    entry = {**grid, "locked": False, "bg_color": "#FFFBE6"}
    return {
        "title": book.add_format({"bold": True, "font_size": 14, "font_color": "#1F3A5F"}),
        "hint": book.add_format({"italic": True, "font_color": "#5B6B7B", "font_size": 9}),
        "head": book.add_format({**grid, "bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF"}),
        "label": book.add_format({**grid, "bg_color": "#F3F6F9"}),
        "note": book.add_format({**grid, "font_color": "#5B6B7B", "font_size": 9}),
        # text format, so that a code such as 0304 keeps its zero
        "text": book.add_format({**entry, "num_format": "@"}),
        "number": book.add_format({**entry, "num_format": "#,##0.##", "align": "right"}),
    }


def _write_sheet(
    sheet: Any,
    formats: dict[str, Any],
    name: str,
    items: Sequence[DossierItem],
    identity: tuple[str, ...] | None,
    answers: Mapping[str, Answer],
) -> None:
    sheet.write_string(0, 0, f"专科申报材料 · {name}", formats["title"])
    hint = "只填浅黄色单元格；没有内容的项目留空；证明材料填文件名，多个用分号隔开。"
    sheet.write_string(1, 0, hint, formats["hint"])
    row = 2
    for label, value in zip(_IDENTITY_LABELS if identity is not None else (), identity or (), strict=True):
        sheet.write_string(row, 0, label, formats["label"])
        sheet.write_string(row, 1, value, formats["text"])
        row += 1
    for column, (title, width) in enumerate(_WIDTHS.items()):
        sheet.write_string(row, column, title, formats["head"])
        sheet.set_column(column, column, width)
    sheet.freeze_panes(row + 1, _VALUE)
    for item in items:
        row += 1
        _write_item(sheet, formats, row, item, answers.get(item.item_code))
    sheet.protect("", {"format_columns": True, "format_rows": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _write_item(sheet: Any, formats: dict[str, Any], row: int, item: DossierItem, answer: Answer | None) -> None:
    sheet.write_string(row, _CODE, item.item_code, formats["label"])
    sheet.write_string(row, _TITLE, item.title_zh, formats["label"])
    sheet.write_comment(row, _TITLE, f"{item.clause}\n{item.note_zh}".strip(), {"author": "", "x_scale": 2})
    sheet.write_string(row, _UNIT, item.unit, formats["label"])
    sheet.write_string(row, _PERIOD, item.period, formats["label"])
    sheet.write_string(row, _NOTE, item.note_zh, formats["note"])
    sheet.write_string(row, _CLAUSE, item.clause, formats["note"])
    cell = formats["number" if item.value_kind == "number" else "text"]
    _write_value(sheet, row, _VALUE, answer.value if answer else None, cell)
    sheet.write_string(row, _EVIDENCE, answer.evidence if answer else "", formats["text"])
    scored = item.value_kind in ("text", "choice")
    score_cell = formats["number" if scored else "label"]
    _write_value(sheet, row, _SCORE, answer.score if answer else None, score_cell)
    sheet.write_string(row, _REVIEWER, answer.reviewer if answer else "", formats["text"])
    sheet.data_validation(row, _VALUE, row, _VALUE, _validation(item))
    if scored:
        sheet.data_validation(row, _SCORE, row, _SCORE, _between(0, 100, "审核评分为 0 至 100 的数字"))


def _write_value(sheet: Any, row: int, column: int, value: str | float | None, cell: Any) -> None:
    """Text stays text: XlsxWriter's generic write would turn an answer that begins with = into a formula."""
    if value is None:
        sheet.write_blank(row, column, None, cell)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, cell)
    else:
        sheet.write_number(row, column, value, cell)


def _between(low: int, high: int, message: str) -> dict[str, Any]:
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": low,
        "maximum": high,
        "error_title": "数值不对",
        "error_message": message,
    }


def _validation(item: DossierItem) -> dict[str, Any]:
    options: dict[str, Any]
    if item.value_kind == "number":
        options = _between(0, _highest(item), f"请填 0 至 {_highest(item)} 的数字，不写单位")
    elif item.value_kind == "text":
        options = {
            "validate": "length",
            "criteria": "<=",
            "value": _TEXT_LIMIT,
            "error_title": "内容过长",
            "error_message": f"不超过 {_TEXT_LIMIT} 字，详细内容请放入证明材料",
        }
    else:
        allowed = _allowed(item)
        options = {
            "validate": "list",
            "source": list(allowed),
            "error_title": "请从下拉中选择",
            "error_message": f"可选：{'、'.join(allowed)}",
        }
    return {**options, "input_title": item.item_code, "input_message": (item.note_zh or item.clause)[:250]}


def _highest(item: DossierItem) -> int:
    return 100 if item.unit == "%" else 1_000_000_000


def _allowed(item: DossierItem) -> tuple[str, ...]:
    return ("是", "否") if item.value_kind == "flag" else item.choices


# --- reading --------------------------------------------------------------------------------------


def is_dossier(workbook: CalamineWorkbook) -> bool:
    """Whether an opened workbook was written by :func:`write_template`, in whatever version."""
    return _META_SHEET in workbook.sheet_names


def dossier_to_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and text rows of a filled workbook in template order; unanswered items give no row."""
    rows = read_dossier(path)
    header = dossier_header()
    return header, [[row[column] for column in header] for row in rows]


def read_dossier(path: Path, *, organisations: Collection[str] | None = None) -> list[dict[str, str]]:
    """Answered items of a filled workbook as text, keyed by the contract's source columns.

    A number or flag (是 = 1, 否 = 0) lands in ``数值``; the reviewer's score of a text or choice item lands
    there too, with the unit 分.  With ``organisations`` the organisation must be one of them.
    Raises :class:`DossierError` with every fault found.
    """
    sheets = _load(path)
    problems: list[str] = []
    organisation, specialty = _identity(sheets, organisations, problems)
    rows: list[dict[str, str]] = []
    seen: set[str] = set()
    for sheet, cells in sheets.items():
        if sheet == _META_SHEET:
            continue
        start = _header_row(cells)
        if start is None:
            problems.append(f"工作表“{sheet}”没有表头“{'、'.join(_COLUMNS)}”")
            continue
        for index in range(start + 1, len(cells)):
            row = _read_line(sheet, index, cells[index], seen, problems)
            if row:
                rows.append({"机构代码": organisation, "专科代码": specialty, **row})
    missing = sorted({item.sheet for item in dossier_items().values()} - set(sheets))
    problems.extend(f"缺少工作表“{name}”" for name in missing)
    if not rows and not problems:
        problems.append("没有填写任何项目")
    if problems:
        raise DossierError(problems)
    order = {code: place for place, code in enumerate(dossier_items())}
    return sorted(rows, key=lambda row: order[row["项目代码"]])


def _load(path: Path) -> dict[str, list[list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(path) as book:
            sheets = {
                # row and column numbers stay those that the hospital sees in Excel
                name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                for name in book.sheet_names
            }
    except (CalamineError, OSError) as error:
        raise DossierError([f"不能作为 Excel 工作簿打开（{type(error).__name__}）"]) from error
    meta = {_text(row[0]): _text(row[1]) for row in sheets.get(_META_SHEET, []) if len(row) > 1}
    if meta.get("template") != TEMPLATE_ID:
        raise DossierError(["不是由本系统生成的专科申报材料模板"])
    if meta.get("version") != TEMPLATE_VERSION:
        found = meta.get("version")
        raise DossierError([f"模板版本是 {found}，当前版本是 {TEMPLATE_VERSION}，请用新模板填报"])
    return sheets


def _identity(
    sheets: Mapping[str, list[list[Any]]], organisations: Collection[str] | None, problems: list[str]
) -> tuple[str, str]:
    first = next(iter(dossier_items().values())).sheet
    values = {
        _text(row[0]): _text(row[1])
        for row in sheets.get(first, [])
        if len(row) > 1 and _text(row[0]) in _IDENTITY_LABELS
    }
    organisation, specialty = values.get("机构代码", ""), values.get("专科代码", "")
    if not _ORGANISATION.fullmatch(organisation):
        problems.append(f"工作表“{first}”的机构代码应为 9 至 22 位的数字或大写字母")
    elif organisations is not None and organisation not in organisations:
        problems.append(f"机构代码“{organisation}”不在医疗机构登记册中")
    if specialty not in _specialties():
        problems.append(f"工作表“{first}”的专科代码不在诊疗科目表中（例如心血管内科为 0304）")
    return organisation, specialty


def _header_row(cells: Sequence[Sequence[Any]]) -> int | None:
    for index, row in enumerate(cells):
        if tuple(_text(value) for value in row[: len(_COLUMNS)]) == _COLUMNS:
            return index
    return None


def _read_line(
    sheet: str, index: int, cells: Sequence[Any], seen: set[str], problems: list[str]
) -> dict[str, str] | None:
    padded = [*cells, *[None] * (len(_COLUMNS) - len(cells))]
    code, value, evidence = _text(padded[_CODE]), _text(padded[_VALUE]), _text(padded[_EVIDENCE])
    score, reviewer = _text(padded[_SCORE]), _text(padded[_REVIEWER])
    if not code and not value:
        return None

    def fault(column: int, message: str) -> None:
        problems.append(f"工作表“{sheet}”{chr(ord('A') + column)}{index + 1}：{message}")

    item = dossier_items().get(code)
    if item is None or item.sheet != sheet:
        fault(_CODE, "项目代码不属于这张工作表")
        return None
    if code in seen:
        fault(_CODE, f"项目代码 {code} 重复")
        return None
    seen.add(code)
    if not value:
        if score:
            fault(_SCORE, "没有填报内容，不能评分")
        return None
    number, unit = "", item.unit
    if item.value_kind == "number":
        parsed = _number(value)
        if parsed is None:
            fault(_VALUE, f"“{item.title_zh}”应填数字，不写单位")
        elif not 0 <= parsed <= _highest(item):
            fault(_VALUE, f"“{item.title_zh}”应在 0 与 {_highest(item)} 之间")
        else:
            number = format(parsed, "f")
    elif item.value_kind in ("choice", "flag"):
        if value not in _allowed(item):
            fault(_VALUE, f"“{item.title_zh}”应为下列之一：{'、'.join(_allowed(item))}")
        elif item.value_kind == "flag":
            number = "1" if value == "是" else "0"
    elif len(value) > _TEXT_LIMIT:
        fault(_VALUE, f"“{item.title_zh}”超过 {_TEXT_LIMIT} 字")
    if score:
        parsed = _number(score)
        if item.value_kind not in ("text", "choice"):
            fault(_SCORE, "数字和是否项目不评分")
        elif parsed is None or not 0 <= parsed <= 100:
            fault(_SCORE, "审核评分应为 0 至 100 的数字")
        elif not reviewer:
            fault(_REVIEWER, "有审核评分，须写明审核人")
        else:
            number, unit = format(parsed, "f"), _SCORE_UNIT
    return {
        "项目代码": code,
        "时间窗": item.period,
        "填报内容": value,
        "数值": number,
        "单位": unit,
        "证明材料": evidence,
        "审核人": reviewer,
        "工作表": sheet,
    }


def _text(value: Any) -> str:
    """Cell value as trimmed text; a whole number that Excel keeps as 12.0 is '12'."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value).strip()


def _number(text: str) -> Decimal | None:
    """Number of at most four decimals; full-width digits and thousands separators are what people type."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").strip()
    if not re.fullmatch(r"-?\d{1,13}(\.\d+)?", plain):
        return None
    try:
        return Decimal(plain).quantize(Decimal("0.0001"), ROUND_HALF_UP).normalize()
    except InvalidOperation:
        return None


# --- demo -----------------------------------------------------------------------------------------

_DEMO_RANGES = {"万元": (50, 3000), "%": (60, 98), "位": (1, 60), "人次": (100, 20000), "篇": (5, 120)}


def write_demo_dossiers(
    folder: Path, organisations: Sequence[str], specialties: Sequence[str], seed: int
) -> list[Path]:
    """Fill one workbook per organisation and specialty with invented answers; equal seeds give equal bytes.

    About one item in eight stays empty, because real dossiers have gaps and what follows must show them.
    """
    paths = []
    for organisation in organisations:
        for specialty in specialties:
            path = folder / f"{organisation}_{specialty}.xlsx"
            answers = _demo_answers(organisation, specialty, seed)
            write_template(path, organisation_id=organisation, specialty_code=specialty, answers=answers)
            paths.append(path)
    return paths


def _demo_answers(organisation: str, specialty: str, seed: int) -> dict[str, Answer]:
    from random import Random

    random = Random(f"{seed}/{organisation}/{specialty}")
    answers = {}
    for item in dossier_items().values():
        if random.random() < 0.125:
            continue
        evidence = f"示例材料_{item.item_code}.pdf"
        if item.value_kind == "number":
            low, high = _DEMO_RANGES.get(item.unit, (0, 40))
            answers[item.item_code] = Answer(random.randint(low, high), evidence, "示例审核人")
        elif item.value_kind == "text":
            score = random.randint(60, 98)
            answers[item.item_code] = Answer(f"示例：{item.title_zh}", evidence, "示例审核人", score)
        else:
            answers[item.item_code] = Answer(random.choice(_allowed(item)), evidence, "示例审核人")
    return answers
