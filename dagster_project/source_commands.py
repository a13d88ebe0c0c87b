"""`zhuanke source …`: databases from which months are pulled.

Belongs here: the commands, their options and messages. Does not belong here: work; imports of the rooms stand inside
the commands, because `zhuanke --help` must answer at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.terminal import AsJson, Home, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from sources.databases.check import Checked
    from sources.databases.pull import PullReport

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="数据库来源：列出、检查、拉取。")

Names = Annotated[
    list[str] | None, typer.Argument(metavar="来源", help="[pulls.…] 的名称（默认全部）", show_default=False)
]
_MONTHS_SHOWN = 12


def show_report(console: Console, report: PullReport) -> None:
    """What came of one source, in a line or two."""
    from rich.markup import escape

    if report.problem is not None:
        console.print(f"  [red]✗[/] 来源 {report.source}：{escape(report.problem)}")
    if report.months or report.problem is None:
        same = f"，{len(report.same)} 个月重读后相同" if report.same else ""
        changed = f"{len(report.months)} 个月、{report.rows:,} 行" if report.months else "没有变化"
        console.print(f"  [green]✓[/] 来源 {report.source}：{changed}{same}")


@app.command("list")
def source_list(home: Home = None, as_json: AsJson = False) -> None:
    """列出设置中的来源，以及各自拉取到哪里（不显示密码）。"""
    from rich import box
    from rich.table import Table

    from dagster_project.settings import load_settings
    from sources.databases import journal

    settings = load_settings(home)
    found = []
    for name, pull in settings.pulls.items():
        months = journal.latest(settings.home, name)
        found.append(
            {
                "name": name,
                "connection": pull.connection,
                "layout": pull.layout,
                "from": pull.table or "（查询）",
                "months": len(months),
                "rows": sum(record.rows for record in months.values()),
                "last": max((record.at for record in months.values()), default=None),
            }
        )
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    elif not found:
        terminal().print(f"没有设置来源。写法见 docs/sources/databases.md；设置文件：{settings.home / 'zhuanke.toml'}")
    else:
        table = Table("名称", "连接", "版式", "表", "月数", "行数", "上次拉取", box=box.SIMPLE_HEAD)
        for item in found:
            cells = (f"{value:,}" if isinstance(value, int) else str(value or "从未") for value in item.values())
            table.add_row(*cells)
        terminal().print(table)


@app.command("check")
def source_check(names: Names = None, home: Home = None, as_json: AsJson = False) -> None:
    """连接来源，核对列与版式，比较各月行数；不拉取。有不通的来源时退出码为 1。"""
    from dataclasses import asdict

    from dagster_project.pulling import check_all
    from dagster_project.settings import load_settings

    checked = list(check_all(load_settings(home), names or ()))
    if as_json:
        print(json.dumps([asdict(each) for each in checked], ensure_ascii=False, indent=2))
    else:
        for each in checked:
            _show_checked(terminal(), each)
    raise typer.Exit(1 if any(each.problem for each in checked) else 0)


def _show_checked(console: Console, checked: Checked) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    if checked.problem is not None:
        console.print(f"[red]✗[/] {checked.source}：{escape(checked.problem)}")
        return
    rows = sum(month.rows for month in checked.months)
    console.print(f"[green]✓[/] {checked.source}：{len(checked.columns)} 列对应{checked.title_zh}，{rows:,} 行")
    if checked.left_out:
        console.print(f"  不拉取的列：{escape('、'.join(checked.left_out))}")
    table = Table("月份", "库中行数", "已拉取", "最近修改", "", box=box.SIMPLE_HEAD)
    for month in checked.months[-_MONTHS_SHOWN:]:
        pulled = "—" if month.pulled is None else f"{month.pulled:,}"
        table.add_row(month.label, f"{month.rows:,}", pulled, month.latest or "—", "待拉取" if month.due else "")
    if len(checked.months) > _MONTHS_SHOWN:
        console.print(f"  最近 {_MONTHS_SHOWN} 个月（共 {len(checked.months)} 个，--json 列出全部）：")
    console.print(table)


@app.command("pull")
def source_pull(
    names: Names = None,
    reconcile: Annotated[bool, typer.Option("--reconcile", help="重读全部月份，逐月核对行数与摘要")] = False,
    accept_columns: Annotated[bool, typer.Option("--accept-columns", help="认可表结构的变化")] = False,
    home: Home = None,
) -> None:
    """拉取到期的月份，放入收件箱；有来源失败时退出码为 1。落地与计算由 zhuanke run 完成。"""
    from dagster_project.pulling import pull_all
    from dagster_project.settings import load_settings
    from dagster_project.workspace import exclusive

    console, settings = terminal(), load_settings(home)
    failed = False
    with exclusive(settings, on_wait=console.print), console.status("连接数据库……") as status:
        for report in pull_all(
            settings, names or (), reconcile=reconcile, accept_columns=accept_columns, tell=status.update
        ):
            show_report(console, report)
            failed = failed or report.problem is not None
    raise typer.Exit(1 if failed else 0)
