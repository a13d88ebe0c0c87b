"""Tell people what does not wait until somebody looks: a closed gate, a failed or late run, an extract that is missing.

Belongs here: what is worth an alert, that each is told once, and sending it (WeCom, DingTalk, mail and others, through
apprise). Does not belong here: running (`run`), freshness (`status`), what a hospital gets (`feedback`).

An address holds a secret, so it stands in the environment or in a file of its owner alone, and is never logged. What
is sent are counts, names of rules, and codes of hospitals. An alert that cannot be sent never fails what it tells of.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from dagster_project.settings import Settings, SettingsError
from dagster_project.status import read_status
from dagster_project.workspace import read_journal

ADDRESSES = "ZHUANKE_ALERT_URLS"
_BEIJING = timezone(timedelta(hours=8))
_MOST_NAMED = 10
_USUAL_MONTHS = 3  # a hospital that reported in one of so many months is expected to report in the next


@dataclass(frozen=True)
class Alert:
    """One thing to tell; the same `key` is told once."""

    key: str
    title: str
    text: str


def addresses(settings: Settings) -> list[str]:
    """Where alerts go, one address a line; none means that nobody wants any. Raises SettingsError."""
    text = os.environ.get(ADDRESSES, "")
    path = settings.alert_urls_file
    if not text and path is not None:
        try:
            open_to_others = path.stat().st_mode & 0o077
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"提醒地址文件 {path} 无法读取：{error.strerror}") from error
        if open_to_others:
            raise SettingsError(f"提醒地址文件 {path} 他人可读；请执行 chmod 600 {path}")
    return text.split()


def due(settings: Settings, now: datetime | None = None) -> list[Alert]:
    """All that there is to tell: how the last run ended, whether the next is late, whose extract is missing."""
    now = now or datetime.now(UTC)
    status = read_status(settings, now)
    found = []
    if status.last_run == "gate_closed":
        found.append(_gate_closed(settings, status.release_id))
    elif status.last_run in ("failed", "killed"):
        # the reason may hold anything that a library says; it is in the log, on the machine
        text = f"{status.last_run_at} 开始的运行没有完成，原因见 logs/；读者不受影响，改正后再次运行即可。"
        found.append(Alert(f"failed {status.last_run_at}", "专科指标：运行失败", text))
    elif status.state in ("stale", "none"):
        day = now.astimezone(_BEIJING).date()
        found.append(Alert(f"late {day}", "专科指标：运行逾期", "；".join(status.reasons)))
    return found + _missing_extracts(settings, now)


def _gate_closed(settings: Settings, release_id: str | None) -> Alert:
    from dagster_project.decisions import decisions_in_force
    from expectations.verdict import VerdictStore, judged_by

    judged = next(e["judged_hash"] for e in reversed(read_journal(settings)) if e["event"] == "gate_closed")
    lines = [f"读者仍使用 {release_id}" if release_id else "尚无发布版"]
    judge = judged_by(decisions=decisions_in_force(settings))
    verdict = VerdictStore(settings.verdicts).load(judged, judge)
    for result in verdict.closing()[:_MOST_NAMED] if verdict else []:
        found = "无法判定" if result.status == "error" else f"{result.violated or 0}/{result.checked or 0}"
        lines.append(f"{result.title_zh}：{found}")
    return Alert(f"gate_closed {judged}", "专科指标：质量门关闭，未发布", "\n".join(lines))


def _missing_extracts(settings: Settings, now: datetime) -> list[Alert]:
    from sources.candidate import slices_in_force

    today = now.astimezone(_BEIJING).date()
    due = _month_before(f"{today:%Y-%m}")
    if today.day <= settings.extract_due_day:
        due = _month_before(due)
    usual = [due]
    for _ in range(_USUAL_MONTHS):
        usual.append(_month_before(usual[-1]))
    months: dict[str, set[str]] = {}
    for organisation, month in slices_in_force(settings.home)["hqms_front_page"]:
        months.setdefault(month, set()).add(organisation)
    expected = set[str]().union(*(months.get(month, set()) for month in usual[1:]))
    missing = sorted(expected - months.get(due, set()))
    if not missing:
        return []
    named = "、".join(missing[:_MOST_NAMED]) + (f" 等 {len(missing)} 家" if len(missing) > _MOST_NAMED else "")
    text = f"{due} 的病案首页应于次月 {settings.extract_due_day} 日前报送，"
    text += f"{len(expected)} 家中 {len(missing)} 家未到：{named}"
    return [Alert(f"missing {due} {','.join(missing)}", "专科指标：报送逾期", text)]


def _month_before(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1)}-{(number - 2) % 12 + 1:02d}"


def send(settings: Settings, alerts: Iterable[Alert]) -> list[str]:
    """Send what was not told before; the Chinese words for what could not be sent, without any address."""
    told = _told(settings)
    new = [alert for alert in alerts if alert.key not in told]
    if not new:
        return []
    try:
        targets = addresses(settings)
    except SettingsError as error:
        return [str(error)]
    problems = []
    for alert in new if targets else []:
        failed = [n for n, target in enumerate(targets, 1) if not _deliver(target, alert)]
        if len(failed) < len(targets):
            _note(settings, alert)
        problems += [f"提醒“{alert.title}”未能送达第 {n} 个地址" for n in failed]
    return problems


def _deliver(target: str, alert: Alert) -> bool:
    """Whether the receiver took it; whatever goes wrong inside the library is a no."""
    import logging

    import apprise

    for name in ("apprise", "urllib3"):  # their records hold addresses and what was sent
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        service = apprise.Apprise()
        return bool(service.add(target)) and bool(service.notify(title=alert.title, body=alert.text))
    except Exception:
        return False


def _journal(settings: Settings) -> Path:
    return settings.logs / "alerts.jsonl"


def _told(settings: Settings) -> set[str]:
    path = _journal(settings)
    if not path.exists():
        return set()
    return {json.loads(line)["key"] for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")}


def _note(settings: Settings, alert: Alert) -> None:
    settings.logs.mkdir(parents=True, exist_ok=True)
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "key": alert.key, "title": alert.title}
    with _journal(settings).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
