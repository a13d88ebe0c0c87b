"""Which column of a table is which column of a contract, and whether the table still looks as it did.

Belongs here: names and types of columns.  Does not belong here: values.

Only columns that landing uses are asked for: what the contract drops unseen never leaves the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sources.contract import Contract
from sources.databases.faults import PullProblem


@dataclass(frozen=True)
class Column:
    """A column of the database, its type as the driver calls it, and the contract's name for it."""

    name: str
    kind: str
    source: str


def match(contract: Contract, described: Mapping[str, str], mapping: Mapping[str, str]) -> list[Column]:
    """The columns to pull, in the contract's order.

    ``described``: names and types as the database has them.  A name counts by the settings' ``columns`` first, then
    as one of the contract's codes whatever its case, then as its Chinese title.
    """
    wanted = {name.upper(): name for name in _used(contract)}
    titles = _titles(contract)
    known = {name.upper() for name in _all_names(contract)}
    by_name = {name.upper(): name for name in described}
    found: dict[str, Column] = {}
    for given, target in mapping.items():
        if given.upper() not in by_name:
            raise PullProblem("columns", f"columns 里的“{given}”在库中不存在。现有列：{_list(described)}。")
        if target.upper() not in known:
            raise PullProblem("columns", f"columns 把“{given}”对应到“{target}”，但{contract.title_zh}没有这一列。")
    mapped = {given.upper(): target.upper() for given, target in mapping.items()}
    for name, kind in described.items():
        code = mapped.get(name.upper()) or (name.upper() if name.upper() in known else titles.get(name.strip(), ""))
        if code not in wanted:
            continue
        if code in found and (name.upper() in mapped) == (found[code].name.upper() in mapped):
            raise PullProblem(
                "columns", f"“{found[code].name}”与“{name}”都是 {wanted[code]}。请在 columns 中指明一个。"
            )
        if code not in found or name.upper() in mapped:
            found[code] = Column(name, kind, wanted[code])
    missing = [name for name in contract.recognised_by if name.upper() not in found]
    if missing:
        raise PullProblem(
            "columns",
            f"缺少{contract.title_zh}的关键列 {'、'.join(missing)}。"
            f"请在 columns 中写明对应关系；现有列：{_list(described)}。",
        )
    return [found[code] for code in wanted if code in found]


def changes(before: Mapping[str, str], now: Sequence[Column]) -> list[str]:
    """What has changed for the worse since an earlier pull: columns that went, and types that are others."""
    kinds = {column.name: column.kind for column in now}
    found = [f"列 {name} 不见了" for name in before if name not in kinds]
    found += [
        f"列 {name} 的类型由 {kind} 变为 {kinds[name]}"
        for name, kind in before.items()
        if name in kinds and kinds[name] != kind
    ]
    return found


def key_columns(contract: Contract, columns: Sequence[Column]) -> list[Column]:
    """The columns by which rows are put into order: those behind the contract's key."""
    by_source = {column.source.upper(): column for column in columns}
    number = contract.pseudonymised
    names = {str(field.name): field.source for field in contract.kept}
    if number:
        names["patient_id"] = number.source
    return [by_source[names[name].upper()] for name in contract.key if names[name].upper() in by_source]


def month_source(contract: Contract) -> str | None:
    """The contract's column that says to which month a row belongs, where there is one."""
    for field in contract.kept:
        if field.name == contract.partition or (field.name == "month" and "month" in contract.replaces_by):
            return field.source
    return None


def type_name(dialect: str, code: Any) -> str:
    """A driver's type code as text: names where the driver has them, stable from pull to pull in any case."""
    if dialect == "postgresql":
        return _postgres_types().get(code, str(code))
    if dialect in ("mysql", "mariadb"):
        return _mysql_types().get(code, str(code))
    return str(getattr(code, "name", None) or getattr(code, "__name__", None) or code or "")


@cache
def _postgres_types() -> dict[int, str]:
    from psycopg.postgres import types

    return {info.oid: info.name for info in types}


@cache
def _mysql_types() -> dict[int, str]:
    from pymysql.constants import FIELD_TYPE

    return {code: name for name, code in vars(FIELD_TYPE).items() if isinstance(code, int)}


def _used(contract: Contract) -> list[str]:
    """Names of the contract's columns that landing reads, or recognises the layout by; in its order, each once."""
    names: list[str] = []
    for field in contract.fields:
        if field.use != "drop" or field.role:
            names += [field.source, *([field.hour] if field.hour else [])]
    names += [name for group in contract.lists for slot in group.slot_columns for name in slot.values()]
    return list({name.upper(): name for name in [*names, *contract.recognised_by]}.values())


def _all_names(contract: Contract) -> list[str]:
    return [*_used(contract), *(field.source for field in contract.fields)]


def _titles(contract: Contract) -> dict[str, str]:
    """Chinese title → code, for titles that stand for one column only."""
    titles: dict[str, list[str]] = {}
    for field in contract.fields:
        titles.setdefault(field.title_zh, []).append(field.source.upper())
    return {title: codes[0] for title, codes in titles.items() if len(codes) == 1}


def _list(names: Mapping[str, str], most: int = 12) -> str:
    shown = "、".join(list(names)[:most])
    return f"{shown} 等 {len(names)} 列" if len(names) > most else shown
