"""Charts as static SVG: one dot a hospital, lines over the years, the spread of ranks.

Belongs here: what a chart looks like. Who is who is told by shape and colour together (the palette of Okabe and Ito),
so that a chart reads without colours and in print. The layout is fixed, not measured: equal values give equal bytes
whatever fonts a machine has. Vega measures every text all the same, which takes most of the time of a chart; texts
without a size cost next to nothing, so they get theirs when the chart is drawn. Does not belong here: choosing and
rounding what is drawn.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import vl_convert

Points = Sequence[dict[str, Any]]

FONT = "Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, SimHei, sans-serif"
NAMED = 6  # as many hospitals have a shape and colour of their own: the first of the list
# slot -> (shape, colour); 'peer' and 'other' are everyone else, 'region' is the whole province
SLOTS = {
    "1": ("circle", "#0072B2"),
    "2": ("square", "#D55E00"),
    "3": ("triangle-up", "#009E73"),
    "4": ("diamond", "#CC79A7"),
    "5": ("cross", "#E69F00"),
    "6": ("triangle-down", "#56B4E9"),
    "peer": ("circle", "#767676"),
    "other": ("stroke", "#767676"),
    "region": ("stroke", "#000000"),
}
_INK, _GRID = "#222222", "#dddddd"
_ROW, _LABELS = 17, 200
_TEXT = 11  # the size of all texts
# where a text of that size stands that is laid out as if it had none
_BELOW = {"labelPadding": 11, "titleY": 31}
_BESIDE = {"labelOffset": 3}
_LONGEST_NAME = 14


def distribution(points: Points, reference: float | None, axis: str) -> str:
    """A row per hospital: `who`, `value`, `slot`; a dashed line at the province's value."""
    benchmark = [] if reference is None else [{"value": reference}]
    return _draw(_DISTRIBUTION, axis, points=[_named(point) for point in points], benchmark=benchmark)


def trend(points: Points) -> str:
    """A line per hospital over the years: `who`, `year`, `value`, `slot`."""
    return _draw(_TREND, "", points=list(points))


def stability(points: Points, cut: int) -> str:
    """The ranks that a hospital takes in 90 of 100 redraws: `who`, `slot`, `low`, `rank`, `high`; a line at the cut."""
    return _draw(_STABILITY, "名次", points=[_named(point) for point in points], cut=[{"value": cut + 0.5}])


def symbol(slot: str) -> str:
    """The mark of a slot for a legend in the text."""
    shape, colour = SLOTS[slot]
    path = _SYMBOLS[shape]
    paint = f'fill="none" stroke="{colour}" stroke-width="2"' if shape == "stroke" else f'fill="{colour}"'
    drawn = f'<path d="{path}" {paint}/>'
    return f'<svg class="mark" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">{drawn}</svg>'


_SYMBOLS = {
    "circle": "M5,0A5,5,0,1,1,-5,0A5,5,0,1,1,5,0Z",
    "square": "M-4.5,-4.5h9v9h-9Z",
    "triangle-up": "M0,-5L5.5,4.5H-5.5Z",
    "diamond": "M0,-6L5,0L0,6L-5,0Z",
    "cross": "M-6,-2h4v-4h4v4h4v4h-4v4h-4v-4h-4Z",
    "triangle-down": "M0,5L5.5,-4.5H-5.5Z",
    "stroke": "M4.5,0A4.5,4.5,0,1,1,-4.5,0A4.5,4.5,0,1,1,4.5,0Z",
}


def _named(point: dict[str, Any]) -> dict[str, Any]:
    who = point["who"]
    return point | {"who": who if len(who) <= _LONGEST_NAME else f"{who[:_LONGEST_NAME]}…"}


def _draw(chart: dict[str, Any], axis: str, **tables: Points) -> str:
    """Charts of one kind are compiled once; the values are put into the compiled chart."""
    vega = copy.deepcopy(_compiled(json.dumps(chart, sort_keys=True)))
    for table in vega["data"]:
        if table["name"] in tables:
            table["values"] = list(tables[table["name"]])
    for drawn in vega["axes"]:
        if drawn.get("title") == _AXIS:
            drawn["title"] = axis
    return str(vl_convert.vega_to_svg(vega)).replace('font-size="0px"', f'font-size="{_TEXT}px"')


@cache
def _compiled(chart: str) -> dict[str, Any]:
    vega: dict[str, Any] = vl_convert.vegalite_to_vega(json.loads(chart))
    return vega


_AXIS = "value axis"


def _chart(
    width: int, height: int | None, left: int, layers: list[dict[str, Any]], tables: Sequence[str]
) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": {"step": _ROW} if height is None else height,
        "autosize": "none",
        "padding": {"left": left, "right": 20, "top": 6, "bottom": 40},
        "background": None,
        "datasets": {name: [{"value": 0}] for name in tables},
        "layer": layers,
        "config": {
            "font": FONT,
            "axis": {"labelColor": _INK, "titleColor": _INK, "gridColor": _GRID, "labelLimit": 0},
            "axisX": {"labelFontSize": 0, "titleFontSize": 0, **_BELOW},
            "axisY": {"labelFontSize": 0, **_BESIDE},
            "view": {"stroke": _GRID},
        },
    }


_SHAPES = {slot: "circle" if shape == "stroke" else shape for slot, (shape, _) in SLOTS.items()}
_BY_SLOT: dict[str, Any] = {
    "shape": {
        "field": "slot",
        "type": "nominal",
        "scale": {"domain": list(SLOTS), "range": list(_SHAPES.values())},
        "legend": None,
    },
    "stroke": {
        "field": "slot",
        "type": "nominal",
        "scale": {"domain": list(SLOTS), "range": [colour for _, colour in SLOTS.values()]},
        "legend": None,
    },
    "fill": {
        "field": "slot",
        "type": "nominal",
        "scale": {
            "domain": list(SLOTS),
            "range": ["#ffffff" if shape == "stroke" else colour for shape, colour in SLOTS.values()],
        },
        "legend": None,
    },
}
_WHO = {
    "field": "who",
    "type": "nominal",
    "sort": None,
    "axis": {"title": None, "grid": True, "ticks": False, "domain": False},
}
_VALUE = {
    "field": "value",
    "type": "quantitative",
    "scale": {"zero": False, "nice": False, "padding": 12},
    "axis": {"title": _AXIS, "tickCount": 5},
}
_DISTRIBUTION = _chart(
    300,
    None,
    _LABELS,
    [
        {
            "data": {"name": "benchmark"},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": _INK, "aria": False},
            "encoding": {"x": _VALUE},
        },
        {
            "data": {"name": "points"},
            "mark": {"type": "point", "size": 70, "strokeWidth": 1.6, "opacity": 1, "aria": False},
            "encoding": {"x": _VALUE, "y": _WHO, **_BY_SLOT},
        },
    ],
    ("points", "benchmark"),
)
_LEVEL = _VALUE | {"axis": {"title": None, "tickCount": 5}}
_YEAR = {"field": "year", "type": "ordinal", "axis": {"title": None, "labelAngle": 0}}
_TREND = _chart(
    230,
    170,
    60,
    [
        {
            "data": {"name": "points"},
            "mark": {"type": "line", "strokeWidth": 1.6, "aria": False},
            "encoding": {
                "x": _YEAR,
                "y": _LEVEL,
                "detail": {"field": "who", "type": "nominal"},
                "stroke": _BY_SLOT["stroke"],
                "strokeDash": {
                    "condition": {"test": "datum.slot == 'region'", "value": [5, 4]},
                    "value": [1, 0],
                },
                "opacity": {
                    "condition": {"test": "datum.slot == 'peer' || datum.slot == 'other'", "value": 0.35},
                    "value": 1,
                },
            },
        },
        {
            "data": {"name": "points"},
            "transform": [{"filter": "datum.slot != 'peer' && datum.slot != 'other'"}],
            "mark": {"type": "point", "size": 60, "strokeWidth": 1.6, "opacity": 1, "aria": False},
            "encoding": {"x": _YEAR, "y": _LEVEL, **_BY_SLOT},
        },
    ],
    ("points",),
)
_RANK = {
    "type": "quantitative",
    "scale": {"zero": False, "nice": False, "padding": 12},
    "axis": {"title": _AXIS, "tickMinStep": 1, "format": "d"},
}
_STABILITY = _chart(
    420,
    None,
    _LABELS,
    [
        {
            "data": {"name": "cut"},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": _INK, "aria": False},
            "encoding": {"x": _RANK | {"field": "value"}},
        },
        {
            "data": {"name": "points"},
            "mark": {"type": "rule", "strokeWidth": 2, "color": "#767676", "aria": False},
            "encoding": {"x": _RANK | {"field": "low"}, "x2": {"field": "high"}, "y": _WHO},
        },
        {
            "data": {"name": "points"},
            "mark": {"type": "point", "size": 80, "strokeWidth": 1.6, "opacity": 1, "aria": False},
            "encoding": {"x": _RANK | {"field": "rank"}, "y": _WHO, **_BY_SLOT},
        },
    ],
    ("points", "cut"),
)
