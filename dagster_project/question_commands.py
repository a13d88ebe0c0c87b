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

if TYPE_CHECKING:
    from rich.console import Console

    from dagster_project.explain import Explanation

FAILURE = 1
_SHOWN = 20  # cases on a terminal; a file has them all

Home = Annotated[
    Path | None,
    typer.Option("--home", help="数据目录（默认取 ZHUANKE_HOME，否则 ./data）", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取")]
Xlsx = Annotated[Path | None, typer.Option("--xlsx", help="另写工作簿", show_default=False)]
Asked = Annotated[str, typer.Argument(metavar="编号", help="发布版或证书编号，current，或其文件夹")]


def explain(
    hospital: Annotated[str, typer.Option(help="机构编号或名称；全省为 REGION", show_default=False)],
    specialty: Annotated[str, typer.Option(help="专科编码或名称；全部专科为 ALL", show_default=False)],
    indicator: Annotated[str, typer.Option(help="指标编号或名称", show_default=False)],
    window: Annotated[str, typer.Option(help="统计窗口，如 2024 或 2022-2024", show_default=False)],
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
        ("归属口径", "按出院科别" if place["attribution"] == "department" else "按疾病归属"),
        ("统计窗口", place["window_id"]),
        ("指标", f"{registry['indicator_id']} {registry['name_zh']}"),
        ("定义", registry["definition_zh"]),
        ("数值", value),
        ("分子", shown(cell["numerator"])),
        ("分母", shown(cell["denominator"])),
        ("口径版本", cell["method_version"]),
        ("目录与版本", cell["editions"] or "不涉及"),
        ("口径开关", switches or "不涉及"),
        ("算法", found.method),
    ]
    return [(item, text) for item, text in facts if text]


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
