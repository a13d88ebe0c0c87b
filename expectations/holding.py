"""Which hospital's months are held back before anything is computed of them.

Belongs here: judging each version of a hospital's month by the rules with a `hold_back_threshold`, so that the version
before it stays in force. Does not belong here: rules that need a model (dbt counts those), the region's verdict
(runner), counting the rows of a file (month_counts).

The versions of a month are judged in the order of their arrival: one that fails a rule is passed over, and the one that
was in force before it stays; if none was, the month is missing. What comes out is a function of the landing zone, the
rules and the decisions in force alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from expectations.checks import Rule, load_rules
from expectations.decisions import Decisions
from expectations.month_counts import count_months
from expectations.verdict import RULES
from sources.candidate import HeldBack, Slice, rows_of, slice_versions
from sources.landing import read_receipts

RESUBMISSION = "int_resubmission"  # the rows of the version in force, by whether the next version still has as many
# Fewer rows than these that are gone from a pulled month altogether are believed to be gone: a mistyped code or month
# has been mended in the database. More of them are a hospital that the database has lost.
_STRAYS = 20


def held_back(home: Path, decisions: Decisions, rules: Path = RULES, cache: Path | None = None) -> list[HeldBack]:
    """Every version of a hospital's month that may not be used, with the rules that it fails."""
    holding = [rule for rule in load_rules(rules) if rule.hold_back_threshold is not None]
    versions, receipts = slice_versions(home), read_receipts(home)
    found: list[HeldBack] = []
    for dataset, members in groupby(sorted(holding, key=attrgetter("dataset", "rule_id")), attrgetter("dataset")):
        landed = [receipt for receipt in receipts if receipt["dataset"] == dataset and not receipt["refused"]]
        judge = _Judge(home, dataset, landed, list(members), decisions, cache)
        for key, arrived in versions[dataset].items():
            found += judge.failures(key, arrived)
    return sorted(found, key=lambda held: (held.dataset, held.slice, held.sha256, held.rule_id))


class _Judge:
    """Judges the versions of the months of one dataset."""

    def __init__(
        self,
        home: Path,
        dataset: str,
        receipts: list[dict[str, Any]],
        rules: list[Rule],
        decisions: Decisions,
        cache: Path | None,
    ) -> None:
        self._dataset = dataset
        self._decisions = decisions
        self._row_rules = [rule for rule in rules if rule.relation != RESUBMISSION]
        self._resubmission_rules = [rule for rule in rules if rule.relation == RESUBMISSION]
        self._counts = count_months(home, dataset, self._row_rules, receipts, cache)
        self._rows = rows_of(receipts)

    def failures(self, key: Slice, arrived: Sequence[str]) -> Iterator[HeldBack]:
        """The versions of one month that fail, each with its rules."""
        standing: int | None = None  # rows of the version in force so far
        for sha256 in arrived:
            failed = list(self._failed(key, sha256, standing))
            yield from failed
            if not failed:
                standing = self._rows_in(key, sha256)

    def _failed(self, key: Slice, sha256: str, standing: int | None) -> Iterator[HeldBack]:
        organisation_id, month = key
        for rule, checked, violated in self._counted(key, sha256, standing):
            threshold = rule.hold_back_threshold or Decimal(0)
            if violated > threshold * checked and not self._decisions.tolerates(rule.rule_id, organisation_id, month):
                yield HeldBack(self._dataset, key, sha256, rule.rule_id, checked, violated, threshold)

    def _counted(self, key: Slice, sha256: str, standing: int | None) -> Iterator[tuple[Rule, int, int]]:
        nothing = [(0, 0)] * len(self._row_rules)
        counts = self._counts.get(sha256, {}).get(key, nothing)
        for rule, (checked, violated) in zip(self._row_rules, counts, strict=True):
            yield rule, checked, violated
        rows = self._rows_in(key, sha256)
        if standing is not None and (rows or standing >= _STRAYS):
            for rule in self._resubmission_rules:
                yield rule, standing, max(0, standing - rows)

    def _rows_in(self, key: Slice, sha256: str) -> int:
        return self._rows.get((self._dataset, key, sha256), 0)
