"""What differs between two editions: rows per table, and what that means for groups, codes and complications.

Belongs here: comparing stored editions.  Does not belong here: the effect on cases, which only a run can tell.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sources.expressions import quote
from sources.scheme.checks import find_faults
from sources.scheme.package import SchemeProblem, open_package
from sources.scheme.store import DESCRIPTION, edition_folder, import_package, installed, store_folder
from sources.scheme.tables import STORED


@dataclass(frozen=True)
class TableDifference:
    """Rows of one table that only one edition has; where a row has a key, a changed one is in both under it."""

    table: str
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class Change:
    """One kind of change that a reader of the results would notice, and each case of it in Chinese."""

    title_zh: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """Two editions compared."""

    earlier: str
    later: str
    tables: tuple[TableDifference, ...]
    changes: tuple[Change, ...]


@contextmanager
def stored(home: Path, name: str) -> Iterator[Path]:
    """The stored form of an edition by its id, or of a package that is not imported yet by its path."""
    if name in (description["edition_id"] for description in installed(home)) or not Path(name).exists():
        yield edition_folder(home, name)
        return
    with tempfile.TemporaryDirectory() as scratch, open_package(Path(name)) as package:
        if any(fault.level == "error" for fault in find_faults(package)):
            raise SchemeProblem(f"方案包 {name} 有错误，无法比较。请先运行 zhuanke scheme check。")
        description = import_package(Path(scratch), package).description
        yield store_folder(Path(scratch)) / description["edition_id"]


def compare(earlier: Path, later: Path) -> Difference:
    """Compare two stored editions."""
    import duckdb

    with duckdb.connect() as con:
        for schema, folder in (("earlier", earlier), ("later", later)):
            con.execute(f"create schema {schema}")
            for table, columns in STORED.items():
                own = ", ".join(columns)
                parquet = quote(str(folder / f"{table}.parquet"))
                con.execute(f"create view {schema}.{table} as select {own} from read_parquet({parquet})")
        tables = tuple(_table(con, table) for table in STORED if table != "scheme")
        changes = tuple(
            Change(title, tuple(text for (text,) in con.execute(f"{query} order by text").fetchall()))
            for title, query in _CHANGES.items()
        )
    return Difference(_edition_id(earlier), _edition_id(later), tables, changes)


def _edition_id(folder: Path) -> str:
    return str(json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["edition_id"])


# tables whose rows have a key that may keep its place while the rest changes
_KEYS = {
    "mdc": ("mdc",),
    "adrg": ("adrg",),
    "drg": ("drg",),
    "complication": ("code", "level"),
    "weight": ("drg",),
    "edition_code": ("kind", "code"),
}


def _table(con: Any, table: str) -> TableDifference:
    columns = [name for name in STORED[table] if name != "edition_id"]
    key = ", ".join(_KEYS.get(table, columns))
    own = ", ".join(columns)

    def count(query: str) -> int:
        return int(con.execute(f"select count(*) from ({query})").fetchall()[0][0])

    def only(column: str, one: str, other: str) -> str:
        return f"select {column} from {one}.{table} except select {column} from {other}.{table}"

    added, removed = count(only(key, "later", "earlier")), count(only(key, "earlier", "later"))
    return TableDifference(table, added, removed, count(only(own, "later", "earlier")) - added)


def _named(table: str, key: str, one: str, other: str) -> str:
    return (
        f"select {key} || '（' || name_zh || '）' as text from {one}.{table}"
        f" where {key} not in (select {key} from {other}.{table})"
    )


def _moved(what: str, sets: str) -> str:
    """Cases whose set of places differs; ``sets`` gives ``what`` and ``place`` of the edition named {edition}."""
    both = [
        f"select {what} as what, string_agg(distinct place, '、' order by place) as places"
        f" from ({sets.format(edition=edition)}) group by {what}"
        for edition in ("earlier", "later")
    ]
    return (
        "select what || '：' || earlier_set.places || ' → ' || later_set.places as text"
        f" from ({both[0]}) as earlier_set inner join ({both[1]}) as later_set using (what)"
        " where earlier_set.places <> later_set.places"
    )


_CONDITIONS = """
select
    adrg,
    concat_ws(
        ' ', '[' || alternative || ']', role, list_id,
        '日龄≤' || age_days_max, '体重≥' || weight_g_min || 'g', '体重<' || weight_g_below || 'g'
    ) as place
from {edition}.adrg_condition
"""
_LEVELS = """
select codes.code, coalesce(complication.level, '无') as place
from (select code from earlier.complication union select code from later.complication) as codes
left join {edition}.complication as complication on codes.code = complication.code
"""

_CHANGES = {
    "新增的 MDC": _named("mdc", "mdc", "later", "earlier"),
    "取消的 MDC": _named("mdc", "mdc", "earlier", "later"),
    "新增的 ADRG": _named("adrg", "adrg", "later", "earlier"),
    "取消的 ADRG": _named("adrg", "adrg", "earlier", "later"),
    "改属 MDC 的 ADRG": _moved("adrg", "select adrg, mdc as place from {edition}.adrg"),
    "改了优先级的 ADRG": _moved("adrg", "select adrg, priority::varchar as place from {edition}.adrg"),
    "改了入组条件的 ADRG": _moved("adrg", _CONDITIONS),
    "改了严重程度划分的 ADRG": _moved("adrg", "select adrg, severity as place from {edition}.drg"),
    "新增的 DRG": _named("drg", "drg", "later", "earlier"),
    "取消的 DRG": _named("drg", "drg", "earlier", "later"),
    "改属 ADRG 的 DRG": _moved("drg", "select drg, adrg as place from {edition}.drg"),
    "改属 MDC 的主要诊断": _moved("code", "select code, mdc as place from {edition}.mdc_diagnosis"),
    "改属列表的编码": _moved("code", "select code, list_id as place from {edition}.code_list"),
    "改了级别的并发症或合并症": _moved("code", _LEVELS),
    "改了排除的主要诊断": _moved(
        "principal_code", "select principal_code, exclusion_table as place from {edition}.exclusion"
    ),
}
