"""The release: what readers see, once the stored verdict allows it.

Belongs here: which release id tonight's marts get, clearing the work folder afterwards, then pushing to targets.
Does not belong here: how a release is written, swapped in and mirrored (`publishing`).
"""

from dataclasses import asdict
from datetime import timedelta

import dagster as dg

from dagster_project.decisions import decisions_in_force
from dagster_project.defs.gates import GROUP, MARTS_EXPORT
from dagster_project.defs.resources import HomeResource
from dagster_project.fingerprint import release_fingerprint, release_id
from dagster_project.grouping import grouping_choice
from dagster_project.recorded import keep_method
from dagster_project.settings import PROJECT_ROOT, Settings
from dagster_project.targets import push_current
from dagster_project.workspace import append_journal
from expectations.verdict import VerdictStore

RELEASE = dg.AssetKey("release")


def release_asset(settings: Settings) -> dg.AssetsDefinition:
    """The published release."""

    @dg.asset(
        key=RELEASE,
        deps=[MARTS_EXPORT],
        group_name=GROUP,
        kinds={"parquet", "duckdb"},
        description="发布：重新核对已存判定后写成不可变的发布版，原子地切换 current，再同步到目标库",
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=settings.freshness_days)),
    )
    def release(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[None]:
        from publishing.provenance import collect_provenance
        from publishing.release import GateClosed, publish

        at = home.settings
        fingerprint = release_fingerprint(at)
        decisions = decisions_in_force(at)
        provenance = collect_provenance(
            PROJECT_ROOT,
            home.workspace.candidate_db,
            receipts=at.home / "receipts",
            province=at.province,
            grouping=grouping_choice(at).as_vars(),
        )
        # before anybody can ask for it
        keep_method(at, provenance["code"]["folders"])
        try:
            made = publish(
                home.workspace.marts,
                releases=at.releases,
                current=at.current,
                verdicts=VerdictStore(at.verdicts),
                decisions=decisions,
                provenance=provenance,
                release_id=release_id(home.last_month, fingerprint),
            )
        except GateClosed as closed:
            raise dg.Failure(description=str(closed), allow_retries=False) from closed
        append_journal(at, "published", run_id=context.run.run_id, release_id=made.release_id)
        home.workspace.close()
        # readers of files have the release; what a target makes of it changes nothing about that
        targets = push_current(at, automatic=True)
        for target in targets:
            if target.mark != "ok":
                context.log.warning(f"目标库 {target.name}：{target.text}")
        told = [asdict(target) for target in targets]
        return dg.MaterializeResult(metadata={"release_id": made.release_id, "targets": dg.MetadataValue.json(told)})

    return release
