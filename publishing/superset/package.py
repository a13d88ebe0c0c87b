"""The dashboard as a zip that Superset imports: a database, datasets, charts and pages.

Belongs here: the documents that Superset reads.  Does not belong here: what they show, and words of its own: titles of
columns come from the data package, so that the dashboard says what the release says.

A column that a mart does not have is refused here, not noticed by an analyst. The same release gives the same bytes.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from publishing.manifest import DATAPACKAGE
from publishing.superset.datasets import DATASETS, Dataset
from publishing.superset.pages import ALL, FILTERS, PAGES, Chart, where

ROOT = "zhuanke"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "zhuanke.superset")
# a zip keeps times; equal content must give equal bytes
EPOCH = (1980, 1, 1, 0, 0, 0)
WIDTH = 12


class DashboardError(RuntimeError):
    """The dashboard does not fit the release; the text says which column is missing."""


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
    fixed = [i for i, chart in enumerate(charts, 1) if column == "specialty" and where(ALL) in _conditions(chart)]
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
