"""`zhuanke serve`: the evaluators' read-only service, its tokens and its audit log.

Belongs here: the commands and what they say. Does not belong here: the service (`publishing.service`).
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.terminal import AsJson, Home

if TYPE_CHECKING:
    from publishing.service.audit import AuditLog
    from publishing.service.tokens import Scope, TokenStore

app = typer.Typer(rich_markup_mode=None, help="评审人员的只读网页服务：启动、令牌、访问日志。")
token_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="令牌：发放、列出、撤销。")
audit_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="访问日志。")
app.add_typer(token_app, name="token")
app.add_typer(audit_app, name="audit")


LOOPBACK = ("127.0.0.1", "localhost", "::1")
_STATES = {"valid": "有效", "expired": "已过期", "revoked": "已撤销"}


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    home: Home = None,
    host: Annotated[str, typer.Option(help="监听的地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口")] = 8642,
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="容许监听本机以外的地址")] = False,
    name: Annotated[
        list[str] | None, typer.Option(help="读者在浏览器里输入的主机名，可多次给出", show_default=False)
    ] = None,
    per_minute: Annotated[int, typer.Option(min=10, help="每个令牌每分钟的请求数；没有令牌的为其十分之一")] = 300,
) -> None:
    """启动只读网页服务，只听本机；Ctrl+C 结束。"""
    if context.invoked_subcommand is not None:
        return
    from dagster_project.settings import SettingsError, load_settings

    if host not in LOOPBACK and not allow_remote:
        raise SettingsError(
            f"{host} 不是本机地址。令牌与数据会不加密地经过网络：请在前面设反向代理，由它作 TLS 并转到本机；"
            "确要直接监听，请加 --allow-remote。"
        )
    import uvicorn

    from publishing.service.app import service

    settings = load_settings(home)
    if host not in LOOPBACK:
        typer.echo("注意：本服务自己不加密。请只让作 TLS 的反向代理连到它。", err=True)
    web = service(
        settings.certified, settings.service, hosts=[*LOOPBACK, "[::1]", host, *(name or [])], per_minute=per_minute
    )
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"服务已启动：{shown}:{port}（令牌由 zhuanke serve token new 发放）")
    # its own lines would hold addresses of visitors and of pages; the audit log says what may be said
    uvicorn.run(web, host=host, port=port, log_level="warning", access_log=False, server_header=False)


@token_app.command("new")
def token_new(
    purpose: Annotated[str, typer.Option("--for", help="给谁、为何，如“2026 年评审组”", show_default=False)],
    everything: Annotated[bool, typer.Option("--all", help="范围：全部机构")] = False,
    division: Annotated[
        str | None, typer.Option(help="范围：一个省、市或县的机构（行政区划代码）", show_default=False)
    ] = None,
    hospital: Annotated[str | None, typer.Option(help="范围：一家机构（机构代码）", show_default=False)] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="有效天数")] = 30,
    home: Home = None,
) -> None:
    """发放令牌；令牌只在此时显示一次，系统只留其摘要。"""
    from publishing.service.tokens import TokenProblem

    given = [(kind, value) for kind, value in (("division", division), ("hospital", hospital)) if value is not None]
    given += [("all", "")] if everything else []
    if len(given) != 1:
        raise TokenProblem("范围须且只须给一种：--all、--division 或 --hospital")
    tokens, audit = _records(home)
    now = datetime.now().astimezone()
    text, record = tokens.new(_scope(*given[0]), purpose=purpose, days=days, now=now)
    audit.append(
        token_id=record.token_id, action="token_new", subject={"scope": record.scope.title()}, status=0, at=now
    )
    typer.echo(f"令牌 {record.token_id}：{record.scope.title()}，{record.expires_at:%Y-%m-%d %H:%M} 到期", err=True)
    typer.echo(text)


@token_app.command("list")
def token_list(home: Home = None, as_json: AsJson = False) -> None:
    """列出全部令牌：编号、范围、用途、到期与状态。"""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    tokens, _ = _records(home)
    now = datetime.now().astimezone()
    records = tokens.records()
    if as_json:
        listed = [one.model_dump(mode="json", exclude={"sha256"}) | {"state": one.state(now)} for one in records]
        print(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    table = Table(box=box.SIMPLE_HEAD)
    for title in ("编号", "范围", "用途", "到期", "状态"):
        table.add_column(title, no_wrap=title != "用途")
    for one in records:
        expires = f"{one.expires_at:%Y-%m-%d %H:%M}"
        table.add_row(one.token_id, one.scope.title(), one.purpose, expires, _STATES[one.state(now)])
    Console(highlight=False, soft_wrap=True, markup=False).print(table)


@token_app.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="编号", help="见 zhuanke serve token list", show_default=False)],
    home: Home = None,
) -> None:
    """撤销令牌，立即生效。"""
    tokens, audit = _records(home)
    now = datetime.now().astimezone()
    record = tokens.revoke(token_id, now)
    audit.append(token_id=record.token_id, action="token_revoke", subject={}, status=0, at=now)
    typer.echo(f"已撤销令牌 {token_id}（{record.scope.title()}）")


@audit_app.command("verify")
def audit_verify(
    head: Annotated[str | None, typer.Option(help="此前记下的末行摘要，须仍在日志中", show_default=False)] = None,
    home: Home = None,
) -> None:
    """重新计算访问日志的摘要链；有出入时退出码为 1。请记下末行摘要，下次核对。"""
    _, audit = _records(home)
    report = audit.verify(head)
    if report.fault:
        typer.echo(f"✗ 访问日志不完整（其前 {report.entries:,} 行完好）：{report.fault}", err=True)
        raise typer.Exit(1)
    typer.echo(f"✓ 访问日志 {report.entries:,} 行，前后衔接；末行摘要 {report.head}")


def _scope(kind: str, value: str) -> Scope:
    from pydantic import ValidationError

    from publishing.service.tokens import Scope, TokenProblem

    try:
        return Scope.model_validate({"kind": kind, "value": value})
    except ValidationError as error:
        raise TokenProblem(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from error


def _records(home: Path | None) -> tuple[TokenStore, AuditLog]:
    from dagster_project.settings import load_settings
    from publishing.service.audit import AuditLog
    from publishing.service.tokens import TokenStore

    folder = load_settings(home).service
    return TokenStore(folder / "tokens.json"), AuditLog(folder / "audit.jsonl")
