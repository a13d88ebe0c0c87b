"""Documents made from data: nothing has fallen behind, what they rest on exists, and drift is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from documents import __main__ as documents
from documents import examples, indicator_pages, programme_pages, registry, source_pages
from sources import hqms
from sources.contract import REFERENCE_DIR, load_contracts
from sources.expressions import landed_types


def test_no_document_has_fallen_behind() -> None:
    assert not documents.fallen_behind(documents.written()), "run: python -m documents"


def test_source_pages_show_every_contract_and_table_once() -> None:
    pages = {path.stem: text for path, text in source_pages.pages().items()}
    for layout in load_contracts():
        assert sum(f"<!-- generated: contract {layout} -->" in text for text in pages.values()) == 1, layout
    assert all(f"`{name}`" in pages["hqms-front-page"] for name in hqms.DERIVED)
    assert all(f"{path.stem}.csv" in pages["README"] for path in REFERENCE_DIR.glob("*.csv"))


def test_only_what_stands_between_markers_is_rendered() -> None:
    rendered = source_pages.render_page("before\n<!-- generated: contract accident -->\nold\n<!-- end -->\nafter\n")
    assert rendered.startswith("before\n") and rendered.endswith("<!-- end -->\nafter\n")
    assert "| `发生日期` | 发生日期 | `accident_date` | date |  | yes | keep |" in rendered


def test_drift_and_pages_of_what_is_gone_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_pages, "PAGES_DIR", tmp_path)
    monkeypatch.setattr(programme_pages, "PAGES_DIR", tmp_path / "none")
    written, changed, missing, gone = (tmp_path / f"{name}.md" for name in ("written", "changed", "missing", "gone"))
    for path, text in ((written, "now"), (changed, "before"), (gone, "nobody registered it")):
        path.write_text(text, "utf-8")
    assert documents.fallen_behind(dict.fromkeys((written, changed, missing), "now")) == [changed, missing, gone]


def test_the_check_fails_on_drift(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(documents, "written", lambda: {registry.DOCS / "scoring.md": "other"})
    monkeypatch.setattr(documents, "fallen_behind", list)
    assert documents.main(["--check"]) == 1
    assert "scoring.md" in capsys.readouterr().err


@pytest.mark.parametrize("measure", registry.table("measures"), ids=lambda row: row["measure_id"])
def test_the_fields_of_a_measure_are_landed(measure: registry.Row) -> None:
    for field in registry.parts(measure["source_fields"]):
        dataset, _, name = field.partition(".")
        assert name in landed_types(dataset), field


def test_an_example_is_divided_and_not_typed() -> None:
    indicator = registry.row("indicators", "indicator_id", "level4_surgery_share")
    found = examples.example(indicator)
    # five of seven operations, as counted in the table of 42 discharges
    assert found and (found.numerator, found.denominator, found.value) == ("5", "7", "71.43%")
    page = indicator_pages.pages()[indicator_pages.PAGES_DIR / "level4_surgery_share.md"]
    assert "5 ÷ 7 = **71.43%**" in page
    assert examples.example({**indicator, "indicator_id": "nobody_counted_it"}) is None


@pytest.mark.parametrize("programme", ["national_2021", "beijing_2023", "guizhou_942"])
def test_a_programme_shows_every_item_in_printed_order(programme: str) -> None:
    page = programme_pages.pages()[programme_pages.PAGES_DIR / f"{programme}.md"]
    items = [row["item_id"] for row in registry.table("programme_items") if row["programme_id"] == programme]
    places = [page.index(f"\n| {item} |") for item in items]
    assert places == sorted(places)
