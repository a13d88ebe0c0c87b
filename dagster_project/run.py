"""One night: lock, look whether there is anything to do, run the job in this process, say what came of it.

Belongs here: what `zhuanke run` does and how a run is told to a person at the terminal.
Does not belong here: the steps themselves (`defs`), the command line (`cli`).
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.markup import escape

from dagster_project.fingerprint import current_release_id, nothing_to_do
from dagster_project.instance import open_instance
from dagster_project.settings import Settings
from dagster_project.targets import TargetOutcome, push_current
from dagster_project.workspace import Workspace, append_journal, exclusive

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console
    from rich.status import Status

    from sources.databases.pull import PullReport

Result = Literal["published", "up_to_date", "gate_closed", "failed"]

STEP_TITLES = {
    "pulls": "拉取数据库",
    "intake": "收件登记",
    "candidate": "候选库",
    "warehouse": "指标计算",
    "marts_export": "导出集市",
    "marts_export_gate": "质量门",
    "release": "发布",
}
# counts that landing and intake report, in the order in which they are told
COUNTS = {
    "files_new": "新文件",
    "files_duplicate": "重复文件",
    "files_unknown": "无法识别",
    "files_read": "已读文件",
    "files_refused": "拒收文件",
    "rows_landed": "落地行",
    "rows_quarantined": "隔离行",
}

# per step; a month of a province can have hundreds, and the log has them all
_WARNINGS_TOLD = 5


@dataclass(frozen=True)
class RunOutcome:
    """What came of a run, in counts and paths."""

    result: Result
    seconds: float
    release_id: str | None = None
    steps: list[tuple[str, float]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    problem: str | None = None
    judged_hash: str | None = None
    log: Path | None = None
    targets: list[TargetOutcome] = field(default_factory=list)
    pulls: list[PullReport] = field(default_factory=list)


def step_title(step: str) -> str:
    """The Chinese name of a step of the job."""
    return STEP_TITLES.get(step) or f"落地 {step.removeprefix('landing__')}"


def run_nightly(settings: Settings, console: Console) -> RunOutcome:
    """Run the night on `settings.home` as its only writer.

    Raises SettingsError when the province or the key is missing and HomeBusyError when another run holds the
    home. Everything else that can go wrong is told in the outcome.
    """
    from sources.privacy import load_key

    started = time.monotonic()
    _ = settings.province
    load_key(settings.pseudonym_key_file)
    with exclusive(settings, on_wait=console.print):
        pulls = _pull(settings, console) if settings.pulls else []
        with console.status("查看收件箱……"):
            idle = nothing_to_do(settings)
        if idle:
            _finish_killed(settings)
            append_journal(settings, "up_to_date")
            release_id = current_release_id(settings)
            targets = push_current(settings, automatic=True)
            return RunOutcome("up_to_date", time.monotonic() - started, release_id, targets=targets, pulls=pulls)
        # the job would pull as well, when Dagster starts it
        return replace(_run_job(settings.model_copy(update={"pulls": {}}), console, started), pulls=pulls)


def _pull(settings: Settings, console: Console) -> list[PullReport]:
    """Bring what is due from the databases; one that fails does not keep the others from their release."""
    from dagster_project.pulling import pull_all
    from dagster_project.source_commands import show_report

    reports = []
    with console.status("连接数据库……") as status:
        for report in pull_all(settings, tell=status.update):
            show_report(console, report)
            reports.append(report)
    return reports


def _finish_killed(settings: Settings) -> None:
    """What a run leaves undone that is killed after readers have its release: nothing else would come by."""
    from publishing.release import finish

    finish(settings.releases, settings.current)
    Workspace.sweep(settings)


def _run_job(settings: Settings, console: Console, started: float) -> RunOutcome:
    # dagster-dbt repeats dbt's output on sys.stdout, which therefore goes to the log while the job runs;
    # the console stays where it is
    console.file = console.file
    settings.logs.mkdir(parents=True, exist_ok=True)
    log = settings.logs / f"run-{datetime.now().astimezone():%Y%m%d-%H%M%S}.log"
    with (
        log.open("w", encoding="utf-8", buffering=1) as stream,
        contextlib.redirect_stdout(stream),
        console.status("装载流程……") as status,
        _followed(_Follower(console, status), stream),
    ):
        from dagster_project.defs import build_definitions
        from dagster_project.defs.automation import NIGHTLY

        instance = open_instance(settings)
        result = (
            build_definitions(settings)
            .resolve_job_def(NIGHTLY)
            .execute_in_process(instance=instance, raise_on_error=False, run_config={"loggers": {"steps": {}}})
        )
    return _outcome(settings, result, time.monotonic() - started, log)


class _Follower(logging.Handler):
    """Tells the console what Dagster logs: steps as they end, and warnings."""

    def __init__(self, console: Console, status: Status) -> None:
        super().__init__()
        self._console = console
        self._status = status
        self._tables = 0
        self._told: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        about: dict[str, Any] = getattr(record, "dagster_meta", {})
        event = about.get("dagster_event")
        step = step_title(about.get("step_key") or "")
        if event is None:
            if record.levelno == logging.WARNING:
                self._warn(step, escape(about.get("orig_message") or record.getMessage()))
        elif event.event_type_value == "STEP_START":
            self._status.update(f"{step}……")
        elif event.event_type_value == "ASSET_MATERIALIZATION" and step == STEP_TITLES["warehouse"]:
            self._tables += 1
            self._status.update(f"{step}：{self._tables} 张表……")
        elif event.event_type_value == "STEP_SUCCESS":
            if (untold := self._told[step] - _WARNINGS_TOLD) > 0:
                self._console.print(f"    [dim]另有 {untold} 条提示，见日志[/]")
            seconds = event.event_specific_data.duration_ms / 1000
            self._console.print(f"  [green]✓[/] {step}  [dim]{seconds:.1f} 秒[/]")
        elif event.event_type_value == "STEP_UP_FOR_RETRY":
            self._console.print(f"  [yellow]↻[/] {step}：暂时不可用，稍后重试")
        elif event.event_type_value == "STEP_FAILURE":
            self._console.print(f"  [red]✗[/] {step}")

    def _warn(self, step: str, message: str) -> None:
        self._told[step] += 1
        if self._told[step] <= _WARNINGS_TOLD:
            self._console.print(f"  [yellow]![/] {message}")


@contextlib.contextmanager
def _followed(follower: logging.Handler, stream: Any) -> Any:
    logger = logging.getLogger("zhuanke.run")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    writer = logging.StreamHandler(stream)
    writer.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for handler in (follower, writer):
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in (follower, writer):
            logger.removeHandler(handler)


def _outcome(settings: Settings, result: dg.ExecuteInProcessResult, seconds: float, log: Path) -> RunOutcome:
    steps: list[tuple[str, float]] = []
    counts = dict.fromkeys(COUNTS, 0)
    problem = None
    gate_closed = False
    judged_hash = None
    targets: list[TargetOutcome] = []
    for event in result.all_events:
        if event.event_type_value == "STEP_SUCCESS":
            steps.append((step_title(event.step_key or ""), event.step_success_data.duration_ms / 1000))
        elif event.event_type_value == "ASSET_MATERIALIZATION":
            metadata = event.step_materialization_data.materialization.metadata
            for name in COUNTS:
                value = metadata[name].value if name in metadata else 0
                counts[name] += value if isinstance(value, int) else 0
            if "targets" in metadata:
                told: Any = metadata["targets"].value
                targets = [TargetOutcome(**target) for target in told]
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            evaluation = event.asset_check_evaluation_data
            if evaluation.check_name == "gate":
                gate_closed = not evaluation.passed
                judged_hash = str(evaluation.metadata["judged_hash"].value)
        elif event.event_type_value in ("STEP_FAILURE", "RUN_FAILURE", "PIPELINE_FAILURE") and problem is None:
            problem = _problem(event)
    outcome: Result = "published" if result.success else "gate_closed" if gate_closed else "failed"
    return RunOutcome(outcome, seconds, current_release_id(settings), steps, counts, problem, judged_hash, log, targets)


def _problem(event: dg.DagsterEvent) -> str:
    """The sentence that a person needs; the stack trace is in the log."""
    data = event.event_specific_data
    failure = getattr(data, "user_failure_data", None)
    if failure is not None and failure.description:
        return str(failure.description)
    error = getattr(data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error is not None else event.message or ""
