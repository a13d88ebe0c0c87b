"""Why the numbers of two releases or certificates differ: data, catalogue, rule or code.

Belongs here: what of their origin differs, and computing again with one part exchanged at a time, so that each changed
number is put down to the exchange that changed it. Does not belong here: which cells changed (`publishing.diff`),
computing a record again (`recorded`, `rebuild`).

The parts are exchanged in a fixed order: data, catalogue, rule, code. Between the earlier and the later numbers stand
as many computed ones as parts differ, less one; where a single part differs nothing has to be computed.
"""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from dagster_project.rebuild import computed_marts
from dagster_project.recorded import (
    METHOD,
    Record,
    copy_method,
    faults_of_inputs,
    is_present_method,
    method_of,
    open_record,
)
from dagster_project.settings import PROJECT_ROOT, Settings
from expectations.content import sha256_file
from publishing.diff import ROW, mart_files, release_diff, write_changes

Cause = Literal["data", "catalogue", "rule", "code"]
CAUSES: dict[Cause, str] = {"data": "数据", "catalogue": "目录", "rule": "规则", "code": "代码"}
_CATALOGUE = "surgery_catalogue"  # the dataset that is a catalogue
_CATALOGUE_FILES = ("dbt/seeds/terminology/", "sources/reference/")
_READ = ("dbt", "sources/reference")  # folders with a recorded hash that dbt reads
_RULE_FILES = ("dbt/seeds/", "expectations/rules/")


@dataclass(frozen=True)
class Change:
    """One changed cell; `causes` in the order of the exchange, the possible ones where nothing was computed."""

    mart: str
    key: str
    column: str
    before: str | None
    after: str | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Difference:
    """What changed from one to the other, and why."""

    earlier: str
    later: str
    is_computed: bool
    why_not: Sequence[str]
    origins: Mapping[Cause, Sequence[str]]
    marts: Mapping[str, Any]
    changes: Sequence[Change]

    def counted(self) -> Counter[tuple[Cause, ...]]:
        """Changed cells by their causes."""
        return Counter(change.causes for change in self.changes)


def difference(settings: Settings, earlier: str, later: str) -> Difference:
    """Compare two releases, certificates or folders of them; raises RecordProblem for what is not one."""
    import duckdb

    one, other = open_record(settings, earlier), open_record(settings, later)
    origins = origins_of(settings, one, other)
    causes = list(origins)
    obstacles = [] if len(causes) < 2 else list(_obstacles(settings, one, other))
    with ExitStack() as stack, duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        before, after = mart_files(one.folder), mart_files(other.folder)
        write_changes(connection, "changed", before, after)
        steps: list[Cause] = []
        if not obstacles:
            state = before
            for number, cause in enumerate(causes):
                following = after
                if number < len(causes) - 1:
                    mixed = _mixed(one, other, causes[: number + 1])
                    method = _mixed_method(settings, one, other, causes[: number + 1])
                    made, keys = stack.enter_context(computed_marts(settings, mixed, f"diff-{number}", method))
                    following = {mart: (made / f"{mart}.parquet", key) for mart, key in keys.items()}
                write_changes(connection, cause, state, following)
                steps.append(cause)
                state = following
        found = [_caused(row, steps or causes) for row in connection.execute(_attributed(steps)).fetchall()]
    return Difference(
        one.name, other.name, not obstacles, obstacles, origins, release_diff(one.folder, other.folder), found
    )


def _attributed(steps: Sequence[Cause]) -> str:
    """The changed cells, each with whether a step changed it or its row; joined on equality alone: there are many."""
    marks = "".join(
        f", (mart, key, column_name) in (select (mart, key, column_name) from {cause})"
        f" or (mart, key) in (select (mart, key) from {cause} where column_name = '{ROW}')"
        f" or (column_name = '{ROW}' and (mart, key) in (select (mart, key) from {cause}))"
        for cause in steps
    )
    return f"select mart, key, column_name, before, after {marks} from changed order by mart, key, column_name"


def _caused(row: Sequence[Any], causes: Sequence[Cause]) -> Change:
    mart, key, column, before, after, *marks = row
    named = [cause for cause, mark in zip(causes, marks, strict=True) if mark] if marks else causes
    return Change(mart, key, column, before, after, tuple(named))


def _obstacles(settings: Settings, *records: Record) -> Iterator[str]:
    for record in records:
        yield from faults_of_inputs(settings, record)[:3]
        if not _is_own_method(settings, record):
            yield f"{record.name} 发布时的算法未留存，不能按它重算。"


def _is_own_method(settings: Settings, record: Record) -> bool:
    return method_of(settings, record)[0] != PROJECT_ROOT or is_present_method(record)


# --- what of the origin differs


def origins_of(settings: Settings, one: Record, other: Record) -> dict[Cause, list[str]]:
    """The parts that differ, each with what differs in it, in Chinese."""
    found: dict[Cause, list[str]] = {
        "data": _changed_slices(one, other, catalogue=False),
        "catalogue": _changed_slices(one, other, catalogue=True) + _changed_schemes(one, other),
        "rule": _changed_settings(one, other),
        "code": _changed_engines(one, other),
    }
    if all(_is_own_method(settings, record) for record in (one, other)):
        for cause, told in _changed_files(*(method_of(settings, record)[0] for record in (one, other))):
            found[cause].append(told)
    elif any(one.provenance["code"]["folders"][name] != other.provenance["code"]["folders"][name] for name in _READ):
        # which of the two it was cannot be told without the files
        for cause in ("rule", "code"):
            found[cause].append("算法有改动，但当时的文件未留存，不能区分规则与代码")
    return {cause: told for cause, told in found.items() if told}


def _changed_slices(one: Record, other: Record, *, catalogue: bool) -> list[str]:
    # an earlier version noted files, not what each supplied
    by_slice = all("slices" in item for record in (one, other) for item in record.inputs.values())
    old, new = (_slices(record, catalogue=catalogue, by_slice=by_slice) for record in (one, other))
    told = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was != now:
            place = " ".join((key[0], *key[1]))
            told.append(f"{place}：{f'文件 {was[:12]}' if was else '无'} → {f'文件 {now[:12]}' if now else '无'}")
    unused = [_unused(record, catalogue=catalogue) for record in (one, other)]
    if by_slice and unused[0] != unused[1]:
        told.append(f"未采用的文件（被替换、暂不采用或拒收）：{len(unused[0])} → {len(unused[1])} 个")
    return told


def _slices(record: Record, *, catalogue: bool, by_slice: bool) -> dict[tuple[str, tuple[str, ...]], str]:
    return {
        (item["dataset"], tuple(key)): item["source_sha256"]
        for item in record.inputs.values()
        for key in (item["slices"] if by_slice else [[item["source_sha256"][:12]]])
        if (item["dataset"] == _CATALOGUE) == catalogue
    }


def _unused(record: Record, *, catalogue: bool) -> set[str]:
    items = record.provenance.get("inputs_not_used", [])
    return {item["source_sha256"] for item in items if (item["dataset"] == _CATALOGUE) == catalogue}


def _changed_schemes(one: Record, other: Record) -> list[str]:
    old, new = ({s["edition_id"]: s["content_sha256"] for s in r.provenance["schemes"]} for r in (one, other))
    told = [
        f"分组方案 {edition}：{_came(edition in old, edition in new)}"
        for edition in sorted(old.keys() | new.keys())
        if old.get(edition) != new.get(edition)
    ]
    if one.provenance["grouping"] != other.provenance["grouping"]:
        texts = ["、".join(f"{k}={v}" for k, v in sorted(r.provenance["grouping"].items())) for r in (one, other)]
        told.append(f"分组依据：{texts[0]} → {texts[1]}")
    return told


def _came(before: bool, after: bool) -> str:
    return "内容不同" if before and after else "新增" if after else "移除"


def _changed_settings(one: Record, other: Record) -> list[str]:
    told = []
    for name, title in (("province_division", "本省代码"), ("thresholds", "质量门阈值")):
        if (was := one.provenance.get(name)) is not None and (now := other.provenance.get(name)) != was:
            told.append(f"{title}：{was} → {now}")
    return told


def _changed_engines(one: Record, other: Record) -> list[str]:
    old, new = one.provenance["engines"], other.provenance["engines"]
    told = [
        f"{name} {old.get(name)} → {new.get(name)}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    methods = [{i["source_sha256"]: i.get("method") for i in record.inputs.values()} for record in (one, other)]
    if changed := [
        sha for sha in methods[0].keys() & methods[1].keys() if methods[0][sha] and methods[0][sha] != methods[1][sha]
    ]:
        told.append(f"落地程序、接口规范或密钥：{len(changed)} 个文件重新落地")
    return told


def _changed_files(one: Path, other: Path) -> Iterator[tuple[Cause, str]]:
    old, new = _files(one), _files(other)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield _cause_of(name), f"{name}：{_edited(one / name, other / name)}"


def _files(root: Path) -> dict[str, str]:
    files = (path for folder in METHOD for path in (root / folder).rglob("*") if path.is_file())
    kept = (path for path in files if path.suffix in (".py", ".sql", ".yml", ".csv"))
    return {path.relative_to(root).as_posix(): sha256_file(path) for path in kept if "target" not in path.parts}


def _cause_of(name: str) -> Cause:
    if not name.endswith(".csv"):
        return "code"
    return "catalogue" if name.startswith(_CATALOGUE_FILES) else "rule" if name.startswith(_RULE_FILES) else "code"


def _edited(one: Path, other: Path) -> str:
    """Of a list, the rows by their first field; of anything else, that it changed."""
    if not (one.exists() and other.exists()):
        return "新增" if other.exists() else "移除"
    if one.suffix != ".csv":
        return "有改动"
    old, new = _lines(one), _lines(other)
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    shown = "；".join(f"{key} {_fields(old.get(key), new.get(key))}" for key in keys[:5])
    return shown + (f"；另有 {len(keys) - 5} 行" if len(keys) > 5 else "")


def _lines(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = list(rows[0]) if rows else []
    # the fewest leading columns that tell all rows apart
    for width in range(1, len(names) + 1):
        keyed = {"/".join(row[name] for name in names[:width]): row for row in rows}
        if len(keyed) == len(rows):
            return keyed
    return {str(number): row for number, row in enumerate(rows)}


def _fields(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> str:
    if old is None or new is None:
        return "新增" if new is not None else "移除"
    return "、".join(f"{name} {old.get(name)} → {new.get(name)}" for name in new if old.get(name) != new.get(name))


# --- one part of the one, the rest of the other


def _mixed(one: Record, other: Record, taken: Sequence[Cause]) -> Record:
    """The earlier record with the parts of the later one that are `taken`."""
    provenance = dict(one.provenance)
    for name in ("inputs", "inputs_not_used", "passed_over", "held_back"):
        data, catalogue = (other if cause in taken else one for cause in ("data", "catalogue"))
        provenance[name] = [item for item in data.provenance[name] if item["dataset"] != _CATALOGUE] + [
            item for item in catalogue.provenance[name] if item["dataset"] == _CATALOGUE
        ]
    if "catalogue" in taken:
        provenance |= {name: other.provenance[name] for name in ("schemes", "grouping")}
    if "rule" in taken:
        provenance |= {name: other.provenance[name] for name in ("thresholds", "province_division")}
    return replace(one, name=f"{one.name}+{other.name}", provenance=provenance)


def _mixed_method(settings: Settings, one: Record, other: Record, taken: Sequence[Cause]) -> Path:
    """The dbt project of the earlier record with the files of the later one that are `taken`."""
    roots = [method_of(settings, record)[0] for record in (one, other)]
    target = settings.cache / "side" / "diff-method"
    shutil.rmtree(target, ignore_errors=True)
    copy_method(roots[0], target)
    for name in _files(target).keys() | _files(roots[1]).keys():
        if _cause_of(name) in taken:
            (target / name).unlink(missing_ok=True)
            if (roots[1] / name).exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(roots[1] / name, target / name)
    return target
