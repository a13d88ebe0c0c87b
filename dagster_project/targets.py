"""The target databases of an installation: pushing the current release, and what came of it.

Belongs here: joining settings and `publishing.targets`. Does not belong here: anything a target does by itself.

A target that fails never touches the release: readers of files have it already. The next run tries again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dagster_project.connections import ConnectionProblem
from dagster_project.settings import Settings, SettingsError

if TYPE_CHECKING:
    from publishing.targets.sql import Mirror

Mark = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class TargetOutcome:
    """What came of bringing the current release to one target."""

    name: str
    mark: Mark
    text: str


def open_target(settings: Settings, name: str) -> Mirror:
    """The target of this name, not yet connected."""
    from publishing.targets.sql import Mirror

    target = settings.targets.get(name)
    if target is None:
        known = "、".join(settings.targets) or "（未设置）"
        raise SettingsError(f"没有名为 {name} 的目标库；已设置：{known}")
    connection = settings.connections.get(target.connection)
    if connection is None:
        raise SettingsError(
            f"目标库 {name} 引用的连接 {target.connection} 未设置；请写入 [connections.{target.connection}]"
        )
    return Mirror(connection.resolved(target.connection), target.prefix, target.reader)


def push_current(settings: Settings, *, only: str | None = None, automatic: bool = False) -> list[TargetOutcome]:
    """Bring the current release to every target, or to one; each by itself, whatever becomes of the others."""
    names = [only] if only is not None else list(settings.targets)
    return [_push(settings, name, automatic) for name in names]


def _push(settings: Settings, name: str, automatic: bool) -> TargetOutcome:
    from publishing.targets.layout import TargetProblem

    try:
        pushed = open_target(settings, name).push(settings.current.resolve(), automatic=automatic)
    except (TargetProblem, ConnectionProblem, SettingsError) as problem:
        return TargetOutcome(name, "fail", str(problem))
    if pushed.outcome == "pushed":
        return TargetOutcome(name, "ok", f"{pushed.release_id}，{pushed.rows:,} 行，{pushed.seconds:.1f} 秒")
    if pushed.outcome == "held_back":
        return TargetOutcome(
            name, "warn", f"{pushed.release_id} 曾被退回，不自动推送；如需恢复：zhuanke target push {name}"
        )
    return TargetOutcome(name, "ok", f"{pushed.release_id} 已是最新")
