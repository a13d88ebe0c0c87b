"""The rules that can hold a hospital's month back, counted on each landed file.

Belongs here: counting a file's months once, and remembering the counts. Does not belong here: what follows from them
(holding).

What is remembered is a cache and no state: it is keyed by the content of the file, the method by which it was landed
and the rules themselves, so that it can be wrong about nothing and thrown away at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from expectations.checks import Rule
from expectations.verdict import write_durably
from sources.candidate import Slice
from sources.contract import contracts_of
from sources.expressions import quote

# per landed file and slice: checked and violated rows of each rule, in the order of the rules
Counts = dict[str, dict[Slice, list[tuple[int, int]]]]
_Stored = dict[str, list[list[Any]]]  # file: [organisation, month, checked, violated, checked, violated, …]


def count_months(
    home: Path, dataset: str, rules: Sequence[Rule], receipts: Iterable[dict[str, Any]], cache: Path | None = None
) -> Counts:
    """Counts of every landed file of a dataset, by its SHA-256; only files that no earlier call has seen are read."""
    landed = {_key(receipt): receipt for receipt in receipts}
    file = cache / f"month-counts-{dataset}.{_rules_hash(dataset, rules)}.json" if cache else None
    known = _read(file)
    missing = [receipt for key, receipt in landed.items() if key not in known]
    stored = {key: known[key] for key in landed if key in known}
    if missing:
        stored |= _count(home, dataset, rules, missing)
    if file and stored != known:
        _write(file, stored)
    return {
        landed[key]["source"]["sha256"]: {
            (organisation_id, month): list(zip(counts[::2], counts[1::2], strict=True))
            for organisation_id, month, *counts in rows
        }
        for key, rows in stored.items()
    }


def _key(receipt: dict[str, Any]) -> str:
    return f"{receipt['source']['sha256']}.{receipt['method']}"


def _rules_hash(dataset: str, rules: Sequence[Rule]) -> str:
    """Stands for everything but the file that the counts depend on."""
    parts = [[rule.rule_id, rule.checked_sql, rule.violated_sql] for rule in rules]
    content = json.dumps([version("duckdb"), contracts_of(dataset)[0].partition, parts], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _read(file: Path | None) -> _Stored:
    """What is remembered; nothing where there is no file, or one that cannot be read."""
    try:
        stored: _Stored = json.loads(file.read_bytes()) if file else {}
    except (FileNotFoundError, ValueError):
        return {}
    return stored


def _write(file: Path, stored: _Stored) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    for outdated in file.parent.glob(f"{file.name.split('.')[0]}.*.json"):
        outdated.unlink()
    write_durably(file, json.dumps(stored, ensure_ascii=False, sort_keys=True).encode())


def _count(home: Path, dataset: str, rules: Sequence[Rule], receipts: Sequence[dict[str, Any]]) -> _Stored:
    import duckdb

    keys = {receipt["source"]["sha256"][:12]: _key(receipt) for receipt in receipts}
    stored: _Stored = {key: [] for key in keys.values()}
    files = sorted(str(home / output["path"]) for receipt in receipts for output in receipt["outputs"])
    if not files or not rules:
        return stored
    counts = ", ".join(
        f"count(*) filter (where {rule.checked_sql}), "
        f"count(*) filter (where ({rule.checked_sql}) and ({rule.violated_sql}))"
        for rule in rules
    )
    listed = ", ".join(map(quote, files))
    with duckdb.connect() as connection:
        connection.execute(
            f"create view stg_{dataset} as "
            f"select *, strftime({contracts_of(dataset)[0].partition}, '%Y-%m') as month "
            f"from read_parquet([{listed}], hive_partitioning = false)"
        )
        rows = connection.execute(
            f"select source_id, organisation_id, month, {counts} from stg_{dataset} group by all order by all"
        ).fetchall()
    for source_id, *row in rows:
        stored[keys[source_id]].append(list(row))
    return stored
