"""An annex as printed: its rows in order, under their headings, and which cells are merged.

Belongs here: laying the registry's entries out as the annex prints them, and refusing a registry that no longer
matches the annex. Does not belong here: sheets and formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from publishing.candidates import Row

LAYOUTS = Path(__file__).parent / "layouts"
_DOMAINS = "零一二三四五六七八九十"


class FormError(RuntimeError):
    """A form cannot be filled as printed; the message says what does not fit."""


class Layout(BaseModel):
    """What the registry of items does not know of a printed annex."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attachment: str
    title: str
    headings: tuple[str, str, str, str]
    serial: str
    entries: int = Field(gt=0)
    numbers: int = Field(gt=0)
    outside: str


@dataclass(frozen=True)
class Line:
    """One line of a form: the four printed cells, and the item that is filled in beside them."""

    printed: tuple[str, str, str, str]
    item: Row


@dataclass(frozen=True)
class Span:
    """Cells of one printed column that carry one text: the lines `first` to `last`."""

    column: int
    first: int
    last: int
    text: str


def load_layout(programme_id: str) -> Layout:
    """The layout of a programme's annex."""
    path = LAYOUTS / f"{programme_id}.yaml"
    if not path.is_file():
        known = "、".join(sorted(file.stem for file in LAYOUTS.glob("*.yaml")))
        raise FormError(f"没有方案 {programme_id} 的表样；已有：{known}。请在 {LAYOUTS.name} 中增加一个文件")
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return Layout.model_validate(content)


def annex_lines(layout: Layout, items: Sequence[Row]) -> tuple[list[Line], list[Line]]:
    """The lines of the annex, and those of entries that are judged but not printed in it."""
    lines = [Line(_printed(layout, item), item) for item in items]
    inside = [line for line in lines if line.item["part"] == "data"]
    outside = [line for line in lines if line.item["part"] != "data"]
    entries = {line.item["entry_id"] for line in inside}
    numbers = {line.printed[0] for line in inside}
    for what, found, due in (("条目", len(entries), layout.entries), ("序号", len(numbers), layout.numbers)):
        if found != due:
            raise FormError(
                f"《{layout.title}》印有 {due} 个{what}，登记的计分项有 {found} 个；请核对 programme_items.csv"
            )
    return inside, outside


def spans(lines: Sequence[Line]) -> Iterator[Span]:
    """The printed cells, merged as in the annex: a heading covers the lines beneath it, a number its entries."""
    keys: Sequence[Callable[[Line], object]] = (
        lambda line: line.printed[:2] if line.printed[0] else line.item["entry_id"],
        lambda line: line.printed[1],
        lambda line: line.printed[1:3],
        lambda line: line.item["entry_id"],
    )
    for column, key in enumerate(keys):
        start = 0
        for _, group in groupby(lines, key):
            length = len(list(group))
            yield Span(column, start, start + length - 1, lines[start].printed[column])
            start += length


def _printed(layout: Layout, item: Row) -> tuple[str, str, str, str]:
    group = str(item["group_id"])
    domain = _DOMAINS[int(group)] if group.isdigit() and int(group) < len(_DOMAINS) else group
    number = "" if item["serial_no"] is None else str(item["serial_no"])
    serial = layout.serial.format(serial_no=number, domain=domain) if item["part"] == "data" else ""
    return serial, item["group_zh"], item["subgroup_zh"], item["wording_zh"]
