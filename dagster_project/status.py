"""Is what readers use fresh, and was its gate open?

Belongs here: the judgement behind `zhuanke status`, from the journal of runs and the current release.
Does not belong here: showing it (`views`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from dagster_project.fingerprint import current_release_id
from dagster_project.settings import Settings
from dagster_project.workspace import is_busy, read_journal

State = Literal["ok", "failed", "gate_closed", "stale", "none"]
LastRun = Literal["none", "running", "published", "gate_closed", "up_to_date", "failed", "killed"]


@dataclass(frozen=True)
class Status:
    """The state of an installation; `reasons` says in Chinese why it is not ok, `notices` what was let through."""

    state: State
    release_id: str | None
    release_path: str | None
    published_at: str | None
    checked_at: str | None
    last_run: LastRun
    last_run_at: str | None
    reasons: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def read_status(settings: Settings, now: datetime | None = None) -> Status:
    """Judge the home as of `now`."""
    now = now or datetime.now(UTC)
    events = read_journal(settings)
    release = current_release_id(settings)
    last_run, last_run_at = _last_run(events, busy=is_busy(settings))
    published_at = _latest(events, "published", release_id=release)
    checked_at = max(filter(None, (_latest(events, "published"), _latest(events, "up_to_date"))), default=None)
    judged = [event["event"] for event in events if event["event"] in ("published", "gate_closed")]

    stale = []
    if _older(checked_at, now - timedelta(hours=settings.freshness_hours)):
        stale.append(f"超过 {settings.freshness_hours} 小时没有成功运行")
    if _older(published_at, now - timedelta(days=settings.freshness_days)):
        stale.append(f"超过 {settings.freshness_days} 天没有新的发布版（数据按月到达）")

    state: State = "ok"
    reasons: list[str] = []
    if release is None:
        state, reasons = "none", ["还没有发布版，请先运行 zhuanke run"]
    elif judged and judged[-1] == "gate_closed":
        state, reasons = "gate_closed", ["上次判定质量门关闭，读者仍使用此前的发布版"]
    elif last_run in ("failed", "killed"):
        state, reasons = "failed", ["上次运行没有完成，请查看 logs/ 后重新运行"]
    elif stale:
        state, reasons = "stale", stale
    return Status(
        state=state,
        release_id=release,
        release_path=str(settings.releases / release) if release else None,
        published_at=published_at,
        checked_at=checked_at,
        last_run=last_run,
        last_run_at=last_run_at,
        reasons=reasons,
        notices=_notices(settings),
    )


def _notices(settings: Settings) -> list[str]:
    """Decisions about the gate under which the current release was published."""
    package = settings.current / "datapackage.json"
    if not package.is_file():
        return []
    notices: list[str] = json.loads(package.read_text(encoding="utf-8")).get("notices", [])
    return notices


def _last_run(events: list[dict[str, Any]], busy: bool) -> tuple[LastRun, str | None]:
    starts = [event for event in events if event["event"] in ("started", "up_to_date")]
    if not starts:
        return "none", None
    start = starts[-1]
    if start["event"] == "up_to_date":
        return "up_to_date", start["at"]
    kinds = {event["event"] for event in events if event.get("run_id") == start["run_id"]}
    if "published" in kinds:
        return "published", start["at"]
    if "gate_closed" in kinds:
        return "gate_closed", start["at"]
    if "ended" in kinds:
        return "failed", start["at"]
    return ("running" if busy else "killed"), start["at"]


def _latest(events: list[dict[str, Any]], kind: str, **facts: Any) -> str | None:
    times = [e["at"] for e in events if e["event"] == kind and all(e.get(k) == v for k, v in facts.items())]
    return times[-1] if times else None


def _older(moment: str | None, limit: datetime) -> bool:
    return moment is None or datetime.fromisoformat(moment) < limit
