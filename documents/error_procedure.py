"""docs/error-procedure.md: what becomes of every fault, who mends it until when, from the rules themselves.

Belongs here: bringing refusals, quarantine reasons and rules together.  Does not belong here: the words, which stand
with the refusals, the reasons and the rules, and in the template.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from dagster_project.settings import Settings
from documents.registry import DOCS, render
from expectations.checks import load_landing_rules, load_rules
from expectations.verdict import RULES
from sources.connectors.problems import CODES
from sources.contract import load_contracts
from sources.landing import REASONS_ZH

PAGE = DOCS / "error-procedure.md"


def pages() -> dict[Path, str]:
    """The page by its path."""
    rules = sorted(load_rules(RULES), key=lambda rule: rule.dataset)
    titles = {contract.dataset: contract.title_zh.partition("（")[0] for contract in load_contracts().values()}
    text = render(
        "error-procedure.md.j2",
        refusals=CODES,
        reasons=REASONS_ZH,
        datasets=[(titles[name], list(found)) for name, found in groupby(rules, key=lambda rule: rule.dataset)],
        landing_rules=load_landing_rules(),
        working_days=Settings.model_fields["feedback_working_days"].default,
        due_day=Settings.model_fields["extract_due_day"].default,
    )
    return {PAGE: text}
