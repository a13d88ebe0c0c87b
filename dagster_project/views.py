"""What a person sees at the terminal, in Chinese.

Belongs here: tables and lines made of results that others computed. Does not belong here: any judgement.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from dagster_project.regroup import TRACE_TITLE
from dagster_project.run import COUNTS, RunOutcome
from dagster_project.settings import Settings
from dagster_project.target_commands import show_target_outcomes
from dagster_project.terminal import MARKS

if TYPE_CHECKING:
    from rich.console import Console

    from dagster_project.doctor import Finding
    from dagster_project.regroup import Grouped
    from dagster_project.status import Status
    from publishing.release import Release
    from sources.scheme.diff import Difference
    from sources.scheme.package import Fault
    from sources.scheme.store import Imported

_LAST_RUN = {
    "none": "从未运行",
    "running": "正在运行",
    "published": "已发布",
    "gate_closed": "质量门关闭",
    "up_to_date": "已是最新",
    "failed": "失败",
    "killed": "中断",
}
# as many as fit a terminal; all are in fct_indicator
_RANKED = (
    "discharge_count",
    "drg_group_count",
    "cmi",
    "cost_consumption_index",
    "time_consumption_index",
    "level4_surgery_share",
    "mortality_low_and_mid_low_risk",
    "rw2_share",
    "out_of_province_share",
)
_RANKED_SPECIALTIES = 2
_RANKING_WIDTH = 128
_CASES_SHOWN = 5


def show_outcome(console: Console, settings: Settings, outcome: RunOutcome) -> None:
    """The end of a run: what came of it, why, and what to open or do next."""
    took = f"[dim]{outcome.seconds:.1f} 秒[/]"
    if outcome.result == "up_to_date":
        console.print(f"[green]已是最新[/]：{outcome.release_id}，没有新文件，代码与参考表未变  {took}")
        show_target_outcomes(console, outcome.targets)
        return
    console.print("  " + "，".join(f"{title} {outcome.counts[name]:,}" for name, title in COUNTS.items()))
    if outcome.judged_hash is not None:
        _show_verdict(console, settings, outcome.judged_hash)
    if outcome.result == "published":
        release = settings.releases / str(outcome.release_id)
        console.print(f"[green]已发布[/] {outcome.release_id}  {took}")
        console.print(f"  BI 读取：{settings.current / 'data'}（Parquet），{settings.current / 'marts.duckdb'}（只读）")
        console.print(f"  发布版：{release}")
        show_target_outcomes(console, outcome.targets)
    elif outcome.result == "gate_closed":
        kept = f"读者仍使用 {outcome.release_id}" if outcome.release_id else "尚无发布版"
        console.print(f"[red]质量门关闭[/]，未发布；{kept}  {took}")
    else:
        console.print(f"[red]运行失败[/]：{escape(outcome.problem or '原因见日志')}  {took}")
        console.print("  改正后再次运行即可：已落地的文件不会重读，读者不受影响。")
    console.print(f"  日志：{outcome.log}")


def _show_verdict(console: Console, settings: Settings, judged_hash: str) -> None:
    from dagster_project.decisions import decisions_in_force
    from expectations.verdict import VerdictStore, judged_by

    judge = judged_by(decisions=decisions_in_force(settings))
    verdict = VerdictStore(settings.verdicts).load(judged_hash, judge)
    if verdict is None:
        return
    _print_verdict_counts(console, verdict.summary)
    _print_notices(console, verdict.decisions.sentences())
    for result in verdict.closing():
        found = "无法判定" if result.status == "error" else f"{result.violated or 0:,}/{result.checked or 0:,}"
        console.print(f"    [red]✗[/] {escape(f'{result.title_zh}：{found}；{result.reason or result.remedy}')}")


def show_ranking(console: Console, settings: Settings) -> None:
    """Registered hospitals of the largest specialties that have enough cases, by case-mix index, in the latest complete
    three-year window.
    """
    import duckdb
    from rich.console import Console as WideConsole

    if console.width < _RANKING_WIDTH:
        console = WideConsole(width=_RANKING_WIDTH)  # a folded number cannot be read
    with duckdb.connect(str(settings.current / "marts.duckdb"), read_only=True) as marts:
        window = marts.execute(
            "select window_id from dim_window order by years = 3 desc, is_complete desc, last_year desc limit 1"
        ).fetchone()
        if window is None:
            return
        indicators = marts.execute(
            "select indicator_id, name_zh, unit, decimals from dim_indicator where indicator_id in ? order by serial",
            [list(_RANKED)],
        ).fetchall()
        specialties = marts.execute(
            """
            select fct_indicator.specialty_code, dim_specialty.name_zh
            from fct_indicator inner join dim_specialty using (specialty_code)
            where hospital_id = 'REGION' and attribution = 'department' and window_id = ?
                and indicator_id = 'discharge_count' and specialty_code not in ('ALL', 'UNMAPPED')
            order by value desc, specialty_code limit ?
            """,
            [window[0], _RANKED_SPECIALTIES],
        ).fetchall()
        # as scoring asks of the same indicator
        fewest = marts.execute(
            "select coalesce(max(min_cases), 0) from dim_programme_item where indicator_id = 'cmi'"
        ).fetchall()[0][0]
        for code, name in specialties:
            rows = marts.execute(
                """
                select hospital_id, dim_hospital.name_zh, is_registered or is_region as is_known,
                       map(list(indicator_id), list(value)) as values
                from fct_indicator inner join dim_hospital using (hospital_id)
                where attribution = 'department' and window_id = ? and specialty_code = ?
                group by all
                """,
                [window[0], code],
            ).fetchall()
            known = [(hospital, name_zh, values) for hospital, name_zh, is_known, values in rows if is_known]
            ranked = [row for row in known if (row[2].get("discharge_count") or 0) >= fewest]
            _print_ranking(console, f"{name}（{code}）· {window[0]} 年", indicators, ranked)
            if left_out := len(rows) - len(ranked):
                unknown = len(rows) - len(known)
                told = f"未登记机构 {unknown} 家，出院不足 {fewest} 例的 {left_out - unknown} 家"
                console.print(f"[dim]  未列入名次：{told}[/]")
    console.print("[dim]按 CMI 由高到低；全部专科与全部指标见 fct_indicator，定义见 dim_indicator。[/]")


def _print_ranking(console: Console, title: str, indicators: list[Any], rows: list[Any]) -> None:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("名次", justify="right")
    table.add_column("机构", no_wrap=True)
    for _, name, unit, _ in indicators:
        # Chinese has no spaces to break at: fold, or the end of a long name is lost
        title_zh = f"{name}{' %' if unit == '%' else ''}"
        table.add_column(title_zh, justify="right", overflow="fold", min_width=8, max_width=10)
    region = [row for row in rows if row[0] == "REGION"]
    hospitals = [row for row in rows if row[0] != "REGION"]
    hospitals.sort(key=lambda row: (row[2].get("cmi") is None, -(row[2].get("cmi") or 0), row[0]))
    for rank, (_, name, values) in enumerate(hospitals, 1):
        table.add_row(str(rank), name, *_cells(indicators, values))
    for _, _, values in region:
        table.add_section()
        table.add_row("", "全省", *_cells(indicators, values))
    console.print(table)


def _cells(indicators: list[Any], values: dict[str, Decimal | None]) -> Iterable[str]:
    for indicator, _, unit, decimals in indicators:
        value = values.get(indicator)
        yield "—" if value is None else f"{value * (100 if unit == '%' else 1):,.{decimals}f}"


def show_releases(console: Console, releases: list[Release]) -> None:
    """All releases, the current one marked."""
    if not releases:
        console.print("还没有发布版。")
        return
    table = Table("", "编号", "发布时间", "内容摘要", box=box.SIMPLE_HEAD)
    for release in releases:
        mark = "[green]●[/]" if release.is_current else ""
        table.add_row(mark, release.release_id, _local(release.published_at), release.content_hash[:12])
    console.print(table)


def show_release_facts(console: Console, facts: dict[str, Any]) -> None:
    """What a release contains and where it comes from, in counts."""
    provenance, verdict = facts["provenance"], facts["verdict"]
    console.print(f"[bold]{facts['release_id']}[/]")
    for entry in facts["journal"]:
        console.print(f"  发布：{_local(entry['published_at'])}，{entry['published_by']}")
    code = provenance["code"]
    console.print(f"  代码：{code['commit'] or '未知'}" + ("（有未提交的改动）" if code["clean"] is False else ""))
    console.print(f"  来源文件：{len(provenance['inputs'])} 个")
    for name, editions in provenance["editions"].items():
        console.print(f"  版本 {name}：{'、'.join(editions) or '无'}")
    if grouping := provenance.get("grouping"):
        own = grouping["drg_source"] == "own"
        console.print("  DRG：" + (f"本系统分组，版本 {grouping['drg_edition']}" if own else "收到的分组结果"))
    for scheme in provenance.get("schemes", []):
        told = f"{scheme['edition_id']}（{scheme['name_zh']}，{scheme['licence']}，{scheme['content_sha256'][:12]}）"
        console.print(f"  分组方案：{escape(told)}")
    _print_verdict_counts(console, verdict["summary"])
    _print_notices(console, facts["datapackage"].get("notices", []))
    for result in verdict["results"]:
        if result["status"] == "failed":
            console.print(f"    [yellow]![/] {escape(result['title_zh'])}：{result['violated']}/{result['checked']}")
    table = Table("文件", "说明", "字节", box=box.SIMPLE_HEAD)
    for resource in facts["datapackage"]["resources"]:
        table.add_row(resource["path"], resource.get("title", ""), f"{resource['bytes']:,}")
    console.print(table)


def _print_verdict_counts(console: Console, counts: dict[str, int]) -> None:
    console.print(
        f"  质量门：通过 {counts['passed']}，不通过 {counts['failed']}，不适用 {counts['not_applicable']}，"
        f"无法判定 {counts['error']}"
    )


def _print_notices(console: Console, notices: list[str]) -> None:
    for notice in notices:
        console.print(f"  [yellow]![/] {escape(notice)}")


def show_status(console: Console, status: Status) -> None:
    """The state of an installation."""
    heads = {
        "ok": "[green]正常[/]",
        "failed": "[red]上次运行失败[/]",
        "gate_closed": "[red]质量门关闭[/]",
        "stale": "[yellow]已过期[/]",
        "none": "[yellow]没有发布版[/]",
    }
    console.print(heads[status.state] + ("：" + "；".join(status.reasons) if status.reasons else ""))
    console.print(f"  当前发布版：{status.release_path or '无'}")
    console.print(f"  发布时间：{_local(status.published_at)}")
    console.print(f"  最近检查：{_local(status.checked_at)}")
    console.print(f"  最近运行：{_LAST_RUN[status.last_run]}  {_local(status.last_run_at)}")
    _print_notices(console, status.notices)


def _local(moment: str | None) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}" if moment else "—"


def show_findings(console: Console, findings: list[Finding]) -> None:
    """What `doctor` found."""
    for finding in findings:
        console.print(f"{MARKS[finding.level]} {finding.title}：{escape(finding.text)}")


def show_scheme_faults(console: Console, faults: list[Fault]) -> None:
    """Every fault of a scheme package, and whether it can be imported."""
    counts = {level: sum(fault.level == level for fault in faults) for level in ("error", "warning")}
    for fault in faults:
        console.print(f"{MARKS['fail' if fault.level == 'error' else 'warn']} {escape(str(fault))}")
    verdict = "[red]不能导入[/]" if counts["error"] else "[green]可以导入[/]"
    console.print(f"{verdict}：错误 {counts['error']} 种，提醒 {counts['warning']} 种")


def show_imported_scheme(console: Console, imported: Imported) -> None:
    """What came of an import."""
    console.print("[green]已导入[/]" if imported.is_new else "[green]此前已导入，内容相同[/]")
    _print_scheme(console, imported.description, " ")


def show_schemes(console: Console, schemes: list[dict[str, Any]], in_use_today: str | None) -> None:
    """All imported schemes, the one for today's discharges marked."""
    if not schemes:
        console.print("还没有导入分组方案。请运行 zhuanke scheme import。")
        return
    for scheme in schemes:
        _print_scheme(console, scheme, "[green]●[/]" if scheme["edition_id"] == in_use_today else " ")
    console.print("[dim]● 按设置 drg_edition，今日出院的病例用它分组[/]")


def _print_scheme(console: Console, scheme: dict[str, Any], mark: str) -> None:
    rows = scheme["rows"]
    until = f"至 {scheme['effective_to']}（不含）" if scheme["effective_to"] else "起"
    console.print(f"{mark} [bold]{scheme['edition_id']}[/]  {escape(scheme['name_zh'])}")
    console.print(f"    有效：{scheme['effective_from']} {until}")
    console.print(f"    所有者：{escape(scheme['owner'])}；许可：{escape(scheme['licence'])}")
    console.print(f"    MDC {rows['mdc']:,}，ADRG {rows['adrg']:,}，DRG {rows['drg']:,}，对照 {rows['code_map']:,} 行")
    console.print(f"    内容摘要：{scheme['content']['sha256']}")


def show_scheme_difference(console: Console, difference: Difference) -> None:
    """Counts per table and kind of change, and the first cases of each kind."""
    console.print(f"[bold]{difference.earlier} → {difference.later}[/]")
    table = Table("表", box=box.SIMPLE_HEAD)
    for title in ("新增", "删去", "改动"):
        table.add_column(title, justify="right")
    for found in difference.tables:
        table.add_row(found.table, f"{found.added:,}", f"{found.removed:,}", f"{found.changed:,}")
    console.print(table)
    for change in difference.changes:
        if change.cases:
            console.print(f"{change.title_zh}：{len(change.cases):,}")
            for case in change.cases[:_CASES_SHOWN]:
                console.print(f"  {escape(case)}")
            if len(change.cases) > _CASES_SHOWN:
                console.print("  [dim]……（全部见 --json）[/]")


def show_grouped(console: Console, grouped: Grouped) -> None:
    """The answer for a file of cases: a table, or with traces a paragraph each."""
    console.print(f"方案 {grouped.edition}，{len(grouped.rows)} 例")
    if grouped.titles[-1] == TRACE_TITLE:
        for row in grouped.rows:
            answer = dict(zip(grouped.titles, row, strict=True))
            console.print(f"[bold]{escape(str(answer['编号']))}[/] {answer['DRG'] or '未入组'}")
            console.print(f"  {answer[TRACE_TITLE]}")
        return
    table = Table(box=box.SIMPLE_HEAD)
    for title in grouped.titles:
        table.add_column(title, overflow="fold")
    for row in grouped.rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    console.print(table)


def write_grouped(path: Path, grouped: Grouped) -> None:
    """The same as CSV, with the mark by which Excel recognises UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*grouped.titles, "方案版本"])
        writer.writerows([*row, grouped.edition] for row in grouped.rows)


def show_comparison(console: Console, counts: dict[str, int], target: Path) -> None:
    """How much moves between two editions, and where it is written down."""
    for what, moved, of in (
        ("病例换组", "cases_moved", "cases"),
        ("指标变值", "values_moved", "values"),
        ("名次变动", "ranks_moved", "values"),
    ):
        share = f"（{100 * counts[moved] / counts[of]:.1f}%）" if counts[of] else ""
        console.print(f"  {what}：{counts[moved]:,} / {counts[of]:,}{share}")
    console.print(f"结果：{target}（groups.parquet、indicators.parquet、regroup.xlsx）")
