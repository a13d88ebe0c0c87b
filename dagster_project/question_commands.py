"""`zhuanke explain`, `rebuild` and `diff`: questions about published numbers.

Belongs here: the commands, and how their answers are shown and written. Does not belong here: the answers (`explain`,
`rebuild`, `causes`).
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dagster_project.terminal import AsJson, Home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from dagster_project.causes import Cause, Difference
    from dagster_project.explain import Explanation
    from dagster_project.rebuild import Rebuilt

FAILURE = 1
_SHOWN = 20  # cases on a terminal; a file has them all

_ROWS = {"rows_added": "新增行", "rows_removed": "移除行", "rows_changed": "变动行"}

Xlsx = Annotated[Path | None, typer.Option("--xlsx", help="另写工作簿", show_default=False)]
Asked = Annotated[str, typer.Argument(metavar="编号", help="发布版或证书编号，current，或其文件夹")]


def explain(
    hospital: Annotated[str, typer.Option(help="机构编号或名称；全省为 REGION", show_default=False)],
    specialty: Annotated[str, typer.Option(help="专科编码或名称；全部专科为 ALL", show_default=False)],
    indicator: Annotated[str, typer.Option(help="指标编号或名称，或评选条目的编号", show_default=False)],
    window: Annotated[
        str | None, typer.Option(help="统计窗口，如 2024 或 2022-2024；条目按其方案", show_default=False)
    ] = None,
    attribution: Annotated[
        Literal["department", "mdc"], typer.Option(help="department 按出院科别，mdc 按疾病归属")
    ] = "department",
    release: Annotated[str, typer.Option("--release", "--certificate", help="发布版或证书编号")] = "current",
    home: Home = None,
    as_json: AsJson = False,
    xlsx: Xlsx = None,
) -> None:
    """追溯一个数值：分子与分母、DRG 组、逐例病例（假名）及其计入的理由。"""
    from rich.console import Console

    from dagster_project.explain import explain as answer
    from dagster_project.settings import load_settings

    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    with console.status("查找或重算所问的数据……"):
        found = answer(
            load_settings(home),
            release,
            hospital=hospital,
            specialty=specialty,
            indicator=indicator,
            window=window,
            attribution=attribution,
        )
    if xlsx:
        write_explanation(xlsx, found)
    if as_json:
        print(json.dumps(vars(found), ensure_ascii=False, indent=1, default=_plain))
    else:
        _show_explanation(console, found, xlsx)


def rebuild(asked: Asked, home: Home = None, as_json: AsJson = False) -> None:
    """用当时的输入与算法重算一个发布版或证书：一致，或指出第一个不同的数。"""
    from rich.console import Console

    from dagster_project.rebuild import rebuild as compute
    from dagster_project.settings import load_settings

    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    with console.status("由当时的输入重算……"):
        found = compute(load_settings(home), asked)
    if as_json:
        told = {**vars(found), "is_identical": found.is_identical}
        print(json.dumps(told, ensure_ascii=False, indent=1, default=_plain))
    else:
        _show_rebuilt(console, found)
    if not found.is_identical:
        raise typer.Exit(FAILURE)


def _show_rebuilt(console: Console, found: Rebuilt) -> None:
    from dagster_project.made_of import shown

    console.print(f"  算法：{found.method}", markup=False)
    for name, (then, now) in found.engines.items():
        console.print(f"  引擎 {name}：当时 {then}，现在 {now}", markup=False)
    if found.difference is not None:
        one = found.difference
        key = "，".join(f"{name}={shown(value)}" for name, value in one.key.items())
        values = f"公布 {shown(one.before)}，重算 {shown(one.after)}"
        console.print(f"不一致：{found.record} 的 {one.mart}（{key}）{one.column}：{values}", markup=False)
    elif found.other_bytes:
        marts = "、".join(found.other_bytes)
        console.print(
            f"一致：{found.record} 的 {found.marts} 张表数值全部相同；与当时逐字节不同的整表：{marts}", markup=False
        )
    else:
        console.print(f"一致：{found.record} 的 {found.marts} 张表逐字节相同", markup=False)


def diff(
    earlier: Annotated[str, typer.Argument(metavar="编号", help="较早的发布版、证书或其文件夹", show_default=False)],
    later: Annotated[str, typer.Argument(metavar="编号", help="较晚的发布版、证书或其文件夹", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
    xlsx: Xlsx = None,
) -> None:
    """比较两个发布版或证书：结构、行与数值，并说明每个变动出自数据、目录、规则还是代码。"""
    from rich.console import Console

    from dagster_project.causes import difference
    from dagster_project.settings import load_settings

    console = Console(highlight=False, soft_wrap=True, stderr=as_json)
    with console.status("比较，必要时逐项重算……"):
        found = difference(load_settings(home), earlier, later)
    if xlsx:
        _write_difference(xlsx, found)
    if as_json:
        print(json.dumps(vars(found), ensure_ascii=False, indent=1, default=_plain))
    else:
        _show_difference(console, found)


def _causes(causes: Sequence[Cause]) -> str:
    from dagster_project.causes import CAUSES

    return "、".join(CAUSES[cause] for cause in causes) or "不明之处（来源记录相同，请先核验）"


def _write_difference(path: Path, found: Difference) -> None:
    from publishing.casebook import Sheet, write_casebook

    origins = [{"来由": _causes([cause]), "说明": told} for cause, lines in found.origins.items() for told in lines]
    changes = [
        {
            "表": change.mart,
            "主键": change.key,
            "列": change.column,
            found.earlier: change.before,
            found.later: change.after,
            "来由": _causes(change.causes),
        }
        for change in found.changes
    ]
    write_casebook(path, "发布版比较", [Sheet.of("来由", origins), Sheet.of("变动", changes)])


def _show_difference(console: Console, found: Difference) -> None:
    for cause, lines in found.origins.items():
        console.print(f"{_causes([cause])}不同：", markup=False)
        for told in lines[:_SHOWN]:
            console.print(f"  {told}", markup=False)
        if len(lines) > _SHOWN:
            console.print(f"  ……其余 {len(lines) - _SHOWN:,} 项见 --json 或 --xlsx", markup=False)
    for side, title in (("marts_added", "新增的表"), ("marts_removed", "移除的表")):
        if found.marts[side]:
            console.print(f"{title}：{'、'.join(found.marts[side])}", markup=False)
    for mart, told in found.marts["marts"].items():
        if not told["identical"]:
            columns = "、".join([*told["columns_added"], *told["columns_removed"], *told["columns_retyped"]])
            rows = [f"{title} {told.get(name, 0):,}" for name, title in _ROWS.items()]
            console.print(f"  {mart}：{'，'.join(rows)}{f'；列有变动：{columns}' if columns else ''}", markup=False)
    for obstacle in found.why_not:
        console.print(f"未能逐项重算，只按来源记录说明：{obstacle}", markup=False)
    if not found.changes:
        console.print("数值没有变动。")
    for causes, count in sorted(found.counted().items()):
        word = "出自" if found.is_computed else "可能出自"
        console.print(f"{count:,} 处变动{word}{_causes(causes)}", markup=False)
    shown = sorted(found.changes, key=lambda change: (change.mart != "fct_indicator", change.column != "value"))
    for change in shown[:_SHOWN]:
        moved = f"{change.before} → {change.after}（{_causes(change.causes)}）"
        console.print(f"  {change.mart} {change.key} {change.column}：{moved}", markup=False)


def write_explanation(path: Path, found: Explanation) -> None:
    """The explanation as a workbook."""
    from publishing.casebook import Sheet, write_casebook

    facts = [{"项目": item, "内容": text} for item, text in _facts(found)]
    parts = [
        {"": part.role, "度量": part.name_zh, "数量": part.amount, "构成": part.made_of, "定义": part.definition_zh}
        for part in found.parts
    ]
    sheets = [Sheet.of("数值", facts), Sheet.of("分子与分母", parts)]
    for name, rows in (("DRG 组", found.groups), ("病例", found.cases), ("其他构成", found.others)):
        if rows:
            sheets.append(Sheet.of(name, rows))
    write_casebook(path, f"{found.indicator['name_zh']}的构成", sheets)


def _facts(found: Explanation) -> list[tuple[str, str]]:
    from dagster_project.made_of import shown

    place, registry, cell = found.place, found.indicator, found.cell
    switches = "；".join(
        f"{one['switch_id']} = {one['value']}{'' if one['status'] == 'confirmed' else '（暂定）'}"
        for one in found.switches
    )
    value = shown(cell["value"]) if cell["value"] is not None else f"无（{cell['status_reason']}）"
    facts = [
        ("发布版或证书", found.record),
        ("机构", f"{place['hospital_id']} {place['hospital']}"),
        ("专科", f"{place['specialty_code']} {place['specialty']}"),
        ("归属口径", {"department": "按出院科别", "mdc": "按疾病归属"}.get(place.get("attribution", ""), "")),
        ("统计窗口", place["window_id"]),
        ("指标", f"{registry['indicator_id']} {registry['name_zh']}"),
        ("定义", registry["definition_zh"]),
        ("数值", value),
        ("分子", shown(cell["numerator"])),
        ("分母", shown(cell["denominator"])),
        ("口径版本", cell.get("method_version")),
        ("目录与版本", cell.get("editions") or "不涉及"),
        ("口径开关", switches or "不涉及"),
        ("算法", found.method),
    ]
    return [(item, str(text)) for item, text in facts if text]


def _show_explanation(console: Console, found: Explanation, xlsx: Path | None) -> None:
    from dagster_project.made_of import shown

    for item, text in _facts(found):
        console.print(f"  {item}：{text}", markup=False)
    for part in found.parts:
        console.print(f"{part.role} {part.name_zh} = {shown(part.amount)}（由{part.made_of}合计，相符）", markup=False)
    for name, rows in (("DRG 组", found.groups), ("其他构成", found.others), ("病例", found.cases)):
        if not rows:
            continue
        console.print(f"{name} {len(rows):,} 行", markup=False)
        for row in rows[:_SHOWN]:
            told = [f"{title} {shown(value)}" for title, value in row.items() if value is not None]
            console.print("  " + "，".join(told), markup=False)
        if len(rows) > _SHOWN:
            console.print(f"  ……其余 {len(rows) - _SHOWN:,} 行见 --json 或 --xlsx", markup=False)
    if xlsx:
        console.print(f"已写入 {xlsx}", markup=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return vars(value) if hasattr(value, "__dict__") else str(value)
