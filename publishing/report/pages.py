"""The pages of a report: one file while it stays small, one per list behind an index beyond that.

Belongs here: rendering the templates and deciding into which files. Does not belong here: what is shown (view).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from expectations.verdict import write_durably
from publishing.candidates import DIRECTIONS, MISSING, SCALES, SOURCES, Marts, list_notes, rounded, shown
from publishing.report import charts
from publishing.report.view import ListView, list_view, provisional_items

INDEX = "index.html"
LARGEST = 10_000_000  # bytes of one file that a browser still opens at once
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    data: Path,
    target: Path,
    *,
    programme_id: str,
    window_id: str,
    specialty_code: str | None = None,
    notices: Sequence[str] = (),
    largest: int = LARGEST,
) -> list[Path]:
    """`index.html` in `target`, and a page per list where one file would be too large; equal marts, equal bytes."""
    target.mkdir(parents=True, exist_ok=True)
    with Marts(data, programme_id, window_id, specialty_code) as marts:
        environment = _environment()
        common = {
            "programme": marts.tiers[0],
            "window": marts.window,
            "items": marts.items,
            "provisional": provisional_items(marts.items),
            "notices": notices,
        }
        section, page = environment.get_template("list.html.j2"), environment.get_template("page.html.j2")
        views: list[ListView] = []
        sections: list[str] = []
        for found in marts.lists():
            view = list_view(marts, found)
            notes = list_notes(marts, found.programme, notices)
            sections.append(section.render(common, view=view, notes=notes, charts=charts))
            views.append(view)
        together = sum(len(one.encode()) for one in sections) <= largest
        pages = {
            INDEX: page.render(common, views=views, sections=[Markup(one) for one in sections] if together else [])
        }
        if not together:
            for view, one in zip(views, sections, strict=True):
                pages[f"{view.anchor}.html"] = page.render(common, views=[], sections=[Markup(one)])
    for name, content in pages.items():
        write_durably(target / name, content.encode())
    return [target / name for name in pages]


def _environment() -> Environment:
    """Everything that a template shows is escaped; what it does not know is an error."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(svg=Markup, rounded=_rounded)
    environment.globals.update(
        DIRECTIONS=DIRECTIONS, MISSING=MISSING, SCALES=SCALES, SOURCES=SOURCES, shown=shown, symbol=charts.symbol
    )
    return environment


def _rounded(value: Any, decimals: int) -> str:
    return "—" if value is None else f"{rounded(value, decimals):,}"
