"""An indicator's charts, drawn by the report's own functions.

Belongs here: which values become points. Does not belong here: how they look (`publishing.report.charts`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from publishing.report import charts
from publishing.service.models import IndicatorPage, IndicatorRow
from publishing.targets.access import REGION


def distribution(page: IndicatorPage) -> str:
    """A dot per hospital within reach, the marked one in colour, the province as a line."""
    region = next((row.value for row in page.values if row.hospital_id == REGION), None)
    points = [
        {
            "who": row.name_zh,
            "value": _drawn(page, row.value),
            "slot": "1" if row.hospital_id == page.hospital_id else "peer",
        }
        for row in page.values
        if row.hospital_id != REGION and row.value is not None
    ]
    unit = "" if page.indicator.unit == "—" else f"（{page.indicator.unit}）"
    reference = None if region is None else _drawn(page, region)
    return charts.distribution(points, reference, f"{page.indicator.name_zh}{unit}")


def trend(page: IndicatorPage) -> str:
    """The years of the marked hospital and of the province."""
    return charts.trend([_year(page, row) for row in page.trend if row.value is not None])


def _year(page: IndicatorPage, row: IndicatorRow) -> dict[str, Any]:
    assert row.value is not None
    slot = "region" if row.hospital_id == REGION else "1"
    return {"who": row.name_zh, "year": row.window_id, "value": _drawn(page, row.value), "slot": slot}


def _drawn(page: IndicatorPage, value: Decimal) -> float:
    """A place on a screen; the number itself stands in the table."""
    return float(value * 100 if page.indicator.unit == "%" else value)
