"""Which charts stand on which page of the dashboard: ranking, trend, quality, flow and quotas.

Belongs here: charts of datasets, their order and widths, and the filters of the whole dashboard.  Does not belong
here: where their numbers come from (:mod:`publishing.superset.datasets`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from publishing.superset.datasets import PERCENT, TWO, WHOLE


@dataclass(frozen=True)
class Chart:
    """A chart of a dataset, as wide as so many twelfths of a page."""

    title: str
    dataset: str
    kind: str
    width: int
    params: Mapping[str, Any]
    height: int = 60


def where(expression: str) -> dict[str, Any]:
    """A condition of a chart, as Superset writes it."""
    return {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": expression}


# how numbers look in a table of rows
SHOWN = {
    "score": TWO,
    "coverage": PERCENT,
    "shown_value": TWO,
    "shown_benchmark": TWO,
    "required_low": TWO,
    "required_high": TWO,
    "actual": TWO,
}


def _rows(columns: list[str], *filters: str, order: Sequence[tuple[str, bool]] = ()) -> dict[str, Any]:
    """A table of rows as they are; `order` names columns and whether they ascend."""
    return {
        "query_mode": "raw",
        "all_columns": columns,
        "adhoc_filters": [where(each) for each in filters],
        "order_by_cols": [json.dumps(each) for each in order],
        "row_limit": 1000,
        "column_config": {name: {"d3NumberFormat": SHOWN[name]} for name in columns if name in SHOWN},
    }


def _grouped(by: list[str], metrics: list[str], *filters: str, **more: Any) -> dict[str, Any]:
    return {
        "query_mode": "aggregate",
        "groupby": by,
        "metrics": metrics,
        "adhoc_filters": [where(each) for each in filters],
        "row_limit": 500,
        **more,
    }


def _bars(axis: str, metrics: list[str], *filters: str, **more: Any) -> dict[str, Any]:
    return {
        "x_axis": axis,
        "x_axis_sort_asc": True,
        "x_axis_sort": metrics[0],
        "orientation": "horizontal",
        "metrics": metrics,
        "groupby": [],
        "adhoc_filters": [where(each) for each in filters],
        "row_limit": 30,
        "truncate_metric": True,
        "show_legend": True,
        **more,
    }


OF_HOSPITALS = "not is_region and attribution = 'department'"
LATEST = "is_latest"
TOTAL = "level = 'total'"
CMI = "indicator_id = 'cmi'"
ALL = "specialty = '全部专科'"

PAGES: dict[str, list[Chart]] = {
    "排名": [
        Chart(
            "专科名次",
            "zhuanke_score",
            "table",
            8,
            _rows(
                ["programme", "tier", "specialty", "rank", "hospital", "score", "coverage", "window_id"],
                TOTAL,
                "rank is not null",
                order=[("programme", True), ("tier", True), ("specialty", True), ("rank", True)],
            ),
        ),
        Chart(
            "各机构的第一名数",
            "zhuanke_score",
            "echarts_timeseries_bar",
            4,
            _bars("hospital", ["first_places", "ranked"], TOTAL, "rank is not null"),
        ),
        Chart(
            "CMI：各机构与省内标杆（三年合计，全部专科）",
            "zhuanke_indicator",
            "echarts_timeseries_bar",
            6,
            _bars("hospital", ["value_shown", "benchmark_shown"], OF_HOSPITALS, LATEST, CMI, ALL),
        ),
        Chart(
            "指标明细（三年合计）",
            "zhuanke_indicator",
            "table",
            6,
            _rows(
                ["specialty", "indicator_with_unit", "hospital", "shown_value", "shown_benchmark", "case_count"],
                OF_HOSPITALS,
                LATEST,
                "status = 'valued'",
                order=[("specialty", True), ("indicator_with_unit", True), ("shown_value", False)],
            ),
        ),
    ],
    "趋势": [
        Chart(
            "CMI 逐年变化（全部专科）",
            "zhuanke_indicator",
            "echarts_timeseries_line",
            12,
            _bars("year", ["value_shown"], OF_HOSPITALS, "years = 1", CMI, ALL)
            | {"groupby": ["hospital"], "orientation": "vertical", "x_axis_sort": "year"},
        ),
        Chart(
            "全省指标逐年对照",
            "zhuanke_indicator",
            "pivot_table_v2",
            12,
            {
                "groupbyRows": ["indicator_with_unit"],
                "groupbyColumns": ["year"],
                "metrics": ["value_shown"],
                "adhoc_filters": [
                    where(each) for each in ("is_region", "years = 1", "attribution = 'department'", ALL)
                ],
                "row_limit": 2000,
                "aggregateFunction": "Average",
                "valueFormat": TWO,
            },
            80,
        ),
    ],
    "质量": [
        Chart(
            "各规则的违规占比",
            "zhuanke_quality",
            "echarts_timeseries_bar",
            6,
            _bars("rule_id", ["violated_share"], "checked > 0", y_axis_format=PERCENT),
            80,
        ),
        Chart(
            "未通过的规则、机构与月份",
            "zhuanke_quality",
            "table",
            6,
            _rows(
                ["severity_zh", "rule_id", "hospital", "month", "checked", "violated"],
                "status in ('failed', 'error')",
                order=[("violated", False)],
            ),
            80,
        ),
        Chart(
            "各月检查与违规行数",
            "zhuanke_quality",
            "echarts_timeseries_bar",
            12,
            _bars("month", ["checked_rows", "violated_rows"], "month <> ''")
            | {"orientation": "vertical", "x_axis_sort": "month", "row_limit": 120},
        ),
    ],
    "流向": [
        Chart(
            "从现住地到机构所在市",
            "zhuanke_flow",
            "sankey_v2",
            6,
            {
                "source": "residence",
                "target": "city",
                "metric": "discharges",
                "adhoc_filters": [where(ALL), where("discharge_count >= 10")],
                "row_limit": 60,
                "sort_by_metric": True,
            },
            90,
        ),
        Chart(
            "外出就诊率（市际，全部专科）",
            "zhuanke_outflow",
            "echarts_timeseries_bar",
            6,
            _bars("residence", ["outflow_rate"], "division_rank = 'prefecture'", LATEST, ALL, y_axis_format=PERCENT),
            90,
        ),
        Chart(
            "超过阈值的专科与居民所在地",
            "zhuanke_outflow",
            "table",
            12,
            _grouped(
                ["rank_zh", "residence", "specialty"],
                ["residents", "outflow", "outflow_rate"],
                "is_above_threshold",
                LATEST,
                timeseries_limit_metric="outflow",
                order_desc=True,
            ),
        ),
    ],
    "名额": [
        Chart(
            "数量要求逐条核对",
            "zhuanke_quota",
            "table",
            12,
            _rows(["title", "scope", "period", "required_low", "required_high", "actual", "unit", "status_zh"]),
        ),
        Chart(
            "遴选建议：各方案各决定的候选数",
            "zhuanke_selection",
            "pivot_table_v2",
            5,
            {
                "groupbyRows": ["programme", "tier"],
                "groupbyColumns": ["decision_zh"],
                "metrics": ["candidates"],
                "adhoc_filters": [],
                "row_limit": 1000,
                "aggregateFunction": "Sum",
                "valueFormat": WHOLE,
            },
        ),
        Chart(
            "遴选建议名单",
            "zhuanke_selection",
            "table",
            7,
            _rows(
                ["programme", "tier", "position", "hospital", "specialty", "score", "decision_reason"],
                "decision = 'recommended'",
                order=[("score", False)],
            ),
        ),
    ],
}

# title, column (in every dataset that has it), and the dataset that lists its values
FILTERS = (("专科", "specialty", "zhuanke_score"), ("机构", "hospital", "zhuanke_score"))
