"""What a run holds: the home, of which it is the only writer, and the logger through which it is followed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from dagster_project.settings import Settings, load_settings
from dagster_project.workspace import Workspace, append_journal, exclusive, killed_runs


class HomeResource(dg.ConfigurableResource["HomeResource"]):
    """The home of this installation, locked, with a work folder for this run.

    Every asset asks for it, so runs that are started in the Dagster UI, by the schedule and by the command
    line exclude each other. A rerun of failed steps finds the work folder of the run that it continues.
    """

    home: str
    _settings: Settings = PrivateAttr()
    _workspace: Workspace = PrivateAttr()

    @property
    def settings(self) -> Settings:
        """The settings as read when the run began."""
        return self._settings

    @property
    def workspace(self) -> Workspace:
        """The folder of this run."""
        return self._workspace

    @property
    def last_month(self) -> str:
        """The last month with discharges, `YYYY-MM`; without any there is nothing to compute."""
        from sources.candidate import last_month

        month = last_month(self.settings.home)
        if month is None:
            raise dg.Failure(description="没有任何已落地的出院记录（病案首页），无法计算。", allow_retries=False)
        return month

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["HomeResource"]:
        """Lock, tidy up, run, unlock."""
        run, instance, log = context.run, context.instance, context.log
        if run is None or instance is None or log is None:
            raise dg.DagsterInvariantViolationError("the home is a resource of runs")
        self._settings = load_settings(Path(self.home))
        with exclusive(self._settings, on_wait=log.warning):
            self._report_killed(instance)
            self._workspace = Workspace.open(self._settings, run.root_run_id or run.run_id)
            append_journal(self._settings, "started", run_id=run.run_id, job=run.job_name)
            try:
                yield self
            finally:
                append_journal(self._settings, "ended", run_id=run.run_id)

    def _report_killed(self, instance: dg.DagsterInstance) -> None:
        """Close killed runs in Dagster's records too, or its queue would wait for them for ever."""
        for run_id in killed_runs(self._settings):
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, "进程在结束前中断；下一次运行已接手。")
            append_journal(self._settings, "ended", run_id=run_id)


def _step_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """Dagster's records as ordinary log records; `dagster_project.run` listens to them."""
    return logging.getLogger("zhuanke.run")


step_logger = dg.LoggerDefinition(_step_logger, description="命令行用：步骤的开始、结束与提示")
