"""What the templates of a report show: lists, items and points, ready to be written out.

Belongs here: choosing what is shown and drawn, from candidates and marts. Does not belong here: HTML and charts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from publishing.candidates import VALUED, Candidate, CandidateList, Marts, Row, in_unit, provisional_note, shown, text
from publishing.report.charts import NAMED

REGION = "REGION"
_MOST_ROWS = 30  # a chart names so many hospitals; the others share its last row
_MOST_NAMED = 8  # a reason names so many hospitals and counts the others


@dataclass(frozen=True)
class Value:
    """One hospital's value of an item, as a row of its table."""

    candidate: Candidate
    exact: str
    shown: str
    cell: Row


@dataclass(frozen=True)
class ItemView:
    """One item: its values, the province's value, and points for its charts."""

    item: Row
    values: Sequence[Value]
    benchmark: Decimal | None
    points: Sequence[dict[str, Any]]
    years: Sequence[dict[str, Any]]

    @property
    def unit(self) -> str:
        return self.item["unit"] or ""

    @property
    def title(self) -> str:
        """The item's title with its unit."""
        return f"{self.item['title_zh']}（{self.unit}）" if self.unit else str(self.item["title_zh"])

    @property
    def reference(self) -> float | None:
        """Where the chart draws the province's value."""
        return None if self.benchmark is None else float(in_unit(self.item, self.benchmark))


@dataclass(frozen=True)
class Unscored:
    """Why an item has no score, and for whom."""

    item: Row
    reason: str
    names: str
    hospitals: int


@dataclass(frozen=True)
class ListView:
    """One list with everything that its section shows."""

    found: CandidateList
    anchor: str
    ranked: int
    items: Sequence[ItemView]
    unscored: Sequence[Unscored]
    slots: dict[str, str]
    spread: Sequence[dict[str, Any]]

    @property
    def groups(self) -> dict[str, str]:
        """The first-level headings of all candidates, by their identifier."""
        return {name: score["group_zh"] for one in self.found.candidates for name, score in one.groups.items()}

    @property
    def draws(self) -> int:
        """How often the ranks were redrawn."""
        return next((one.stability["draws"] for one in self.found.candidates if one.stability), 0)

    @property
    def years(self) -> list[int]:
        return sorted({year for one in self.found.candidates for year in one.fitness})


def list_view(marts: Marts, found: CandidateList) -> ListView:
    """The view of one list."""
    slots = _slots(found.candidates)
    indicators = _indicator_rows(marts, found)
    return ListView(
        found=found,
        anchor=f"{found.programme['tier']}-{found.specialty['specialty_code']}",
        ranked=sum(1 for one in found.candidates if one.rank is not None),
        items=[
            _item_view(marts, item, found.candidates, slots, indicators.get(item["indicator_id"], []))
            for item in marts.items
            if any(one.cells.get(item["item_id"], {}).get("value") is not None for one in found.candidates)
        ],
        unscored=_unscored(marts.items, found.candidates),
        slots=slots,
        spread=[
            {
                "who": f"{one.rank} {one.name_zh}",
                "slot": slots[one.hospital_id],
                "low": one.stability["rank_5"],
                "rank": one.rank,
                "high": one.stability["rank_95"],
            }
            for one in found.candidates[:_MOST_ROWS]
            if one.stability and one.rank
        ],
    )


def provisional_items(items: Sequence[Row]) -> list[tuple[Row, str]]:
    """The items whose scoring nobody with authority has confirmed, with what is provisional about them."""
    return [(item, note) for item in items if (note := provisional_note(item))]


def _slots(candidates: Sequence[Candidate]) -> dict[str, str]:
    """The first of the list have a mark of their own."""
    return {
        one.hospital_id: str(place) if place <= NAMED and one.rank else "peer" if one.is_peer else "other"
        for place, one in enumerate(candidates, 1)
    }


def _indicator_rows(marts: Marts, found: CandidateList) -> dict[str, list[Row]]:
    """The province's values of the window, and everybody's of each of its years, by indicator."""
    window = found.window
    years = [str(year) for year in range(window.get("first_year", 0), window.get("last_year", -1) + 1)]
    windows = ", ".join(text(one) for one in {window["window_id"], *years})
    rows = marts.rows(
        "fct_indicator",
        f"specialty_code = {text(found.specialty['specialty_code'])} and window_id in ({windows}) "
        f"and attribution = {text(found.programme['attribution'])} and value is not null",
        order="indicator_id, window_id, hospital_id",
        select="hospital_id, window_id, indicator_id, value",
    )
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["indicator_id"], []).append(row)
    return grouped


def _item_view(
    marts: Marts, item: Row, candidates: Sequence[Candidate], slots: dict[str, str], indicator: Sequence[Row]
) -> ItemView:
    values = [_value(item, one) for one in candidates]
    window = marts.window_id
    benchmark = next(
        (row["value"] for row in indicator if row["hospital_id"] == REGION and row["window_id"] == window), None
    )
    drawn = [value for value in values if value.cell.get("value") is not None]
    rest = f"其余 {len(drawn) - _MOST_ROWS + 1} 家"
    crowded = len(drawn) > _MOST_ROWS
    points = [
        {
            "who": rest if crowded and place >= _MOST_ROWS - 1 else _label(value.candidate),
            "value": float(in_unit(item, value.cell["value"])),
            "slot": slots[value.candidate.hospital_id],
        }
        for place, value in enumerate(drawn)
    ]
    known = {one.hospital_id: slots[one.hospital_id] for one in candidates} | {REGION: "region"}
    years = [
        {
            "who": row["hospital_id"],
            "slot": known[row["hospital_id"]],
            "year": row["window_id"],
            "value": float(in_unit(item, row["value"])),
        }
        for row in indicator
        if row["window_id"] != window and row["hospital_id"] in known
    ]
    return ItemView(item, values, benchmark, points, years if len({row["year"] for row in years}) > 1 else [])


def _value(item: Row, one: Candidate) -> Value:
    cell = one.cells.get(item["item_id"], {})
    value = cell.get("value")
    if cell.get("choice"):
        return Value(one, "", cell["choice"], cell)
    if value is None:
        return Value(one, "", "—", cell)
    return Value(one, f"{value:f}", shown(item, value), cell)


def _label(one: Candidate) -> str:
    return f"{one.rank} {one.name_zh}" if one.rank else one.name_zh


def _unscored(items: Sequence[Row], candidates: Sequence[Candidate]) -> list[Unscored]:
    """By item and reason; hospitals are counted, and named while there are few."""
    found = []
    for item in items:
        cells = [(one, one.cells.get(item["item_id"])) for one in candidates]
        missing = [(one, cell) for one, cell in cells if cell and cell["status"] != VALUED]
        for reason, count in sorted(Counter(cell["status_reason"] or "" for _, cell in missing).items()):
            names = [one.name_zh for one, cell in missing if (cell["status_reason"] or "") == reason]
            more = f"等 {count} 家" if count > _MOST_NAMED else ""
            everyone = "全部医院" if count == len(candidates) else "、".join(names[:_MOST_NAMED]) + more
            found.append(Unscored(item, reason, everyone, count))
    return found
