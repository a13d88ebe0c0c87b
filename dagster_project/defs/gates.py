"""The gate: the marts as files, and the check that judges exactly these files.

Belongs here: when the judgement happens, where the verdict is stored, what of it Dagster shows (counts).
Does not belong here: what must hold (`expectations`).

A blocking check stops only its own run; therefore the publisher reads the stored verdict again.
"""

from pathlib import Path

import dagster as dg

from dagster_project.decisions import decisions_in_force
from dagster_project.defs.resources import HomeResource
from dagster_project.workspace import append_journal
from expectations.verdict import VerdictStore, write_durably
from publishing.export import export_marts, mart_specs

GROUP = "publish"
MARTS_EXPORT = dg.AssetKey("marts_export")


def marts_export_asset(manifest_path: Path) -> dg.AssetsDefinition:
    """The export of all marts; what is a mart is said by dbt's manifest."""
    marts = mart_specs(manifest_path)

    @dg.asset(
        key=MARTS_EXPORT,
        deps=[dg.AssetKey(mart.name) for mart in marts],
        group_name=GROUP,
        kinds={"parquet", "duckdb"},
        description="导出：各集市按主键排序写成 Parquet 与只读 DuckDB，逐字节可重复",
    )
    def marts_export(home: HomeResource) -> dg.MaterializeResult[None]:
        files = export_marts(home.workspace.candidate_db, home.workspace.marts, marts)
        return dg.MaterializeResult(metadata={"files": len(files), "rows": sum(file.rows for file in files)})

    return marts_export


@dg.asset_check(asset=MARTS_EXPORT, name="gate", blocking=True, description="质量门：逐条判定，关键项不通过则不发布")
def gate(context: dg.AssetCheckExecutionContext, home: HomeResource) -> dg.AssetCheckResult:
    """Judge the exported marts, store the verdict, and stop the run when the gate is closed."""
    from expectations.data_docs import DataDocs
    from expectations.runner import judge

    docs, store = DataDocs(), VerdictStore(home.settings.verdicts)
    verdict = judge(home.workspace.marts, docs=docs, decisions=decisions_in_force(home.settings))
    store.save(verdict)
    write_durably(store.documents(verdict), docs.to_html())
    if not verdict.is_open:
        append_journal(home.settings, "gate_closed", run_id=context.run.run_id, judged_hash=verdict.judged_hash)
    return dg.AssetCheckResult(
        passed=verdict.is_open,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"judged_hash": verdict.judged_hash, **verdict.summary},
    )
