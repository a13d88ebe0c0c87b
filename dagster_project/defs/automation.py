"""When the night runs: the job, its schedule, and a sensor for those who do not want to wait for the night.

Belongs here: jobs, schedules, sensors. Freshness policies stand beside the assets that they judge.
"""

import hashlib
from pathlib import Path

import dagster as dg

from dagster_project import alerts
from dagster_project.fingerprint import nothing_to_do
from dagster_project.settings import Settings
from dagster_project.workspace import append_journal

NIGHTLY = "nightly"

nightly = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    # one process: a process per step would spend minutes on imports, and a run is one writer anyway
    executor_def=dg.in_process_executor,
    description="全流程：收件、落地、计算、质量门、发布",
)


def nightly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Every night at two, unless there is nothing to do."""

    @dg.schedule(
        job=nightly,
        name="nightly_schedule",
        cron_schedule="0 2 * * *",
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="每天 02:00（北京时间）；没有新文件且代码未变时跳过",
    )
    def schedule(_: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        # whether a database has news is known only after a look at it, which is the job's first step
        if not settings.pulls and nothing_to_do(settings):
            append_journal(settings, "up_to_date")
            return dg.SkipReason("已是最新：收件箱没有新文件，代码与参考表也没有变化")
        return dg.RunRequest()

    return schedule


def watch_sensor(settings: Settings) -> dg.SensorDefinition:
    """Look every hour whether somebody must be told something; whoever set no address is told nothing."""

    @dg.sensor(
        job=nightly,
        name="watch_sensor",
        minimum_interval_seconds=3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="每小时检查运行失败、逾期与未报送，并发出提醒；从不启动运行",
    )
    def sensor(_: dg.SensorEvaluationContext) -> dg.SkipReason:
        found = alerts.due(settings)
        problems = alerts.send(settings, found)
        return dg.SkipReason("；".join([f"{len(found)} 件事可提醒", *problems]))

    return sensor


def inbox_state(inbox: Path) -> str:
    """A digest of names, sizes and times of the files in the inbox; cheap, contents are not read."""
    digest = hashlib.sha256()
    for path in sorted(inbox.rglob("*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path.relative_to(inbox)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def inbox_sensor(settings: Settings) -> dg.SensorDefinition:
    """Run soon after files arrive. Off until somebody switches it on in the UI."""

    @dg.sensor(
        job=nightly,
        name="inbox_sensor",
        minimum_interval_seconds=120,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="收件箱有变化且已静止（两次查看一致）后运行一次",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen = inbox_state(settings.inbox)
        if context.cursor != seen:
            # a copy may still be under way: look again, and run when nothing has moved in between
            context.update_cursor(seen)
            return dg.SkipReason("收件箱有变化，等待文件到齐")
        # Dagster starts a run once per key, so an unchanged inbox asks for nothing new
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=seen)])

    return sensor
