"""`zhuanke gate`: the rules, the last verdicts, and what people decide about them.

Belongs here: the commands, and how they show rules, verdicts and decisions. Does not belong here: what a decision
must look like (`expectations.decisions`), what it changes (`expectations.verdict`, `expectations.holding`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.terminal import AsJson, Home, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from expectations.decisions import Override, ThresholdChange
    from expectations.verdict import Verdict

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="质量门：规则、判定、阈值与放行。")

RuleId = Annotated[str, typer.Argument(metavar="规则", help="规则编号，见 zhuanke gate list", show_default=False)]


@app.command("list")
def gate_list(home: Home = None, as_json: AsJson = False) -> None:
    """列出全部规则：级别、现行阈值、单独暂缓的阈值；现行的阈值调整与放行；暂不采用的机构月份。"""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from dagster_project.decisions import decisions_in_force, held_back_months
    from dagster_project.settings import load_settings
    from expectations.checks import load_rules
    from expectations.verdict import RULES
    from sources.candidate import outstanding

    settings = load_settings(home)
    decisions = decisions_in_force(settings)
    rules = decisions.apply(load_rules(RULES))
    held = outstanding(settings.home, held_back_months(settings, decisions))
    if as_json:
        listed = {
            "rules": [rule.model_dump(mode="json") for rule in rules],
            "decisions": decisions.model_dump(mode="json"),
            "held_back": [asdict(one) | {"threshold": str(one.threshold)} for one in held],
        }
        print(json.dumps(listed, ensure_ascii=False, indent=1))
        return
    changed = {change.rule_id for change in decisions.thresholds}
    table = Table(box=box.SIMPLE_HEAD)
    for title in ("规则", "级别", "阈值", "单独暂缓", "名称"):
        # Chinese has no spaces to break at: fold, or the end of a name is lost
        table.add_column(title, no_wrap=title != "名称", overflow="fold")
    for rule in rules:
        mark = " *" if rule.rule_id in changed else ""
        hold = f"{rule.hold_back_threshold:f}" if rule.hold_back_threshold is not None else ""
        table.add_row(rule.rule_id, rule.severity.title_zh, f"{rule.threshold:f}{mark}", hold, rule.title_zh)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for sentence in decisions.sentences():
        console.print(f"  {sentence}", markup=False)
    for one in held:
        place = f"{one.dataset} {' '.join(one.slice)}（文件 {one.sha256[:12]}）"
        console.print(f"  暂不采用：{place} {one.rule_id}，违反 {one.violated:,} / 检查 {one.checked:,}", markup=False)


@app.command("show")
def gate_show(
    judged: Annotated[
        str | None, typer.Argument(metavar="判定", help="内容摘要的开头（默认为最近一次判定）", show_default=False)
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """显示一次判定：不通过与无法判定的项目、最差的机构与月份、整改建议。"""
    from rich.console import Console

    from dagster_project.settings import load_settings
    from expectations.data_docs import STATES

    verdict = _verdict(load_settings(home).verdicts, judged)
    if as_json:
        print(verdict.to_bytes().decode())
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"质量门{'开启' if verdict.is_open else '关闭'}：内容 {verdict.judged_hash[:12]}")
    console.print("  " + "，".join(f"{STATES[state]} {count}" for state, count in verdict.summary.items()))
    for result in verdict.results:
        if result.status in ("failed", "error"):
            told = "（已放行）" if result.is_let_through else ""
            console.print(f"{STATES[result.status]}{told} [{result.severity.title_zh}] {result.id} {result.title_zh}")
            if result.checked is not None:
                allowed = f"，允许 {result.threshold:f}" if result.threshold is not None else ""
                console.print(f"    违规 {result.violated or 0:,} / 检查 {result.checked:,}{allowed}")
            if result.worst is not None:
                worst = f"{result.worst.organisation_id} {result.worst.month}"
                console.print(f"    最多：{worst}，{result.worst.violated:,}/{result.worst.checked:,}")
            if text := result.reason or result.remedy:
                console.print(f"    {text}")
    for sentence in verdict.decisions.sentences():
        console.print(sentence)


@app.command("override")
def gate_override(
    rule_id: RuleId,
    by: Annotated[str, typer.Option("--by", help="决定人", show_default=False)],
    confirmed_by: Annotated[str, typer.Option("--confirmed-by", help="复核人，须是另一人", show_default=False)],
    reason: Reason,
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="截止日", show_default=False)],
    organisation: Annotated[str | None, typer.Option(help="只对这家机构", show_default=False)] = None,
    month: Annotated[str | None, typer.Option(help="只对这个月，如 2024-03", show_default=False)] = None,
    home: Home = None,
) -> None:
    """放行：在截止日之前容许一条规则不通过。写入数据目录，并印在由此发布的一切之上。"""
    from expectations.decisions import Override

    _record(
        home,
        lambda: Override(
            rule_id=rule_id,
            organisation_id=organisation,
            month=month,
            decided_by=by,
            confirmed_by=confirmed_by,
            reason=reason,
            decided_on=date.today(),
            expires_on=until.date(),
        ),
    )


@app.command("threshold")
def gate_threshold(
    rule_id: RuleId,
    threshold: Annotated[str, typer.Argument(metavar="阈值", help="容许的违规占比，如 0.02 或 2%", show_default=False)],
    owner: Annotated[str, typer.Option("--owner", help="由谁决定", show_default=False)],
    reason: Reason,
    home: Home = None,
) -> None:
    """改变一条规则容许的违规占比；之后的调整取代之前的。"""
    from expectations.decisions import ThresholdChange, share_of

    _record(
        home,
        lambda: ThresholdChange(
            rule_id=rule_id, threshold=share_of(threshold), owner=owner, reason=reason, decided_on=date.today()
        ),
    )


def _record(home: Path | None, make: Callable[[], Override | ThresholdChange]) -> None:
    from pydantic import ValidationError

    from dagster_project.settings import load_settings
    from expectations.checks import load_rules
    from expectations.decisions import DecisionLog, DecisionRefused
    from expectations.verdict import RULES

    settings = load_settings(home)
    try:
        decision = make()
    except ValidationError as error:
        told = "；".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())
        raise DecisionRefused(f"未记录：{told}。") from error
    DecisionLog(settings.decisions).record(decision, load_rules(RULES))
    print(f"已记录，下一次运行起生效。{decision.sentence()}")


def _verdict(folder: Path, start: str | None) -> Verdict:
    from expectations.decisions import DecisionRefused
    from expectations.verdict import Verdict

    files = sorted(folder.glob(f"{start or ''}*.json"), key=lambda file: file.stat().st_mtime_ns)
    if not files:
        raise DecisionRefused("没有这样的判定；请先运行 zhuanke run。")
    return Verdict.model_validate_json(files[-1].read_bytes())
