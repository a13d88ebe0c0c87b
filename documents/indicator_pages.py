"""A page per indicator, and their index: what the registry says of it, with an example.

Belongs here: bringing the rows together.  Does not belong here: the words, which are registry columns and the template.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from documents.examples import example
from documents.registry import DOCS, Row, parts, render, row, table
from sources.contract import load_contracts

PAGES_DIR = DOCS / "indicators"
_EXCLUSIONS = "trim_"  # switches that leave cases out of the analysis begin so


def pages() -> dict[Path, str]:
    """All pages by path."""
    indicators = table("indicators")
    index = {PAGES_DIR / "README.md": render("indicators.md.j2", indicators=indicators)}
    return index | {PAGES_DIR / f"{each['indicator_id']}.md": _page(each) for each in indicators}


def source_fields(indicator: Row) -> list[str]:
    """The landed fields behind its measures, in their order."""
    names = [indicator["numerator_measure"], indicator["denominator_measure"], indicator["case_measure"]]
    fields = [field for name in names if name for field in parts(row("measures", "measure_id", name)["source_fields"])]
    return list(dict.fromkeys(fields))


@cache
def titles() -> dict[str, str]:
    """dataset.field → Chinese title, of every landed field; derived ones have none."""
    found: dict[str, str] = {}
    for contract in load_contracts().values():
        for field in contract.fields:
            if field.name:
                found.setdefault(f"{contract.dataset}.{field.name}", field.title_zh)
        for group in contract.lists:
            for column in group.columns.values():
                found.setdefault(f"{contract.dataset}.{column.name}", column.title_zh)
    return found


def _page(indicator: Row) -> str:
    switches = [row("switches", "switch_id", name) for name in parts(indicator["switches"])]
    measures = [
        (role, row("measures", "measure_id", indicator[column]))
        for role, column in (
            ("分子 Numerator", "numerator_measure"),
            ("分母 Denominator", "denominator_measure"),
            ("病例数 Cases", "case_measure"),
        )
        if indicator[column]
    ]
    return render(
        "indicator.md.j2",
        indicator=indicator,
        measures=measures,
        exclusions=[each for each in switches if each["switch_id"].startswith(_EXCLUSIONS)],
        switches=switches,
        versions=[each for each in table("definition_versions") if each["switch_id"] in parts(indicator["switches"])],
        fields=[(field, titles().get(field, "落地时得出 derived at landing")) for field in source_fields(indicator)],
        items=[each for each in table("programme_items") if each["indicator_id"] == indicator["indicator_id"]],
        example=example(indicator),
    )
