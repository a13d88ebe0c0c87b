"""Which hospital's months are held back before anything is computed of them.

Belongs here: counting the rules with a `hold_back_threshold` on the landed files of each hospital's month, and
choosing the version of the month that is used instead. Does not belong here: rules that need a model (dbt counts
those), the region's verdict (runner).

The last version of a month that arrived is judged; if it fails, the one before, and so on; if none is left, the month
is missing. What comes out is a function of the landing zone, the rules and the decisions in force alone.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from expectations.checks import Rule, load_rules
from expectations.decisions import Decisions
from expectations.verdict import RULES
from sources.candidate import HeldBack, Slice, slice_versions
from sources.contract import contracts_of
from sources.expressions import quote
from sources.landing import read_receipts


def held_back(home: Path, decisions: Decisions, rules: Path = RULES) -> list[HeldBack]:
    """Every version of a hospital's month that may not be used, with the rules that it fails."""
    holding = [rule for rule in load_rules(rules) if rule.hold_back_threshold is not None]
    versions = slice_versions(home)
    found: list[HeldBack] = []
    for dataset, members in groupby(sorted(holding, key=attrgetter("dataset", "rule_id")), attrgetter("dataset")):
        found += _held_back(home, dataset, list(members), versions[dataset], decisions)
    return sorted(found, key=lambda held: (held.dataset, held.slice, held.sha256, held.rule_id))


def _held_back(
    home: Path, dataset: str, rules: list[Rule], versions: dict[Slice, list[str]], decisions: Decisions
) -> list[HeldBack]:
    paths = {
        receipt["source"]["sha256"]: [str(home / output["path"]) for output in receipt["outputs"]]
        for receipt in read_receipts(home)
        if receipt["dataset"] == dataset and not receipt["refused"]
    }
    found: list[HeldBack] = []
    waiting = {key: list(arrived) for key, arrived in versions.items()}
    judged = {key: arrived.pop() for key, arrived in waiting.items()}
    while judged:
        failed = _failures(dataset, rules, judged, paths, decisions)
        found += failed
        again = {held.slice for held in failed}
        judged = {key: waiting[key].pop() for key in again if waiting[key]}
    return found


def _failures(
    dataset: str,
    rules: list[Rule],
    judged: dict[Slice, str],
    paths: dict[str, list[str]],
    decisions: Decisions,
) -> list[HeldBack]:
    """The rules that fail, one version of each slice judged; every file is read once."""
    files = sorted({path for sha256 in judged.values() for path in paths[sha256]})
    version_of = {(sha256[:12], *key): sha256 for key, sha256 in judged.items()}
    failed = []
    for source_id, organisation_id, month, *counts in _counts(dataset, rules, files) if files else []:
        sha256 = version_of.get((source_id, organisation_id, month))
        if sha256 is None:  # a part of the file that another file replaces
            continue
        for rule, checked, violated in zip(rules, counts[::2], counts[1::2], strict=True):
            threshold = rule.hold_back_threshold or Decimal(0)
            if violated > threshold * checked and not decisions.tolerates(rule.rule_id, organisation_id, month):
                key = (organisation_id, month)
                failed.append(HeldBack(dataset, key, sha256, rule.rule_id, checked, violated, threshold))
    return failed


def _counts(dataset: str, rules: list[Rule], files: list[str]) -> list[tuple[str, str, str, *tuple[int, ...]]]:
    import duckdb

    partition = contracts_of(dataset)[0].partition
    counts = ", ".join(
        f"count(*) filter (where {rule.checked_sql}), "
        f"count(*) filter (where ({rule.checked_sql}) and ({rule.violated_sql}))"
        for rule in rules
    )
    listed = ", ".join(map(quote, files))
    with duckdb.connect() as connection:
        connection.execute(
            f"create view stg_{dataset} as select *, strftime({partition}, '%Y-%m') as month "
            f"from read_parquet([{listed}], hive_partitioning = false)"
        )
        return connection.execute(
            f"select source_id, organisation_id, month, {counts} from stg_{dataset} group by all"
        ).fetchall()
