"""The candidate warehouse: landed files as views, then every dbt model and seed as an asset.

Belongs here: how dbt is called and how its nodes appear in Dagster.
Does not belong here: SQL. All indicator arithmetic is in dbt/, which runs in place.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from dbt.version import __version__ as dbt_version
from filelock import FileLock
from packaging.version import Version

from dagster_project.dbt_command import DBT, DBT_FOLDER, profile_environment, run_dbt
from dagster_project.decisions import prepare_candidate
from dagster_project.defs import promises
from dagster_project.defs.landing import dataset_key
from dagster_project.defs.resources import HomeResource
from dagster_project.grouping import grouping_choice
from dagster_project.kept_months import tidy
from dagster_project.promises import Promise
from dagster_project.promises import promises as promises_of
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.workspace import Workspace
from publishing.provenance import folder_hash
from sources.landing import DATASETS

CANDIDATE = dg.AssetKey("candidate")
# what dbt parses: its own folder and the two folders it reads seeds from
_PARSED = ("dbt", "sources/reference", "expectations/rules")
# parses, and puts the SQL of all tests into the manifest; without a database
_PREPARE = ("compile", "--select", "resource_type:test", "--no-introspect", "--no-populate-cache")
# what a night computes is thrown away: its manifest and every debug message would be written for nobody
_UNRECORDED = ("--no-write-json", "--log-level-file", "none")


def _vars(settings: Settings) -> list[str]:
    # Definitions load without a province (to look around); a run insists on it, see `candidate`.
    if settings.province_division is None:
        return []
    choice = grouping_choice(settings).as_vars()
    return ["--vars", json.dumps({"province_division": settings.province_division, **choice})]


def prepared_project(settings: Settings) -> DbtProject:
    """The dbt project with its manifest, read once per state of SQL, seeds, variables and version."""
    state = [*(folder_hash(PROJECT_ROOT / folder) for folder in _PARSED), *_PREPARE, *_vars(settings)]
    name = f"{hashlib.sha256(''.join(state).encode()).hexdigest()[:16]}-{dbt_version}"
    cache = settings.cache / "dbt"
    project = DbtProject(DBT_FOLDER, target_path=cache / name, profiles_dir=DBT_FOLDER)
    if not project.manifest_path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / "parse.lock"):
            if not project.manifest_path.exists():
                _parse(settings, cache, project.target_path)
    return project


def _parse(settings: Settings, cache: Path, target: Path) -> None:
    for outdated in cache.glob("*-*"):
        shutil.rmtree(outdated)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        made = Path(scratch) / "target"
        run_dbt(settings, Workspace.at(settings).candidate_db, made, [*_PREPARE, *_vars(settings)])
        made.rename(target)


class DbtInPlace(DbtCliResource):
    """dbt's command line and nothing around it."""

    @cached_property
    def _cli_version(self) -> Version:
        # dagster-dbt would ask `dbt --version`, which looks itself up at the package index
        return Version(dbt_version)

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        # needed only to fetch row counts and columns, which would hold the candidate open in this process
        return None


class WarehouseTranslator(DagsterDbtTranslator):
    """How dbt's nodes appear: grouped by folder, fed by the landed datasets through the candidate."""

    def __init__(self, promised: Mapping[str, Sequence[Promise]]) -> None:
        # receipts, slices and quarantine counts are three sources that the one `candidate` asset provides
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))
        self._promises = promised

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Name sources after landed assets, and let their readers wait for the candidate."""
        node = self.get_resource_props(manifest, unique_id)
        spec = super().get_asset_spec(manifest, unique_id, project)
        if node["resource_type"] == "source":
            return spec.replace_attributes(key=dataset_key(node["name"]) if node["name"] in DATASETS else CANDIDATE)
        reads_landing = any(upstream.startswith("source.") for upstream in node["depends_on"].get("nodes", []))
        if reads_landing and all(dep.asset_key != CANDIDATE for dep in spec.deps):
            spec = spec.replace_attributes(deps=[*spec.deps, dg.AssetDep(CANDIDATE)])
        return spec

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """One check for all tests of a table; dagster-dbt would make one of each."""
        single = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if single is None:  # a test of another table, which only reads this one
            return None
        return promises.check_spec(asset_spec.key, self._promises[asset_spec.key.to_user_string()], single.metadata)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """staging, intermediate, marts; seeds are reference data."""
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        return str(dbt_resource_props["fqn"][1])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The description alone; the SQL stays in its file."""
        return str(dbt_resource_props["description"])


@dg.asset(
    key=CANDIDATE,
    deps=[dataset_key(dataset) for dataset in DATASETS],
    group_name="staging",
    kinds={"duckdb"},
    description="候选库：把在用的落地文件挂成视图，供 dbt 计算；发布后即删除",
)
def candidate(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[None]:
    """Prepare a fresh candidate database."""
    _ = home.settings.province
    month = home.last_month
    home.workspace.candidate_db.unlink(missing_ok=True)
    held_back = prepare_candidate(home.settings, home.workspace.candidate_db, keep=True)
    if held_back:
        context.log.warning(f"{held_back} 个机构月份未通过关键规则，暂不采用（见 fct_held_back）")
    return dg.MaterializeResult(metadata={"last_month": month, "held_back": held_back})


def warehouse_assets(project: DbtProject) -> dg.AssetsDefinition:
    """All dbt models and seeds as one Dagster step, and what is promised of them."""
    nodes = json.loads(project.manifest_path.read_text(encoding="utf-8"))["nodes"]
    promised = promises_of(nodes)

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        dagster_dbt_translator=WarehouseTranslator(promised),
        name="warehouse",
    )
    def warehouse(context: dg.AssetExecutionContext, dbt: DbtInPlace, home: HomeResource) -> Iterator[Any]:
        os.environ.update(profile_environment(home.settings, Workspace.at(home.settings).candidate_db))
        # where dagster-dbt looks for the parsed project that it hands to this run
        os.environ["DBT_TARGET_PATH"] = str(project.target_path)
        build = ["build", *_UNRECORDED, "--exclude-resource-type", "test", "unit_test", *_vars(home.settings)]
        yield from dbt.cli(build, context=context, target_path=home.workspace.dbt_target).stream()
        tidy(home.settings, home.workspace.candidate_db)
        yield from promises.check(context, home, promised)

    return warehouse


def dbt_resource(project: DbtProject) -> DbtInPlace:
    """dbt as installed beside this Python."""
    return DbtInPlace(project_dir=str(project.project_dir), dbt_executable=str(DBT))
