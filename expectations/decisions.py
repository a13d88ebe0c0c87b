"""What people decided about the gate: other thresholds, and failures that are let through for a time.

Belongs here: the shape of a decision, the log that keeps all of them, and which are in force on a day.
Does not belong here: what a rule counts (dq_rules.csv), what follows from a failure (verdict, holding).

A decision is never changed: a later threshold for the same rule takes the place of the earlier one, an override ends
on its day. The log is appended to and lies in the data home; what was in force stands in every verdict and release.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, field_validator, model_validator

from expectations.checks import Rule
from expectations.frozen import Frozen, Share

LONGEST_OVERRIDE_DAYS = 366


class DecisionRefused(ValueError):
    """The decision may not be recorded; the text says in Chinese why."""


class _Decision(Frozen):
    rule_id: str
    reason: str
    decided_on: date

    @field_validator("reason")
    @classmethod
    def _has_reason(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("须写明理由")
        return text.strip()


class ThresholdChange(_Decision):
    """From its day on, a rule tolerates another share."""

    kind: Literal["threshold"] = "threshold"
    threshold: Share = Field(ge=0, le=1)
    owner: str = Field(min_length=1)

    def sentence(self) -> str:
        """For readers of what was published under it."""
        return (
            f"阈值调整：规则 {self.rule_id} 改为 {self.threshold:f}；"
            f"{self.owner} 于 {self.decided_on} 决定；理由：{self.reason}"
        )


class Override(_Decision):
    """A failure of a rule is tolerated until a day, everywhere or for an organisation or a month."""

    kind: Literal["override"] = "override"
    organisation_id: str | None = None
    month: str | None = Field(default=None, pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    decided_by: str
    confirmed_by: str
    expires_on: date

    @model_validator(mode="after")
    def _two_people_and_an_end(self) -> Self:
        names = {self.decided_by.strip(), self.confirmed_by.strip()}
        if len(names) != 2 or "" in names:
            raise ValueError("放行须由两个不同的人决定与复核")
        if not 0 <= (self.expires_on - self.decided_on).days <= LONGEST_OVERRIDE_DAYS:
            raise ValueError(f"放行的截止日须在决定之日起 {LONGEST_OVERRIDE_DAYS} 天之内")
        return self

    @property
    def is_regional(self) -> bool:
        """Whether it is about the region's verdict, and not about one hospital or month."""
        return self.organisation_id is None and self.month is None

    def covers(self, rule_id: str, organisation_id: str, month: str) -> bool:
        """Whether it tolerates this rule's failure in this hospital's month."""
        return (
            self.rule_id == rule_id and self.organisation_id in (None, organisation_id) and self.month in (None, month)
        )

    def sentence(self) -> str:
        """For readers of what was published under it."""
        where = "、".join(filter(None, (self.organisation_id and f"机构 {self.organisation_id}", self.month)))
        return (
            f"放行：规则 {self.rule_id}（{where or '全省'}）不通过而予以放行；{self.decided_by} 决定、"
            f"{self.confirmed_by} 复核，{self.decided_on} 至 {self.expires_on}；理由：{self.reason}"
        )


Decision = Annotated[ThresholdChange | Override, Field(discriminator="kind")]
_DECISION: TypeAdapter[ThresholdChange | Override] = TypeAdapter(Decision)


class Decisions(Frozen):
    """The decisions that are in force."""

    thresholds: tuple[ThresholdChange, ...] = ()
    overrides: tuple[Override, ...] = ()

    def apply(self, rules: Iterable[Rule]) -> list[Rule]:
        """The rules with the thresholds that hold now."""
        changed = {change.rule_id: change.threshold for change in self.thresholds}
        return [rule.model_copy(update={"threshold": changed.get(rule.rule_id, rule.threshold)}) for rule in rules]

    def lets_through(self, rule_id: str) -> bool:
        """Whether the region's failure of this rule is tolerated."""
        return any(override.rule_id == rule_id and override.is_regional for override in self.overrides)

    def tolerates(self, rule_id: str, organisation_id: str, month: str) -> bool:
        """Whether this rule's failure in a hospital's month is tolerated."""
        return any(override.covers(rule_id, organisation_id, month) for override in self.overrides)

    def sentences(self) -> list[str]:
        """One Chinese sentence a decision, for everything that is published under them."""
        thresholds = [change.sentence() for change in self.thresholds]
        return thresholds + [override.sentence() for override in self.overrides]

    def about(self, organisation_id: str, month: str) -> Decisions:
        """Those that hold for a hospital's month; what was decided about other hospitals is not told to it."""
        mine = [one for one in self.overrides if one.covers(one.rule_id, organisation_id, month)]
        return Decisions(thresholds=self.thresholds, overrides=tuple(mine))


NO_DECISIONS = Decisions()


class DecisionLog:
    """All decisions ever taken in a data home, one JSON object a line, oldest first."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def record(self, decision: ThresholdChange | Override, rules: Iterable[Rule]) -> None:
        """Append a decision about a known rule, durably."""
        if decision.rule_id not in {rule.rule_id for rule in rules}:
            raise DecisionRefused(f"没有规则 {decision.rule_id}；zhuanke gate list 列出全部规则。")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(decision.model_dump_json() + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def all(self) -> list[ThresholdChange | Override]:
        """Every decision, oldest first."""
        if not self.file.exists():
            return []
        return [_DECISION.validate_json(line) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def in_force(self, day: date) -> Decisions:
        """What holds on a day: the last threshold of each rule, and overrides that have not ended."""
        taken = [decision for decision in self.all() if decision.decided_on <= day]
        thresholds = {decision.rule_id: decision for decision in taken if isinstance(decision, ThresholdChange)}
        overrides = {decision for decision in taken if isinstance(decision, Override) and day <= decision.expires_on}
        return Decisions(
            thresholds=tuple(thresholds[rule_id] for rule_id in sorted(thresholds)),
            overrides=tuple(sorted(overrides, key=lambda override: override.model_dump_json())),
        )


def share_of(text: str) -> Decimal:
    """A share as people write it: `0.02` or `2%`."""
    try:
        number = Decimal(text.rstrip("%％"))
    except ArithmeticError as error:
        raise DecisionRefused(f"阈值应写作 0.02 或 2%，而不是 {text}。") from error
    return number / 100 if text[-1:] in "%％" else number
