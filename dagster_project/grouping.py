"""Which DRG results the numbers rest on, as the settings say and the imported schemes allow.

Belongs here: the one decision between our grouper and the commission's, and between editions.
Does not belong here: grouping itself (dbt/models/intermediate/grouping), importing schemes (sources.scheme).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from dagster_project.settings import Settings, SettingsError

EDITION_RULES = ("latest", "by_date")


@dataclass(frozen=True)
class GroupingChoice:
    """`drg_source`: own grouper or landed results; `drg_edition`: an edition_id, `latest` or `by_date`."""

    drg_source: Literal["own", "external"]
    drg_edition: str

    def as_vars(self) -> dict[str, str]:
        """As dbt's variables, and as they are noted in a release."""
        return asdict(self)


def grouping_choice(settings: Settings) -> GroupingChoice:
    """The choice that the settings make on this home.

    `auto` groups with the imported schemes as soon as there is one. Never both: two groupers, or results of one where
    the other has none, would break a series. Raises SettingsError for an edition that nobody imported.
    """
    from sources.scheme.store import installed

    editions = [scheme["edition_id"] for scheme in installed(settings.home)]
    if settings.drg_edition not in (*EDITION_RULES, *editions):
        raise SettingsError(
            f"设置 drg_edition 指定的分组方案版本 {settings.drg_edition} 尚未导入"
            f"（已导入：{'、'.join(editions) or '无'}）。"
            "请先运行 zhuanke scheme import，或改为 latest、by_date。"
        )
    if settings.drg_source == "own" and not editions:
        raise SettingsError(
            "设置 drg_source = own，但尚未导入任何分组方案。请先运行 zhuanke scheme import，或改为 external。"
        )
    source = settings.drg_source
    if source == "auto":
        source = "own" if editions else "external"
    return GroupingChoice(source, settings.drg_edition)
