"""Landing: what arrived, and one asset per dataset that is read into typed, de-identified Parquet.

Belongs here: the order (intake before datasets), the counts shown in Dagster, which errors a retry can help.
Does not belong here: decoding, checking, typing, pseudonyms: `sources` does that.

Only counts leave an asset; no value of a row, no file content, ever reaches Dagster's records.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import dagster as dg

from dagster_project.defs.resources import HomeResource
from dagster_project.pulling import pull_all
from dagster_project.settings import Settings
from sources import intake as source_intake
from sources import landing as source_landing
from sources.privacy import load_key

GROUP = "landing"
PULLS = dg.AssetKey("pulls")
INTAKE = dg.AssetKey("intake")

# A network share that hiccups. A full disk, a missing permission or a bad file stays as it is on a retry.
_PASSING_ERRORS = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EINTR,
    errno.EIO,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
}


def dataset_key(dataset: str) -> dg.AssetKey:
    """The asset of a landed dataset; dbt's source `landing.<dataset>` has the same key."""
    return dg.AssetKey([GROUP, dataset])


@contextmanager
def retrying_passing_errors() -> Iterator[None]:
    """Ask Dagster to try again when the file system may answer a little later; any other error stands."""
    try:
        yield
    except OSError as error:
        if error.errno in _PASSING_ERRORS:
            raise dg.RetryRequested(max_retries=3, seconds_to_wait=20) from error
        raise


@dg.asset(key=PULLS, group_name=GROUP, kinds={"sql"}, description="从数据库拉取到期的月份，放入收件箱")
def pulled(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[None]:
    """Pull every source; one that fails is told, and the others go on."""
    reports = list(pull_all(home.settings, tell=context.log.info))
    for report in reports:
        if report.problem is not None:
            context.log.warning(f"来源 {report.source}：{report.problem}")
    return dg.MaterializeResult(
        metadata={
            "months": sum(len(report.months) for report in reports),
            "rows": sum(report.rows for report in reports),
            "sources_failed": sum(report.problem is not None for report in reports),
        }
    )


def _intake(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=INTAKE,
        deps=[PULLS] if settings.pulls else [],
        group_name=GROUP,
        kinds={"file"},
        description="登记收件箱中新到的文件（只计数，不读内容）",
    )
    def intake(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[None]:
        """Record which files are new, which are known and which nobody recognises."""
        with retrying_passing_errors():
            found = source_intake.scan(home.settings.home)
            source_intake.record(home.settings.home, found)
        refused = [(file, file.problem) for file in found.new if file.problem is not None]
        for file, (_, message) in refused:
            context.log.warning(f"{file.path}：{message}")
        duplicates = sum(code == "duplicate_file" for _, (code, _) in refused)
        return dg.MaterializeResult(
            metadata={
                "files_new": len(found.new),
                "files_duplicate": duplicates,
                "files_unknown": len(refused) - duplicates,
            }
        )

    return intake


def _landed(dataset: str, settings: Settings) -> dg.AssetsDefinition:
    # front pages arrive every month; the other sources have no rhythm that could be missed
    monthly = dataset == "hqms_front_page"

    @dg.asset(
        key=dataset_key(dataset),
        deps=[INTAKE],
        group_name=GROUP,
        kinds={"parquet"},
        description=f"落地数据集 {dataset}：解码、检查、去标识、定型；坏行进入隔离区",
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=settings.freshness_days))
        if monthly
        else None,
    )
    def landed(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult[None]:
        limits = home.settings
        with retrying_passing_errors():
            report = source_landing.land(
                limits.home,
                dataset,
                key=load_key(limits.pseudonym_key_file),
                workers=limits.workers,
                threads=limits.threads,
                memory_limit=limits.memory_limit,
            )
        for message in report.messages:
            context.log.warning(message)
        return dg.MaterializeResult(
            metadata={
                "files_read": report.files_read,
                "files_refused": report.files_refused,
                "rows_read": report.rows_read,
                "rows_landed": report.rows_landed,
                "rows_quarantined": report.rows_quarantined,
                "bytes_read": report.bytes_read,
                "seconds": round(report.seconds, 3),
            }
        )

    return landed


def landing_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Pulls where there are any, intake, and one asset per dataset."""
    pulls = [pulled] if settings.pulls else []
    return [*pulls, _intake(settings), *(_landed(dataset, settings) for dataset in source_landing.DATASETS)]
