"""The decisions about the gate that are in force today, and what is held back under them.

Belongs here: the day on which they are looked up, and what they mean for a candidate of this home.
Does not belong here: their shape and their log (`expectations.decisions`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.settings import Settings

if TYPE_CHECKING:
    from expectations.decisions import Decisions
    from sources.candidate import HeldBack


def decisions_in_force(settings: Settings) -> Decisions:
    """Thresholds and overrides as of today."""
    from expectations.decisions import DecisionLog

    return DecisionLog(settings.decisions).in_force(date.today())


def prepare_candidate(settings: Settings, database: Path, *, keep: bool = False) -> int:
    """Write the candidate without the months that are held back; how many hospital's months those are.

    With `keep`, what is computed of a month may be taken from an earlier run, and is kept for the next one.
    """
    from dagster_project.kept_months import offer
    from sources.candidate import month_pieces, outstanding, prepare
    from sources.month_files import assemble

    decisions = decisions_in_force(settings)
    held = held_back_months(settings, decisions)
    thresholds = {change.rule_id: change.threshold for change in decisions.thresholds}
    pieces = month_pieces(settings.home, held)
    assemble(settings.home, pieces, threads=settings.threads, memory_limit=settings.memory_limit)
    prepare(settings.home, database, held_back=held, thresholds=thresholds)
    if keep:
        offer(settings, database, pieces)
    return len({(one.dataset, one.slice) for one in outstanding(settings.home, held)})


def held_back_months(settings: Settings, decisions: Decisions) -> list[HeldBack]:
    """Every version of a hospital's month that may not be used under these decisions."""
    from expectations.holding import held_back

    return held_back(settings.home, decisions, cache=settings.cache)
