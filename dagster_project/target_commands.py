"""`zhuanke target …`: databases that get a copy of every release.

Belongs here: the commands, their options and messages. Does not belong here: work; imports of the rooms stand inside
the commands, because `zhuanke --help` must answer at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.terminal import MARKS, AsJson, Home, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from dagster_project.targets import TargetOutcome
    from publishing.targets.sql import Mirror

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="目标库：把发布版同步到数据库，查看、退回、授权。")

Name = Annotated[str, typer.Argument(metavar="目标库", help="[targets.…] 的名称", show_default=False)]
Role = Annotated[str, typer.Argument(metavar="角色", help="数据库中已有的角色", show_default=False)]


def show_target_outcomes(console: Console, outcomes: list[TargetOutcome]) -> None:
    """What came of pushing, a line per target."""
    from rich.markup import escape

    for outcome in outcomes:
        console.print(f"  {MARKS[outcome.mark]} 目标库 {outcome.name}：{escape(outcome.text)}")
    if any(outcome.mark == "fail" for outcome in outcomes):
        console.print("    发布版不受影响；下次运行自动重试，或执行 zhuanke target push")


@app.command("list")
def target_list(home: Home = None) -> None:
    """列出设置中的目标库（不显示密码）。"""
    from rich import box
    from rich.table import Table

    from dagster_project.settings import load_settings

    settings = load_settings(home)
    if not settings.targets:
        terminal().print(f"没有设置目标库。写法见 docs/targets.md；设置文件：{settings.home / 'zhuanke.toml'}")
        return
    table = Table("名称", "连接", "前缀", "只读角色", box=box.SIMPLE_HEAD)
    for name, target in settings.targets.items():
        table.add_row(name, target.connection, target.prefix, target.reader or "—")
    terminal().print(table)


@app.command("push")
def target_push(
    name: Annotated[str | None, typer.Argument(metavar="目标库", help="默认全部", show_default=False)] = None,
    home: Home = None,
) -> None:
    """把当前发布版推送到目标库：旁边装载、核对行数与内容、一次切换。"""
    from dagster_project.settings import SettingsError, load_settings
    from dagster_project.targets import push_current

    settings = load_settings(home)
    if not settings.current.exists():
        raise SettingsError(f"{settings.home} 中还没有发布版，请先运行 zhuanke run")
    if not settings.targets:
        raise SettingsError(
            f"没有设置目标库；请在 {settings.home / 'zhuanke.toml'} 写入 [targets.…]，见 docs/targets.md"
        )
    console = terminal()
    with console.status("推送到目标库……"):
        outcomes = push_current(settings, only=name)
    show_target_outcomes(console, outcomes)
    raise typer.Exit(1 if any(outcome.mark == "fail" for outcome in outcomes) else 0)


@app.command("status")
def target_status(
    name: Annotated[str | None, typer.Argument(metavar="目标库", help="默认全部", show_default=False)] = None,
    verify: Annotated[bool, typer.Option("--verify", help="在库中重新计数、重算内容摘要，与发布版文件比较")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """目标库中读者所见的发布版；落后于当前发布版、或核对有出入时退出码为 1。"""
    from dataclasses import asdict

    from dagster_project.fingerprint import current_release_id
    from dagster_project.settings import load_settings
    from dagster_project.targets import open_target

    settings = load_settings(home)
    wanted, console, found, behind = current_release_id(settings), terminal(), {}, False
    for each in [name] if name else list(settings.targets):
        mirror = open_target(settings, each)
        status = mirror.status()
        faults = mirror.faults(settings.releases / status.current) if verify and status.current else []
        lags = status.current != wanted
        behind = behind or lags or bool(faults)
        found[each] = asdict(status) | {"is_current": not lags, "faults": faults}
        if not as_json:
            told = f"{status.current or '（空）'}，{status.rows:,} 行，装载于 {status.loaded_at or '—'}"
            console.print(f"{MARKS['warn' if lags else 'ok']} {each}：{told}")
            console.print(f"    可退回：{status.previous or '无'}；已退回：{status.held_back or '无'}")
            if lags:
                console.print(f"    当前发布版是 {wanted or '（无）'}")
            for fault in faults:
                console.print(f"    {MARKS['fail']} {fault}")
            if verify and not faults:
                console.print("    行数与内容和发布版文件一致")
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    raise typer.Exit(1 if behind else 0)


@app.command("rollback")
def target_rollback(name: Name, home: Home = None) -> None:
    """让目标库的读者回到上一个发布版；退回的发布版不再自动推送。"""
    from dagster_project.settings import load_settings
    from dagster_project.targets import open_target

    restored = open_target(load_settings(home), name).rollback()
    terminal().print(f"{MARKS['ok']} 目标库 {name} 已退回到 {restored}；如需恢复：zhuanke target push {name}")


@app.command("grant")
def target_grant(
    name: Name,
    role: Role,
    hospital: Annotated[list[str] | None, typer.Option(help="机构代码，可重复", show_default=False)] = None,
    city: Annotated[list[str] | None, typer.Option(help="市的行政区划代码，可重复", show_default=False)] = None,
    province: Annotated[bool, typer.Option("--province", help="全省")] = False,
    home: Home = None,
) -> None:
    """授予一个数据库角色只读权限，限于全省、市或机构的行（PostgreSQL）。"""
    if not (hospital or city or province):
        raise typer.BadParameter("请给出 --hospital、--city 或 --province")
    mirror = _mirror(home, name)
    if province:
        mirror.grant(role, "province")
    for scope_id in city or []:
        mirror.grant(role, "city", scope_id)
    for scope_id in hospital or []:
        mirror.grant(role, "hospital", scope_id)
    terminal().print(f"{MARKS['ok']} 角色 {role} 可读目标库 {name} 中所授范围的行")


@app.command("revoke")
def target_revoke(name: Name, role: Role, home: Home = None) -> None:
    """收回一个数据库角色的全部权限。"""
    _mirror(home, name).revoke(role)
    terminal().print(f"{MARKS['ok']} 已收回角色 {role} 在目标库 {name} 的权限")


@app.command("grants")
def target_grants(name: Name, home: Home = None) -> None:
    """列出各角色可见的范围。"""
    from publishing.targets.access import SCOPE_TITLES

    for role, scope, scope_id in _mirror(home, name).grants():
        terminal().print(f"  {role}：{SCOPE_TITLES[scope]} {scope_id}".rstrip())


@app.command("superset")
def target_superset(
    name: Name,
    out: Annotated[Path, typer.Argument(metavar="ZIP", help="写出的导入包", show_default=False)],
    url: Annotated[
        str | None, typer.Option(help="Superset 所用的连接串（默认同目标库，不含密码）", show_default=False)
    ] = None,
    home: Home = None,
) -> None:
    """写出 Superset 仪表板导入包：排名、趋势、质量、流向、名额；标题取自当前发布版。"""
    from dagster_project.settings import SettingsError, load_settings
    from publishing.superset.package import dashboard_zip, mart_columns

    settings = load_settings(home)
    target = settings.targets.get(name)
    if target is None or target.connection not in settings.connections:
        raise SettingsError(f"没有名为 {name} 的目标库，或其连接未设置")
    # Superset brings psycopg2, not psycopg
    uri = url or settings.connections[target.connection].url.replace("+psycopg:", "+psycopg2:")
    out.write_bytes(dashboard_zip(mart_columns(settings.current), uri=uri, prefix=target.prefix))
    terminal().print(f"{MARKS['ok']} {out}\n导入：superset import-dashboards -p {out} -u 管理员，或在界面上传")


def _mirror(home: Path | None, name: str) -> Mirror:
    from dagster_project.settings import load_settings
    from dagster_project.targets import open_target

    return open_target(load_settings(home), name)
