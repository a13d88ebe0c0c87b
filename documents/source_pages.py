"""Generated parts of the source pages: field tables, code lists and dossier items between markers.

Belongs here: rendering contracts, code lists and dossier items as Markdown.  Does not belong
here: prose; what a source is and where it misleads is written by hand in ``docs/sources``.

A marker is ``<!-- generated: KIND NAME -->`` and ends at ``<!-- end -->``; KIND is ``contract`` (a layout),
``code-lists`` (a prefix of list names) or ``dossier-items``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sources.contract import REFERENCE_DIR, Contract, ContractField, ListGroup, load_contracts
from sources.dossier import dossier_items

PAGES_DIR = Path(__file__).parent.parent / "docs" / "sources"

_MARKER = re.compile(r"(?P<open><!-- generated: (?P<kind>\S+) ?(?P<name>\S*) -->\n).*?(?P<close><!-- end -->)", re.S)
_SHOWN_SLOTS = 11  # the older interface has irregular column names for 11 diagnoses: those are worth reading
_SHOWN_CODES = 30


def render_page(text: str) -> str:
    """The page with every generated part replaced by what the contracts and reference tables say now."""

    def part(match: re.Match[str]) -> str:
        return f"{match['open']}{_render(match['kind'], match['name'])}\n{match['close']}"

    return _MARKER.sub(part, text)


def pages() -> Mapping[Path, str]:
    """Every source page as it should read."""
    return {path: render_page(path.read_text("utf-8")) for path in sorted(PAGES_DIR.glob("*.md"))}


def _render(kind: str, name: str) -> str:
    if kind == "contract":
        return _contract(load_contracts()[name])
    if kind == "code-lists":
        return _code_lists(name)
    if kind == "dossier-items":
        return _dossier_items()
    raise ValueError(f"unknown generated part: {kind}")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


# --- contracts ---------------------------------------------------------------------------------------


def _contract(contract: Contract) -> str:
    replaces = ", ".join(_code(name) for name in contract.replaces_by) or "the whole dataset"
    facts = [
        f"* Layout `{contract.layout}` ({contract.title_zh}) of dataset `{contract.dataset}`, "
        f"folder `inbox/{contract.system}/`.",
        f"* Recognised by the columns {', '.join(_code(name) for name in contract.recognised_by)}.",
        f"* Key: {', '.join(_code(name) for name in contract.key)}. A later file replaces: {replaces}.",
    ]
    if contract.file_month:
        facts.append(f"* Month in the file name: `{contract.file_month}`.")
    fields = _table(
        ("source column", "title", "landed as", "type", "code list", "required", "use"),
        [_field(field) for field in contract.fields],
    )
    parts = ["\n".join(facts), fields, *(_group(group) for group in contract.lists)]
    return "\n\n".join(parts)


def _field(field: ContractField) -> tuple[str, ...]:
    landed = "patient_id" if field.use == "pseudonymise" else field.name or ""
    code_list = field.code_list or ""
    if field.checked:
        code_list = f"{code_list} (checked)".strip()
    use = field.use if not field.role or field.use != "drop" else f"{field.use} after use as {field.role}"
    required = "yes" if field.required else ""
    kind = f"decimal({field.precision},{field.scale})" if field.type == "decimal" else field.type
    return _code(field.source), field.title_zh, _code(landed), kind, code_list, required, use


def _group(group: ListGroup) -> str:
    rows = []
    for key, column in group.columns.items():
        names = [slot[key] for slot in group.slot_columns if key in slot]
        rows.append((_code(f"{column.name}[]"), column.title_zh, column.type, column.code_list or "", _elide(names)))
    text = f"Repeated group {group.title_zh}: {len(group.slot_columns)} slots become one list per column.\n\n"
    text += _table(("landed as", "title", "type", "code list", "source columns"), rows)
    if group.dropped:
        text += f"\n\nDropped columns of the group: {_elide(group.dropped)}."
    return text


def _elide(names: Sequence[str]) -> str:
    if len(names) <= _SHOWN_SLOTS:
        return ", ".join(_code(name) for name in names)
    return f"{_code(names[0])}, {_code(names[1])} … {_code(names[-1])} ({len(names)})"


# --- reference tables --------------------------------------------------------------------------------


def _code_lists(prefix: str) -> str:
    with (REFERENCE_DIR / "code_lists.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["list_id"].startswith(prefix)]
    lists: dict[str, list[str]] = {}
    for row in rows:
        note = f"（{row['note_zh']}）" if row["note_zh"] else ""
        same = row["code"] == row["name_zh"]
        lists.setdefault(row["list_id"], []).append(
            f"`{row['code']}`{note}" if same else f"`{row['code']}` {row['name_zh']}{note}"
        )
    body = []
    for name, codes in lists.items():
        shown = codes if len(codes) <= _SHOWN_CODES else [*codes[:3], f"… ({len(codes)} codes)"]
        body.append((name, " · ".join(shown)))
    return _table(("list", "codes"), body)


def _dossier_items() -> str:
    rows = []
    for item in dossier_items().values():
        what = item.unit or {"flag": "是 / 否", "text": "文字"}.get(item.value_kind, " / ".join(item.choices))
        rows.append((_code(item.item_code), item.sheet, item.title_zh, what, item.period, item.clause))
    return _table(("item", "sheet", "title", "value", "window", "clause"), rows)
