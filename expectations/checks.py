"""The checks as data: row rules (CSV, shared with dbt), landing rules and mart suites (YAML).

Belongs here: the shape of these files and reading them strictly.
Does not belong here: evaluating them (runner).
"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import field_validator

from expectations.frozen import Frozen, Severity

LANDING_RULES = Path(__file__).parent / "landing_rules.yml"


class Rule(Frozen):
    """A row rule: dbt counts `checked` and `violated`, the gate compares their share with the threshold.

    Above `hold_back_threshold` a hospital's month is held back alone, before anything is computed of it.
    """

    rule_id: str
    title_zh: str
    category: Literal["conformance", "completeness", "plausibility"]
    context: Literal["verification", "validation"]
    dataset: str
    relation: str
    scope: Literal["row", "month", "year"]
    fields: str
    checked_sql: str
    violated_sql: str
    count_sql: str
    severity: Severity
    threshold: Decimal
    threshold_note_zh: str
    hold_back_threshold: Decimal | None
    clause: str
    remedy_zh: str

    @field_validator("hold_back_threshold", mode="before")
    @classmethod
    def _empty_is_never(cls, text: str) -> str | None:
        return text or None


class LandingRule(Frozen):
    """A share that dbt derives from receipts, per dataset; severity and threshold come with the counts."""

    rule_id: str
    title_zh: str
    note_zh: str
    remedy_zh: str
    clause: str


class Condition(Frozen):
    """Restricts a check to rows where `column op value`."""

    column: str
    op: Literal["eq", "ne", "in", "not_in", "is_null", "not_null"]
    value: Any = None


class Check(Frozen):
    """One Great Expectations expectation on a mart.

    A keyword whose value is `{sql: ...}` takes the first column of that query over the marts as a list.
    """

    id: str
    title_zh: str
    type: str
    kwargs: dict[str, Any]
    row_condition: Condition | None = None
    severity: Severity
    note_zh: str
    clause: str = ""
    remedy_zh: str = ""

    def columns(self) -> set[str]:
        """The columns that this check reads."""
        named = {self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs}
        condition = {self.row_condition.column} if self.row_condition else set()
        return named | set(self.kwargs.get("column_list", [])) | condition


class Suite(Frozen):
    """Checks on one mart, or on a query over the marts.

    `applies_sql` answers whether the suite means anything for these marts; if not, its checks are not
    applicable.
    """

    suite: str
    title_zh: str
    mart: str
    query: str | None = None
    applies_sql: str | None = None
    expectations: tuple[Check, ...]


def load_rules(path: Path) -> list[Rule]:
    """All row rules in the order of the file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [Rule.model_validate(row) for row in csv.DictReader(stream)]


def load_landing_rules(path: Path = LANDING_RULES) -> list[LandingRule]:
    """Words for the rules that dbt derives from receipts."""
    return [LandingRule.model_validate(item) for item in yaml.safe_load(path.read_text(encoding="utf-8"))]


def load_suites(folder: Path) -> list[Suite]:
    """All suites by file name; ids are unique over all of them."""
    suites = [
        Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.yml"))
    ]
    ids = [check.id for suite in suites for check in suite.expectations]
    if doubled := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"检查编号重复：{'、'.join(doubled)}")
    return suites
