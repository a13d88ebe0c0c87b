"""A ready Superset dashboard over the mirrored views: pages for ranking, trend, quality, flow and quotas.

Belongs here: which datasets, metrics, charts and pages there are, and writing them as a zip that Superset imports.
Does not belong here: numbers (a metric only sums or averages what a mart holds), words of its own: titles of columns
come from the data package, so that the dashboard says what the release says.

Each dataset selects columns of views by their names in the marts (`mart.column`); a column that a mart does not have
is refused here, not noticed by an analyst. The same release gives the same bytes.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from publishing.manifest import DATAPACKAGE

ROOT = "zhuanke"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "zhuanke.superset")
# a zip keeps times; equal content must give equal bytes
EPOCH = (1980, 1, 1, 0, 0, 0)
WIDTH = 12
PERCENT, WHOLE, TWO = ".2%", ",d", ",.2f"


class DashboardError(RuntimeError):
    """The dashboard does not fit the release; the text says which column is missing."""


@dataclass(frozen=True)
class Metric:
    """A sum or average of a column."""

    title: str
    expression: str
    number_format: str


@dataclass(frozen=True)
class Dataset:
    """A query over views: `columns` maps a name to `mart.column`, `computed` to a title and an expression."""

    title: str
    source: str
    columns: Mapping[str, str]
    metrics: Mapping[str, Metric]
    computed: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """A chart of a dataset, as wide as so many twelfths of a page."""

    title: str
    dataset: str
    kind: str
    width: int
    params: Mapping[str, Any]
    height: int = 60


HOSPITAL_NAMES = "left join {v1}dim_hospital dim_hospital using (hospital_id)"
SPECIALTY_NAMES = "left join {v1}dim_specialty dim_specialty using (specialty_code)"
DIVISION_NAME = (
    "coalesce((select min(o.residence_name_zh) from {{v1}}fct_outflow o where o.residence_division = {0}), {0})"
)
INDICATOR_SOURCE = (
    f"{{v1}}fct_indicator fct_indicator {HOSPITAL_NAMES} {SPECIALTY_NAMES} "
    "join {v1}dim_indicator dim_indicator using (indicator_id) join {v1}dim_window dim_window using (window_id)"
)


def _worded(title: str, column: str, **words: str) -> tuple[str, str]:
    """Codes as words; a code without a word stays as it is."""
    cases = " ".join(f"when '{code}' then '{word}'" for code, word in words.items())
    return title, f"case {column} {cases} else {column} end"


def _latest(window: str) -> tuple[str, str]:
    """Whether a row's window is the last one of three complete years, or the last one if none is complete."""
    last = "(select max(w.window_id) from {v1}dim_window w where w.years = 3"
    return "最近的三年期", f"{window} = coalesce({last} and w.is_complete), {last}))"


SEVERITY = {"critical": "关键", "warning": "提醒", "info": "提示"}
STATUS = {"failed": "不通过", "error": "无法判定", "passed": "通过", "not_applicable": "不适用"}
QUOTA = {"met": "达到", "not_met": "未达到", "unknown": "无法判断", "not_applicable": "不适用"}
DECISION = {
    "recommended": "推荐",
    "reserve": "候补",
    "not_recommended": "未推荐",
    "not_eligible": "不符合条件",
    "infeasible": "名额无法同时满足",
}

DATASETS: dict[str, Dataset] = {
    "zhuanke_score": Dataset(
        title="专科得分与名次",
        source=f"{{v1}}fct_score fct_score {HOSPITAL_NAMES} {SPECIALTY_NAMES} "
        "left join {v1}dim_programme dim_programme using (programme_id, tier)",
        columns={
            "programme": "dim_programme.title_zh",
            "tier": "dim_programme.tier_zh",
            "window_id": "fct_score.window_id",
            "hospital": "dim_hospital.name_zh",
            "specialty": "dim_specialty.name_zh",
            "level": "fct_score.level",
            "group_zh": "fct_score.group_zh",
            "rank": "fct_score.rank",
            "rank_reason": "fct_score.rank_reason",
            "score": "fct_score.score",
            "coverage": "fct_score.coverage",
            "missing_count": "fct_score.missing_count",
            "provisional_count": "fct_score.provisional_count",
        },
        metrics={
            "first_places": Metric("第一名数", "sum(case when rank = 1 then 1 else 0 end)", WHOLE),
            "ranked": Metric("有名次的专科数", "count(rank)", WHOLE),
            "missing": Metric("缺数据的条目", "sum(missing_count)", WHOLE),
        },
    ),
    "zhuanke_indicator": Dataset(
        title="专科指标",
        source=INDICATOR_SOURCE,
        columns={
            "window_id": "fct_indicator.window_id",
            "years": "dim_window.years",
            "last_year": "dim_window.last_year",
            "hospital": "dim_hospital.name_zh",
            "is_region": "dim_hospital.is_region",
            "specialty": "dim_specialty.name_zh",
            "attribution": "fct_indicator.attribution",
            "indicator_id": "fct_indicator.indicator_id",
            "indicator": "dim_indicator.name_zh",
            "unit": "dim_indicator.unit",
            "direction": "dim_indicator.direction",
            "clause": "dim_indicator.clause",
            "definition": "dim_indicator.definition_zh",
            "case_count": "fct_indicator.case_count",
            "status": "fct_indicator.status",
            "status_reason": "fct_indicator.status_reason",
        },
        computed={
            "indicator_with_unit": ("指标（单位）", "dim_indicator.name_zh || '（' || dim_indicator.unit || '）'"),
            "shown_value": (
                "指标值（按单位展示）",
                "fct_indicator.value * case when dim_indicator.unit = '%' then 100 else 1 end",
            ),
            "shown_benchmark": (
                "省内标杆（按单位展示）",
                "fct_indicator.benchmark * case when dim_indicator.unit = '%' then 100 else 1 end",
            ),
            "year": ("年度", "cast(dim_window.last_year as text)"),
            "is_latest": _latest("fct_indicator.window_id"),
        },
        metrics={
            # one row per hospital, specialty, window and indicator: the average of one row is that row
            "value_shown": Metric("指标值", "avg(shown_value)", TWO),
            "benchmark_shown": Metric("省内标杆", "avg(shown_benchmark)", TWO),
            "cases": Metric("病例数", "sum(case_count)", WHOLE),
        },
    ),
    "zhuanke_quality": Dataset(
        title="数据质量",
        source="{v1}fct_dq_result fct_dq_result left join {v1}dim_hospital dim_hospital "
        "on dim_hospital.hospital_id = fct_dq_result.organisation_id",
        columns={
            "rule_id": "fct_dq_result.rule_id",
            "dataset": "fct_dq_result.dataset",
            "hospital": "dim_hospital.name_zh",
            "month": "fct_dq_result.month",
            "severity": "fct_dq_result.severity",
            "status": "fct_dq_result.status",
            "checked": "fct_dq_result.checked",
            "violated": "fct_dq_result.violated",
        },
        computed={
            "severity_zh": _worded("严重程度", "fct_dq_result.severity", **SEVERITY),
            "status_zh": _worded("状态", "fct_dq_result.status", **STATUS),
        },
        metrics={
            "checked_rows": Metric("检查行数", "sum(checked)", WHOLE),
            "violated_rows": Metric("违规行数", "sum(violated)", WHOLE),
            "violated_share": Metric("违规占比", "sum(violated) / nullif(sum(checked), 0)", PERCENT),
        },
    ),
    "zhuanke_flow": Dataset(
        title="患者流向",
        source=f"{{v1}}fct_patient_flow fct_patient_flow {SPECIALTY_NAMES}",
        columns={
            "data_year": "fct_patient_flow.data_year",
            "specialty": "dim_specialty.name_zh",
            "residence_division": "fct_patient_flow.residence_division",
            "hospital_division": "fct_patient_flow.hospital_division",
            "discharge_count": "fct_patient_flow.discharge_count",
        },
        computed={
            "residence": ("现住地", DIVISION_NAME.format("fct_patient_flow.residence_division")),
            "city": ("机构所在市", DIVISION_NAME.format("fct_patient_flow.hospital_division") + " || '（就诊）'"),
            "year": ("年度", "cast(fct_patient_flow.data_year as text)"),
        },
        metrics={"discharges": Metric("出院人次", "sum(discharge_count)", WHOLE)},
    ),
    "zhuanke_outflow": Dataset(
        title="外出就诊",
        source=f"{{v1}}fct_outflow fct_outflow {SPECIALTY_NAMES}",
        columns={
            "window_id": "fct_outflow.window_id",
            "division_rank": "fct_outflow.division_rank",
            "residence": "fct_outflow.residence_name_zh",
            "specialty": "dim_specialty.name_zh",
            "resident_count": "fct_outflow.resident_count",
            "outflow_count": "fct_outflow.outflow_count",
            "is_above_threshold": "fct_outflow.is_above_threshold",
        },
        computed={
            "rank_zh": _worded("区划层级", "fct_outflow.division_rank", prefecture="市际", county="县际"),
            "is_latest": _latest("fct_outflow.window_id"),
        },
        metrics={
            "residents": Metric("居民出院人次", "sum(resident_count)", WHOLE),
            "outflow": Metric("外出就诊人次", "sum(outflow_count)", WHOLE),
            "outflow_rate": Metric("外出就诊率", "sum(outflow_count) / nullif(sum(resident_count), 0)", PERCENT),
        },
    ),
    "zhuanke_quota": Dataset(
        title="数量要求",
        source="{v1}fct_quota fct_quota",
        columns={
            "title": "fct_quota.title_zh",
            "clause": "fct_quota.clause",
            "scope": "fct_quota.scope_zh",
            "period": "fct_quota.period",
            "unit": "fct_quota.unit",
            "required_low": "fct_quota.required_low",
            "required_high": "fct_quota.required_high",
            "actual": "fct_quota.actual",
            "status": "fct_quota.status",
            "status_reason": "fct_quota.status_reason",
        },
        computed={"status_zh": _worded("状态", "fct_quota.status", **QUOTA)},
        metrics={"rules": Metric("条数", "count(*)", WHOLE)},
    ),
    "zhuanke_selection": Dataset(
        title="遴选建议",
        source=f"{{v1}}fct_selection fct_selection {HOSPITAL_NAMES} {SPECIALTY_NAMES} "
        "left join {v1}dim_programme dim_programme using (programme_id, tier)",
        columns={
            "programme": "dim_programme.title_zh",
            "tier": "dim_programme.tier_zh",
            "hospital": "dim_hospital.name_zh",
            "specialty": "dim_specialty.name_zh",
            "score": "fct_selection.score",
            "score_rank": "fct_selection.score_rank",
            "eligibility": "fct_selection.eligibility",
            "decision": "fct_selection.decision",
            "position": "fct_selection.position",
            "decision_reason": "fct_selection.decision_reason",
        },
        computed={"decision_zh": _worded("决定", "fct_selection.decision", **DECISION)},
        metrics={"candidates": Metric("候选数", "count(*)", WHOLE)},
    ),
}


def _where(expression: str) -> dict[str, Any]:
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
        "adhoc_filters": [_where(each) for each in filters],
        "order_by_cols": [json.dumps(each) for each in order],
        "row_limit": 1000,
        "column_config": {name: {"d3NumberFormat": SHOWN[name]} for name in columns if name in SHOWN},
    }


def _grouped(by: list[str], metrics: list[str], *filters: str, **more: Any) -> dict[str, Any]:
    return {
        "query_mode": "aggregate",
        "groupby": by,
        "metrics": metrics,
        "adhoc_filters": [_where(each) for each in filters],
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
        "adhoc_filters": [_where(each) for each in filters],
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
                    _where(each) for each in ("is_region", "years = 1", "attribution = 'department'", ALL)
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
                "adhoc_filters": [_where(ALL), _where("discharge_count >= 10")],
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


def mart_columns(folder: Path) -> dict[str, dict[str, str]]:
    """Title of every column of every mart of a release."""
    package = json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))
    return {
        resource["name"]: {each["name"]: each["title"] for each in resource["schema"]["fields"]}
        for resource in package["resources"]
        if "schema" in resource
    }


def marts_used() -> set[str]:
    """The marts that the dashboard reads."""
    words = {word for dataset in DATASETS.values() for word in dataset.source.split()}
    return {word.removeprefix("{v1}") for word in words if word.startswith("{v1}")}


def dashboard_zip(marts: Mapping[str, Mapping[str, str]], *, uri: str, prefix: str = "zhuanke") -> bytes:
    """The import package: a database, datasets, charts and a dashboard; `uri` says where the mirror is."""
    v1 = f"{prefix}_v1."
    documents: dict[str, dict[str, Any]] = {
        "metadata.yaml": {"version": "1.0.0", "type": "Dashboard", "timestamp": "2000-01-01T00:00:00+00:00"},
        "databases/zhuanke.yaml": _database(uri),
    }
    for name, dataset in DATASETS.items():
        documents[f"datasets/zhuanke/{name}.yaml"] = _dataset(name, dataset, marts, v1)
    charts = [chart for page in PAGES.values() for chart in page]
    for number, chart in enumerate(charts, 1):
        documents[f"charts/chart_{number}.yaml"] = _chart(chart)
    documents["dashboards/zhuanke.yaml"] = _dashboard(charts)
    block = io.BytesIO()
    with zipfile.ZipFile(block, "w", zipfile.ZIP_DEFLATED) as package:
        for path, document in documents.items():
            text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
            package.writestr(zipfile.ZipInfo(f"{ROOT}/{path}", EPOCH), text)
    return block.getvalue()


def _id(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))


def _database(uri: str) -> dict[str, Any]:
    return {
        "database_name": "专科指标",
        "sqlalchemy_uri": uri,
        "expose_in_sqllab": True,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_run_async": False,
        "extra": {"allows_virtual_table_explore": True},
        "uuid": _id("database"),
        "version": "1.0.0",
    }


def _dataset(name: str, dataset: Dataset, marts: Mapping[str, Mapping[str, str]], v1: str) -> dict[str, Any]:
    titles = {alias: _title(name, place, marts) for alias, place in dataset.columns.items()}
    titles |= {alias: title for alias, (title, _) in dataset.computed.items()}
    selected = [f"{place} as {alias}" for alias, place in dataset.columns.items()]
    selected += [f"{expression} as {alias}" for alias, (_, expression) in dataset.computed.items()]
    query = f"select {', '.join(selected)} from {dataset.source}".replace("{v1}", v1)
    return {
        "table_name": name,
        "description": dataset.title,
        "schema": v1.rstrip("."),
        "sql": query,
        "uuid": _id("dataset", name),
        "metrics": [
            {
                "metric_name": key,
                "verbose_name": metric.title,
                "expression": metric.expression,
                "d3format": metric.number_format,
            }
            for key, metric in dataset.metrics.items()
        ],
        "columns": [
            {"column_name": alias, "verbose_name": title, "groupby": True, "filterable": True, "is_active": True}
            for alias, title in titles.items()
        ],
        "version": "1.0.0",
        "database_uuid": _id("database"),
    }


def _title(dataset: str, place: str, marts: Mapping[str, Mapping[str, str]]) -> str:
    mart, column = place.split(".")
    if column not in marts.get(mart, {}):
        raise DashboardError(f"仪表板数据集 {dataset} 用到的列 {place} 不在发布版中")
    return marts[mart][column]


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "slice_name": chart.title,
        "viz_type": chart.kind,
        "params": {"viz_type": chart.kind, **chart.params},
        "uuid": _id("chart", chart.title),
        "version": "1.0.0",
        "dataset_uuid": _id("dataset", chart.dataset),
    }


def _dashboard(charts: list[Chart]) -> dict[str, Any]:
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["TABS-1"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": "专科指标"}},
        "TABS-1": {"id": "TABS-1", "type": "TABS", "children": [], "meta": {}, "parents": ["ROOT_ID"]},
    }
    for number, (title, page) in enumerate(PAGES.items(), 1):
        tab = f"TAB-{number}"
        position["TABS-1"]["children"].append(tab)
        above = ["ROOT_ID", "TABS-1"]
        position[tab] = {"id": tab, "type": "TAB", "children": [], "meta": {"text": title}, "parents": above}
        used = WIDTH
        for chart in page:
            if used + chart.width > WIDTH:
                used, row = 0, f"ROW-{number}-{len(position[tab]['children']) + 1}"
                position[tab]["children"].append(row)
                background = {"background": "BACKGROUND_TRANSPARENT"}
                position[row] = {"id": row, "type": "ROW", "children": [], "meta": background, "parents": [*above, tab]}
            used += chart.width
            place = f"CHART-{charts.index(chart) + 1}"
            position[row]["children"].append(place)
            position[place] = {
                "id": place,
                "type": "CHART",
                "children": [],
                "parents": [*above, tab, row],
                "meta": {
                    "chartId": charts.index(chart) + 1,
                    "uuid": _id("chart", chart.title),
                    "sliceName": chart.title,
                    "width": chart.width,
                    "height": chart.height,
                },
            }
    return {
        "dashboard_title": "专科指标",
        "description": "排名、趋势、质量、流向、名额",
        "slug": "zhuanke",
        "uuid": _id("dashboard"),
        "position": position,
        "metadata": {
            "native_filter_configuration": [_filter(charts, *each) for each in FILTERS],
            "color_scheme": "supersetColors",
        },
        "published": True,
        "version": "1.0.0",
    }


def _filter(charts: list[Chart], title: str, column: str, dataset: str) -> dict[str, Any]:
    """A filter of the whole dashboard, except for charts that show all specialties together anyway."""
    fixed = [i for i, chart in enumerate(charts, 1) if column == "specialty" and _where(ALL) in _conditions(chart)]
    return {
        "id": f"NATIVE_FILTER-{column}",
        "name": title,
        "filterType": "filter_select",
        "targets": [{"column": {"name": column}, "datasetUuid": _id("dataset", dataset)}],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": fixed},
        "controlValues": {"multiSelect": True, "enableEmptyFilter": False, "searchAllOptions": False},
        "defaultDataMask": {"filterState": {}, "extraFormData": {}},
        "cascadeParentIds": [],
        "type": "NATIVE_FILTER",
    }


def _conditions(chart: Chart) -> list[dict[str, Any]]:
    conditions: list[dict[str, Any]] = chart.params["adhoc_filters"]
    return conditions
