"""What the warehouse sees: which file is in force for which slice, and the imported grouping schemes, as views.

Belongs here: replacement of earlier files by later ones, and the schemas ``landing`` and ``scheme`` of a candidate
database.  Does not belong here: landing and importing themselves, and any model built on them (``dbt/``).

The candidate holds views over immutable Parquet and three small tables of counts; it can be thrown away and made
again at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources import month_files
from sources.contract import Contract, contracts_of, load_contracts
from sources.expressions import quote
from sources.landing import DATASETS, read_receipts
from sources.month_files import Piece
from sources.scheme import store

if TYPE_CHECKING:
    import duckdb

Slice = tuple[str, ...]


@dataclass(frozen=True)
class HeldBack:
    """A version of a slice that may not be used, and one rule of the gate that says so."""

    dataset: str
    slice: Slice
    sha256: str
    rule_id: str
    checked: int
    violated: int
    threshold: Decimal


def slice_versions(home: Path) -> dict[str, dict[Slice, list[str]]]:
    """Per dataset: slice → SHA-256 of every file that tells of it, in order of (last) arrival.

    A month pulled from a database is the whole of it: of slices that an earlier pull of the same month supplied, and
    the last one does not, it says that they have no rows any more.
    """
    return _versions(read_receipts(home))


def _versions(receipts: list[dict[str, Any]]) -> dict[str, dict[Slice, list[str]]]:
    versions: dict[str, dict[Slice, list[str]]] = {dataset: {} for dataset in DATASETS}
    pulled: dict[str, str] = {}
    for receipt in receipts:
        mine, source = versions[receipt["dataset"]], receipt["source"]
        told = [tuple(item["slice"]) for item in receipt.get("slices", [])]
        if receipt.get("pull") and not receipt["refused"]:
            earlier = pulled.get(source["path"])
            told += [key for key, arrived in mine.items() if arrived[-1] == earlier and key not in set(told)]
            pulled[source["path"]] = source["sha256"]
        for key in told:
            arrived = mine.setdefault(key, [])
            if source["sha256"] in arrived:
                arrived.remove(source["sha256"])
            arrived.append(source["sha256"])
    return versions


def rows_of(receipts: list[dict[str, Any]]) -> dict[tuple[str, Slice, str], int]:
    """Rows of every slice in every file that supplies it; a version that is not here has none."""
    return {
        (receipt["dataset"], tuple(item["slice"]), receipt["source"]["sha256"]): item["rows"]
        for receipt in receipts
        for item in receipt.get("slices", [])
    }


def slices_in_force(home: Path, held_back: Collection[HeldBack] = ()) -> dict[str, dict[Slice, str]]:
    """Per dataset: slice → SHA-256 of the file that supplies it, the one that arrived last and is not held back."""
    receipts = read_receipts(home)
    rows, withheld = rows_of(receipts), {(held.dataset, held.slice, held.sha256) for held in held_back}
    force: dict[str, dict[Slice, str]] = {dataset: {} for dataset in DATASETS}
    for dataset, slices in _versions(receipts).items():
        for key, arrived in slices.items():
            usable = [sha256 for sha256 in arrived if (dataset, key, sha256) not in withheld]
            if usable and (dataset, key, usable[-1]) in rows:
                force[dataset][key] = usable[-1]
    return force


def outstanding(home: Path, held_back: Collection[HeldBack]) -> list[HeldBack]:
    """Those that arrived after the version in force: only a resubmission or an override ends them."""
    force, versions = slices_in_force(home, held_back), slice_versions(home)

    def is_later(held: HeldBack) -> bool:
        arrived, used = versions[held.dataset][held.slice], force[held.dataset].get(held.slice)
        return used is None or arrived.index(held.sha256) > arrived.index(used)

    return [held for held in held_back if is_later(held)]


def inputs_fingerprint(home: Path) -> str:
    """Hash of all that the warehouse is a function of: slices in force, every receipt's counts, imported schemes."""
    force = {
        dataset: sorted((list(key), sha256) for key, sha256 in slices.items())
        for dataset, slices in slices_in_force(home).items()
    }
    receipts = sorted((r["source"]["sha256"], r["method"], json.dumps(r["refused"])) for r in read_receipts(home))
    schemes = [(scheme["edition_id"], scheme["content"]["sha256"]) for scheme in store.installed(home)]
    content = json.dumps([force, receipts, schemes], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def last_month(home: Path) -> str | None:
    """The latest discharge month in force (``YYYY-MM``), None before the first front page."""
    months = [key[1] for key in slices_in_force(home)["hqms_front_page"]]
    return max(months, default=None)


def prepare(
    home: Path,
    candidate_db: Path,
    *,
    held_back: Collection[HeldBack] = (),
    thresholds: Mapping[str, Decimal] | None = None,
    as_landed: bool = False,
) -> None:
    """Write the schemas ``landing`` (a view per dataset, tables of counts), ``scheme`` and ``gate`` (what is held back,
    which rules have another threshold) into a new database file.

    With `as_landed`, the views show the columns that the files have, not those that the contracts of today ask for:
    what was landed under earlier contracts is computed again by the models of its time.
    """
    import duckdb

    candidate_db.parent.mkdir(parents=True, exist_ok=True)
    receipts = read_receipts(home)
    force = slices_in_force(home, held_back)
    con = duckdb.connect(str(candidate_db))
    try:
        con.execute("create schema landing")
        for dataset in DATASETS:
            months = _pieces(dataset, receipts, force[dataset])
            con.execute(f"create view landing.{dataset} as {_view(home, dataset, months, as_landed)}")
        _write_counts(con, receipts, force, _rows_before(receipts, held_back))
        _write_gate(con, outstanding(home, held_back), force, thresholds or {})
        _write_passed_over(con, held_back)
        con.execute("create schema scheme")
        for table, query in store.views(home).items():
            con.execute(f"create view scheme.{table} as {query}")
    finally:
        con.close()


def month_pieces(home: Path, held_back: Collection[HeldBack] = ()) -> dict[tuple[str, str], list[Piece]]:
    """Per dataset and month: the rows of landed files that are in force."""
    receipts, force = read_receipts(home), slices_in_force(home, held_back)
    return {
        (dataset, month): pieces
        for dataset in DATASETS
        for month, pieces in _pieces(dataset, receipts, force[dataset]).items()
    }


def _pieces(dataset: str, receipts: list[dict[str, Any]], force: dict[Slice, str]) -> dict[str, list[Piece]]:
    pieces: defaultdict[str, list[Piece]] = defaultdict(list)
    for receipt in _first_arrivals([r for r in receipts if r["dataset"] == dataset and not r["refused"]]):
        supplied = {tuple(item["slice"]) for item in receipt["slices"]}
        current = {key for key in supplied if force.get(key) == receipt["source"]["sha256"]}
        if not current and supplied:
            continue
        condition = ""
        if current != supplied:
            condition = _slice_condition(load_contracts()[receipt["layout"]], sorted(current))
        for output in receipt["outputs"]:
            month = Path(output["path"]).parent.name.removeprefix("month=")
            pieces[month].append(Piece(output["path"], condition, receipt["method"]))
    return pieces


def _view(home: Path, dataset: str, months: Mapping[str, list[Piece]], as_landed: bool = False) -> str:
    if as_landed:
        found = [(home / piece.path, piece.condition) for pieces in months.values() for piece in pieces]
    else:
        found = [file for month, pieces in months.items() for file in month_files.to_read(home, dataset, month, pieces)]
    return month_files.query(dataset, found, as_landed=as_landed)


def _first_arrivals(receipts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One receipt per content: a file that was changed and changed back stands in the journal twice."""
    return list({receipt["source"]["sha256"]: receipt for receipt in receipts}.values())


def _slice_condition(contract: Contract, slices: list[Slice]) -> str:
    columns = [
        f"strftime({contract.partition}, '%Y-%m')"
        if name == "month" and contract.partition
        else f"coalesce({name}::varchar, '')"
        for name in contract.replaces_by
    ]
    wanted = ", ".join("(" + ", ".join(quote(value) for value in key) + ")" for key in slices)
    return f"({', '.join(columns)}) in ({wanted})"


def _rows_before(receipts: list[dict[str, Any]], held_back: Collection[HeldBack]) -> dict[tuple[str, Slice, str], int]:
    """For the last version of every slice that has been resubmitted: the rows of the usable version before it."""
    rows, withheld = rows_of(receipts), {(held.dataset, held.slice, held.sha256) for held in held_back}
    return {
        (dataset, key, arrived[-1]): rows.get((dataset, key, before[-1]), 0)
        for dataset, slices in _versions(receipts).items()
        for key, arrived in slices.items()
        if (before := [sha256 for sha256 in arrived[:-1] if (dataset, key, sha256) not in withheld])
    }


def _write_counts(
    con: duckdb.DuckDBPyConnection,
    receipts: list[dict[str, Any]],
    force: dict[str, dict[Slice, str]],
    rows_before: dict[tuple[str, Slice, str], int],
) -> None:
    receipt_rows, quarantine_rows = [], []
    slice_rows: dict[tuple[str, str, str, str, bool], list[int | None]] = defaultdict(lambda: [0, None])
    for receipt in _first_arrivals(receipts):
        dataset, sha256 = receipt["dataset"], receipt["source"]["sha256"]
        rows = receipt.get("rows", {"read": 0, "landed": 0, "quarantined": 0})
        in_force = sha256 in force[dataset].values()
        receipt_rows.append(
            [
                dataset,
                sha256[:12],
                sha256,
                receipt["layout"],
                receipt.get("encoding"),
                rows["read"],
                rows["landed"],
                rows["quarantined"],
                in_force,
                (receipt["refused"] or {}).get("code"),
            ]
        )
        for q in receipt.get("quarantine_rows", []):
            quarantine_rows.append(
                [dataset, sha256[:12], q["organisation_id"], q["month"], q["field"], q["reason"], q["rows"]]
            )
        for item in receipt.get("slices", []):
            key = tuple(item["slice"])
            counts = slice_rows[
                dataset, sha256[:12], item["organisation_id"], item["month"], force[dataset].get(key) == sha256
            ]
            counts[0] = (counts[0] or 0) + item["rows"]
            if (before := rows_before.pop((dataset, key, sha256), None)) is not None:
                counts[1] = (counts[1] or 0) + before
    for (dataset, key, sha256), before in rows_before.items():  # gone from a pull altogether
        place = dict(zip(contracts_of(dataset)[0].replaces_by, key, strict=True))
        gone = slice_rows[dataset, sha256[:12], place.get("organisation_id", ""), place.get("month", ""), False]
        gone[1] = (gone[1] or 0) + before
    con.execute(
        """
        create table landing.receipt (
            dataset varchar, source_id varchar, source_sha256 varchar, layout varchar, encoding varchar,
            rows_read bigint, rows_landed bigint, rows_quarantined bigint, in_force boolean, refused varchar
        );
        create table landing.quarantine_count (
            dataset varchar, source_id varchar, organisation_id varchar, month varchar, field varchar, reason varchar,
            rows bigint
        );
        create table landing.slice (
            dataset varchar, source_id varchar, organisation_id varchar, month varchar, in_force boolean, rows bigint,
            rows_before bigint
        );
        create table landing.in_force (dataset varchar, slice varchar[], source_sha256 varchar)
        """
    )
    supplied = [[dataset, list(key), sha256] for dataset, slices in force.items() for key, sha256 in slices.items()]
    _insert(con, "landing.in_force", supplied)
    _insert(con, "landing.receipt", receipt_rows)
    _insert(con, "landing.quarantine_count", quarantine_rows)
    _insert(con, "landing.slice", [[*key, *counts] for key, counts in slice_rows.items()])


def _write_gate(
    con: duckdb.DuckDBPyConnection,
    held_back: Collection[HeldBack],
    force: dict[str, dict[Slice, str]],
    thresholds: Mapping[str, Decimal],
) -> None:
    con.execute(
        """
        create schema gate;
        create table gate.held_back (
            dataset varchar, organisation_id varchar, month varchar, source_id varchar, rule_id varchar,
            checked bigint, violated bigint, threshold decimal(18, 8), used_source_id varchar
        );
        create table gate.threshold (rule_id varchar, threshold decimal(18, 8))
        """
    )
    rows: list[list[Any]] = []
    for held in held_back:
        used = force[held.dataset].get(held.slice)
        counts = [held.checked, held.violated, held.threshold, used[:12] if used else None]
        rows.append([held.dataset, *held.slice, held.sha256[:12], held.rule_id, *counts])
    if rows:
        con.executemany("insert into gate.held_back values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    if thresholds:
        con.executemany("insert into gate.threshold values (?, ?)", sorted(thresholds.items()))


def _write_passed_over(con: duckdb.DuckDBPyConnection, held_back: Collection[HeldBack]) -> None:
    """Every version that may not be used, whether or not a later one has taken its place: no model reads it, but who
    computes these numbers again needs it.
    """
    con.execute(
        "create table gate.passed_over (dataset varchar, slice varchar[], source_sha256 varchar, rule_id varchar, "
        "checked bigint, violated bigint, threshold decimal(18, 8))"
    )
    rows = [
        [one.dataset, list(one.slice), one.sha256, one.rule_id, one.checked, one.violated, one.threshold]
        for one in held_back
    ]
    if rows:
        con.executemany("insert into gate.passed_over values (?, ?, ?, ?, ?, ?, ?)", rows)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    """Insert through Arrow: row-wise inserts of ten thousand receipts take seconds."""
    if not rows:
        return
    import pyarrow as pa

    names = [row[0] for row in con.execute(f"select column_name from (describe {table})").fetchall()]
    columns = dict(zip(names, map(list, zip(*sorted(rows, key=str), strict=True)), strict=True))
    batch = pa.table(columns)
    con.register("batch", batch)
    con.execute(f"insert into {table} select * from batch")
    con.unregister("batch")


def _list(paths: list[str]) -> str:
    return "[" + ", ".join(map(quote, paths)) + "]"
