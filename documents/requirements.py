"""The requirements matrix: every checkable statement of the policies, what implements it, and which tests name it.

Belongs here: checking that what ``docs/requirements.csv`` refers to exists, and collecting tests.  Does not belong
here: whether a statement is met; that is what the tests say.

A reference is ``table:key`` (a row of a seed or reference table), ``dossier:D0101`` (an item of the dossier), the name
of a dbt model, or a path of the repository.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from documents.registry import DOCS, REPOSITORY, Row, parts, render, table

REGISTER = DOCS / "requirements.csv"
PAGE = DOCS / "requirements.md"
POLICIES = {
    "N": "国家规划（2021）National plan",
    "NI": "国家遴选指标 National index",
    "G": "2023 年指导意见 Guidance of 2023",
    "I": "规划解读 Interpretation",
    "B": "北京方案 Beijing",
    "BI": "北京评价指标 Index of Beijing",
    "Z": "贵州方案 Guizhou",
    "ZI": "贵州指标体系 Index of Guizhou",
}
_MENTION = re.compile(r"(?<![A-Za-z0-9-])[A-Z]{1,2}-\d\d[a-z]?(?![A-Za-z0-9-])")
_RANGE = re.compile(r"(?<![A-Za-z0-9-])([A-Z]{1,2}-\d\d[a-z]?) to ([A-Z]{1,2}-\d\d[a-z]?)")
_KEY_COLUMNS = 3  # the keys of a table are among its first columns


@cache
def register() -> tuple[Row, ...]:
    """The rows of ``docs/requirements.csv`` in the order of the policies."""
    with REGISTER.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def pages() -> dict[Path, str]:
    """The matrix by path."""
    found = tests()
    groups = {
        title: [(row, found.get(row["id"], [])) for row in register() if row["id"].partition("-")[0] == letters]
        for letters, title in POLICIES.items()
    }
    counts = [
        (
            number,
            sum(row["number"] == number for row in register()),
            sum(row["number"] == number and bool(row["implemented_by"]) for row in register()),
            sum(row["number"] == number and bool(found.get(row["id"])) for row in register()),
        )
        for number in "YPN"
    ]
    return {PAGE: render("requirements.md.j2", groups=groups, counts=counts)}


def faults() -> list[str]:
    """What is wrong with the register, one line each; empty when every number is computed and tested."""
    found, named = [], tests()
    for row in register():
        identity, number = row["id"], row["number"]
        found += [
            f"要求 {identity}：没有 {reference}" for reference in parts(row["implemented_by"]) if not exists(reference)
        ]
        if number == "Y" and not row["implemented_by"]:
            found.append(f"要求 {identity}：可计算，却没有实现；请在 docs/requirements.csv 写明由什么计算")
        elif number == "Y" and not named.get(identity):
            found.append(f"要求 {identity}：可计算，却没有测试；请有一项测试在名称或说明中写出编号")
        if number != "Y" and not row["reason_zh"]:
            found.append(f"要求 {identity}：不能完全计算，请在 docs/requirements.csv 写明以何代替或为何不能")
        if number in "PN" and not row["implemented_by"]:
            found.append(f"要求 {identity}：没有代替的度量，也没有申报项目")
    return found


def exists(reference: str) -> bool:
    """Whether what a reference names is there."""
    name, _, key = reference.partition(":")
    if name == "dossier":
        return any(row["item_code"] == key for row in table("dossier_items"))
    if key:
        return any(key in list(row.values())[:_KEY_COLUMNS] for row in table(name))
    if "/" in name:
        return (REPOSITORY / name).exists()
    return any((REPOSITORY / "dbt" / "models").rglob(f"{name}.*"))


@cache
def tests() -> dict[str, list[str]]:
    """Requirement → the tests that name it, in the order of their files; `Z-11 to Z-14` names four."""
    named: dict[str, list[str]] = {}
    known = [row["id"] for row in register()]
    for test, text in (*_python_tests(), *_unit_tests_of_dbt()):
        mentioned = {match.group() for match in _MENTION.finditer(text)}
        for first, last in _RANGE.findall(text):
            if first in known and last in known:
                mentioned |= set(known[known.index(first) : known.index(last) + 1])
        for identity in known:
            # a rule may be read in two ways, or an entry have two rows, which a letter tells apart
            if identity in mentioned or any(f"{identity}{letter}" in mentioned for letter in "abc"):
                named.setdefault(identity, []).append(test)
    return named


def _python_tests() -> Iterator[tuple[str, str]]:
    """Each test with its decorators and the tables of its module that it uses."""
    for path in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        source = path.read_text("utf-8")
        body = ast.parse(source).body
        tables = {
            target.id: ast.get_source_segment(source, node) or ""
            for node in body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                pieces = [ast.get_source_segment(source, piece) or "" for piece in (*node.decorator_list, node)]
                words = set(re.findall(r"\w+", " ".join(pieces)))
                pieces += [text for name, text in tables.items() if name in words]
                yield f"{path.name}::{node.name}", "\n".join(pieces)


def _unit_tests_of_dbt() -> Iterator[tuple[str, str]]:
    for path in sorted((REPOSITORY / "dbt" / "models").rglob("_unit_tests.yml")):
        for block in re.split(r"^  - name: ", path.read_text("utf-8"), flags=re.M)[1:]:
            yield f"{path.parent.name}/{path.name}::{block.splitlines()[0]}", block
