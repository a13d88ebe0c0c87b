"""Dagster's own records of an installation: where they lie and how they are kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dagster_project.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

_DAGSTER_YAML = """\
telemetry:
  enabled: false
# no invitation to a newsletter on a closed network
nux:
  enabled: false
# Dagster's own files of SQLite, over connections that stay open
storage:
  custom:
    module: dagster_project.event_log
    class: OpenSqliteStorage
    config:
      base_dir:
        env: DAGSTER_HOME
# one writer per home; a second run waits in the queue
concurrency:
  runs:
    max_concurrent_runs: 1
# output of steps is in <home>/logs, once; nothing of it is copied into Dagster's storage
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days: 30
"""


def prepare_dagster_home(settings: Settings) -> None:
    """Write dagster.yaml if it is missing (it is the operator's from then on) and name the folder."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    config = settings.dagster_home / "dagster.yaml"
    if not config.exists():
        config.write_text(_DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["ZHUANKE_HOME"] = str(settings.home)


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance that the command line and the Dagster UI share."""
    import dagster as dg

    prepare_dagster_home(settings)
    return dg.DagsterInstance.get()
