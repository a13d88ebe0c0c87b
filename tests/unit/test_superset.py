"""The Superset dashboard fits the marts, speaks Chinese, and what it reads is named by a dbt exposure."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from dagster_project import cli
from publishing.superset.datasets import DATASETS
from publishing.superset.package import DashboardError, dashboard_zip, marts_used

DBT = Path(__file__).parents[2] / "dbt" / "models"
URI = "postgresql+psycopg2://zhuanke_reader@10.0.0.8/bi"


def declared_marts() -> dict[str, dict[str, str]]:
    """Every mart and the Chinese title of every column, as dbt declares them."""
    models = [
        model
        for file in sorted((DBT / "marts").rglob("*.yml"))
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
    ]
    return {
        model["name"]: {each["name"]: re.split("[。；：，（]", each["description"])[0] for each in model["columns"]}
        for model in models
    }


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    """The documents of the import package, by path."""
    with zipfile.ZipFile(io.BytesIO(dashboard_zip(declared_marts(), uri=URI))) as opened:
        return {name: yaml.safe_load(opened.read(name)) for name in opened.namelist()}


def of_kind(package: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {document["uuid"]: document for name, document in package.items() if f"/{kind}/" in name}


def test_every_column_of_the_dashboard_is_a_column_of_a_mart(package: dict[str, Any]) -> None:
    marts = declared_marts()
    assert marts_used() <= set(marts)
    for dataset in DATASETS.values():
        shown = " ".join([dataset.source, *dataset.columns.values(), *(each[1] for each in dataset.computed.values())])
        for mart, column in re.findall(r"\b((?:dim|fct|ref)_\w+)\.(\w+)", shown):
            assert column in marts[mart], f"{mart}.{column}"


def test_a_column_that_is_gone_is_refused_by_name() -> None:
    marts = declared_marts()
    del marts["fct_score"]["rank"]
    with pytest.raises(DashboardError, match=r"zhuanke_score 用到的列 fct_score\.rank"):
        dashboard_zip(marts, uri=URI)


def test_charts_use_only_columns_and_metrics_of_their_dataset(package: dict[str, Any]) -> None:
    datasets, charts = of_kind(package, "datasets"), of_kind(package, "charts")
    assert len(charts) >= 14
    for chart in charts.values():
        dataset, params = datasets[chart["dataset_uuid"]], chart["params"]
        columns = {column["column_name"] for column in dataset["columns"]}
        metrics = {metric["metric_name"] for metric in dataset["metrics"]}
        listed = ("all_columns", "groupby", "groupbyRows", "groupbyColumns")
        used = {name for key in listed for name in params.get(key, [])}
        used |= {params[key] for key in ("x_axis", "source", "target") if key in params}
        assert used <= columns, chart["slice_name"]
        assert {*params.get("metrics", []), *filter(None, [params.get("metric")])} <= metrics, chart["slice_name"]
        # Superset refuses sub-queries in filters, and only when somebody looks
        assert not [each for each in params["adhoc_filters"] if "select" in each["sqlExpression"]]


def test_labels_are_chinese_and_every_chart_has_its_place(package: dict[str, Any]) -> None:
    chinese = re.compile("[\u4e00-\u9fff]")
    for dataset in of_kind(package, "datasets").values():
        for each in (*dataset["columns"], *dataset["metrics"]):
            assert chinese.search(each["verbose_name"]), each
    [dashboard] = of_kind(package, "dashboards").values()
    position = dashboard["position"]
    tabs = [each["meta"]["text"] for each in position.values() if isinstance(each, dict) and each["type"] == "TAB"]
    assert tabs == ["排名", "趋势", "质量", "流向", "名额"]
    placed = {each["meta"]["uuid"] for each in position.values() if isinstance(each, dict) and each["type"] == "CHART"}
    assert placed == set(of_kind(package, "charts"))


def test_equal_releases_give_equal_bytes() -> None:
    assert dashboard_zip(declared_marts(), uri=URI) == dashboard_zip(declared_marts(), uri=URI)


def test_exposures_name_every_mart_and_what_the_dashboard_reads() -> None:
    documents = yaml.safe_load((DBT / "_exposures.yml").read_text(encoding="utf-8"))["exposures"]
    reads = {each["name"]: {re.sub(r"ref\('(\w+)'\)", r"\1", one) for one in each["depends_on"]} for each in documents}
    assert reads["superset_dashboard"] == marts_used()
    assert reads["release"] == reads["target_database"] == set(declared_marts())


def test_the_command_writes_the_package_without_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {name: [{"name": c, "title": t} for c, t in columns.items()] for name, columns in declared_marts().items()}
    resources = [{"name": name, "schema": {"fields": each}} for name, each in fields.items()]
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "datapackage.json").write_text(json.dumps({"resources": resources}), encoding="utf-8")
    (tmp_path / "zhuanke.toml").write_text(
        '[connections.bi]\nurl = "postgresql+psycopg://reader@10.0.0.8/bi"\npassword_env = "BI_PASSWORD"\n'
        '[targets.mirror]\nconnection = "bi"\nprefix = "spec"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("BI_PASSWORD", "机密")
    out = tmp_path / "dashboard.zip"
    done = CliRunner().invoke(cli.app, ["target", "superset", "mirror", str(out), "--home", str(tmp_path)])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(out) as opened:
        texts = [opened.read(name).decode() for name in opened.namelist()]
    assert any("postgresql+psycopg2://reader@10.0.0.8/bi" in text for text in texts)
    assert any("spec_v1.fct_score" in text for text in texts)
    assert not [text for text in texts if "机密" in text]
