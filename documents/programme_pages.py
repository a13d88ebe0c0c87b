"""A page per programme, and their index: its items in printed order, who may apply, and how many.

Belongs here: bringing the rows together.  Does not belong here: the words, which are registry columns and the template.
"""

from __future__ import annotations

from pathlib import Path

from documents.registry import DOCS, Row, parts, render, row, table

PAGES_DIR = DOCS / "programmes"
# rules are numbered by the policy that they stand in
_POLICIES = {"national_2021": ("N-", "G-"), "beijing_2023": ("B-",), "guizhou_942": ("Z-",)}


def pages() -> dict[Path, str]:
    """All pages by path."""
    programmes: dict[str, list[Row]] = {}
    for tier in table("programmes"):
        programmes.setdefault(tier["programme_id"], []).append(tier)
    found = {PAGES_DIR / f"{name}.md": _page(name, tiers) for name, tiers in programmes.items()}
    # what is printed in the index itself; the reputation stands elsewhere in the policy
    counts = {name: len({item["entry_id"] for item in _items(name) if item["part"] == "data"}) for name in programmes}
    index = render("programmes.md.j2", programmes=programmes, counts=counts, policies=table("policies"))
    return found | {PAGES_DIR / "README.md": index}


def _items(programme: str) -> list[Row]:
    return [each for each in table("programme_items") if each["programme_id"] == programme]


def _page(programme: str, tiers: list[Row]) -> str:
    items = _items(programme)
    lists = {"*", *(f"{programme}/{tier['tier']}" for tier in tiers)}
    scales = {item["scale_id"] for item in items if item["scale_method"] in ("bands", "ordinal")}
    return render(
        "programme.md.j2",
        programme=programme,
        tiers=tiers,
        items=[(item, _computed_from(item)) for item in items],
        provisional=sum(item["status"] == "provisional" for item in items),
        weights=[each for each in table("tier_weights") if each["programme_id"] == programme],
        groups={item["group_id"]: item["group_zh"] for item in items},
        bands=[each for each in table("scale_bands") if each["scale_id"] in scales],
        grades=table("appraisal_grades") if "appraisal_grade" in scales else (),
        rules=[each for each in table("eligibility_rules") if lists & set(parts(each["lists"]))],
        quotas=[each for each in table("quota_rules") if each["rule_id"].startswith(_POLICIES[programme])],
        list_quotas=[each for each in table("selection_quotas") if each["programme_id"] == programme],
        places=[each for each in table("selection_lists") if each["programme_id"] == programme],
    )


def _computed_from(item: Row) -> str:
    """What an item rests on: an indicator with its page, or fields of dossiers and registers by name."""
    if item["indicator_id"]:
        known = any(each["indicator_id"] == item["indicator_id"] for each in table("indicators"))
        name = f"`{item['indicator_id']}`"
        return f"[{name}](../indicators/{item['indicator_id']}.md)" if known else f"{name}（尚未登记 not registered）"
    text = " + ".join(map(_evidence, parts(item["evidence_items"])))
    if item["denominator_items"]:
        text = f"({text}) ÷ {' + '.join(map(_evidence, parts(item['denominator_items'])))}"
    if item["factor"] not in ("", "1"):
        text += f" × {item['factor']}"
    if item["comparison_items"]:
        text += f"，比较 compared with {'、'.join(map(_evidence, parts(item['comparison_items'])))}"
    return text


def _evidence(code: str) -> str:
    """`D0501` with its title; codes of registers and appraisals speak for themselves."""
    if any(each["item_code"] == code for each in table("dossier_items")):
        return f"`{code}` {row('dossier_items', 'item_code', code)['title_zh']}"
    return f"`{code}`"
