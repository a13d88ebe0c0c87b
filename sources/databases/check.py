"""Looking at a source without pulling: does it answer, which columns are whose, which months are due."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sources.databases import journal
from sources.databases.config import Source
from sources.databases.faults import PullProblem
from sources.databases.pull import is_due, opened, refuse_changes


@dataclass(frozen=True)
class CheckedMonth:
    """One month as the database has it, beside what was pulled of it."""

    label: str
    rows: int
    pulled: int | None
    latest: str | None
    due: bool


@dataclass(frozen=True)
class Checked:
    """What was seen; with a ``problem`` the rest may be empty."""

    source: str
    title_zh: str = ""
    columns: dict[str, str] = field(default_factory=dict)  # name in the database → name in the contract
    left_out: list[str] = field(default_factory=list)
    months: list[CheckedMonth] = field(default_factory=list)
    problem: str | None = None


def check(home: Path, source: Source) -> Checked:
    """Open a source and compare it with its contract and with the journal."""
    known = journal.latest(home, source.name)
    try:
        with opened(source) as found:
            refuse_changes(source, found, known, accept_columns=False)
    except PullProblem as problem:
        return Checked(source.name, problem=problem.message)
    months = []
    for month in found.months:
        before = known.get(month.label)
        due = is_due(source, month, before)
        months.append(CheckedMonth(month.label, month.rows, before.rows if before else None, month.latest, due))
    columns = {column.name: column.source for column in found.columns}
    left_out = [name for name in found.described if name not in columns]
    return Checked(source.name, source.contract.title_zh, columns, left_out, months)
