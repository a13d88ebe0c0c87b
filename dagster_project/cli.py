"""The `zhuanke` command.

Belongs here: commands, options, exit codes, Chinese messages. Every command is a few lines that call a room.
Does not belong here: work. Imports of Dagster, DuckDB and the rooms stand inside the commands, because
`zhuanke --help` must answer at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project import certificate_commands, question_commands
from dagster_project.gate_commands import app as gate_app
from dagster_project.key_commands import app as key_app
from dagster_project.service_commands import app as service_app
from dagster_project.source_commands import app as source_app
from dagster_project.target_commands import app as target_app
from dagster_project.terminal import AsJson, Home, terminal

if TYPE_CHECKING:
    from dagster_project.run import RunOutcome

OK, FAILURE, USAGE, GATE_CLOSED, BUSY, STALE, TARGET_BEHIND, SOURCE_BEHIND = range(8)

EXIT_CODES = """退出码：

\b
  0  成功
  1  失败
  2  用法或设置有误
  3  质量门关闭，读者仍使用上一个发布版
  4  另一次运行正在使用同一数据目录
  5  发布版过期或尚不存在
  6  已发布，但有目标库未能同步
  7  已完成，但有数据库来源未能拉取
"""

app = typer.Typer(
    name="zhuanke",
    help="把卫生健康委每月收到的数据变成经得起追问的专科指标。",
    epilog=EXIT_CODES,
    # plain help: formatting it with rich costs three times as long as everything else
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
release_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="查看与核验发布版。")
scheme_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="分组方案：检查、导入、列出、比较。")
app.add_typer(release_app, name="release")
app.add_typer(gate_app, name="gate")
app.add_typer(scheme_app, name="scheme")
app.add_typer(source_app, name="source")
app.add_typer(target_app, name="target")
app.add_typer(key_app, name="key")
app.add_typer(service_app, name="serve")
app.command("explain")(question_commands.explain)
app.command("rebuild")(question_commands.rebuild)
app.command("diff")(question_commands.diff)
app.add_typer(certificate_commands.app, name="cert")
app.command()(certificate_commands.pull)
app.command()(certificate_commands.verify)


@app.callback()
def _root(debug: Annotated[bool, typer.Option("--debug", help="出错时显示完整调用栈")] = False) -> None:
    """`--debug` is read by `main`, before anything can fail."""


def _finish(outcome: RunOutcome) -> None:
    code = {"published": OK, "up_to_date": OK, "gate_closed": GATE_CLOSED, "failed": FAILURE}[outcome.result]
    if code == OK and any(target.mark == "fail" for target in outcome.targets):
        code = TARGET_BEHIND
    if code == OK and any(report.problem for report in outcome.pulls):
        code = SOURCE_BEHIND
    raise typer.Exit(code)


@app.command()
def run(home: Home = None) -> None:
    """运行一次全流程：收件、落地、计算、质量门、发布；没有变化时立即结束。"""
    from dagster_project import alerts
    from dagster_project.run import run_nightly
    from dagster_project.settings import load_settings
    from dagster_project.views import show_outcome

    console = terminal()
    settings = load_settings(home)
    outcome = run_nightly(settings, console)
    show_outcome(console, settings, outcome)
    for problem in alerts.send(settings, alerts.due(settings)):
        console.print(f"  [yellow]![/] {problem}")
    _finish(outcome)


@app.command()
def demo(home: Home = None) -> None:
    """演示：生成虚构的云岫省数据，运行全流程，列出专科排名。"""
    from dagster_project.demo import prepare_demo
    from dagster_project.run import run_nightly
    from dagster_project.views import show_outcome, show_ranking

    console = terminal()
    settings = prepare_demo(home, console)
    outcome = run_nightly(settings, console)
    show_outcome(console, settings, outcome)
    if outcome.release_id is not None:
        show_ranking(console, settings)
    _finish(outcome)


@app.command()
def synth(
    target: Annotated[Path, typer.Argument(help="写入的文件夹；其下 inbox/ 为收件箱，demo_schemes/ 为分组方案包")],
    seed: Annotated[int | None, typer.Option(help="随机种子；同一种子得到同样的字节")] = None,
    hospitals: Annotated[int | None, typer.Option(min=2, help="医院数")] = None,
    first_month: Annotated[str | None, typer.Option(help="首月，如 2022-01")] = None,
    months: Annotated[int | None, typer.Option(min=1, help="月数")] = None,
    discharges: Annotated[int | None, typer.Option(min=1, help="出院人次")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="并行数（默认全部核心）")] = None,
) -> None:
    """生成虚构的云岫省：真实接口格式的收件箱（含已知数量的脏数据）与两版分组方案包。未给的选项用小型演示的规模。"""
    from dagster_project.demo import write_inbox

    given = {
        "seed": seed,
        "hospitals": hospitals,
        "first_month": first_month,
        "months": months,
        "discharges": discharges,
        "workers": workers,
    }
    write_inbox(terminal(), target, **{name: value for name, value in given.items() if value is not None})


@app.command()
def status(home: Home = None, as_json: AsJson = False) -> None:
    """当前发布版是否新鲜、质量门是否开启；只有两者都是时退出码为 0。"""
    from dagster_project.settings import load_settings
    from dagster_project.status import read_status
    from dagster_project.views import show_status

    found = read_status(load_settings(home))
    if as_json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        show_status(terminal(), found)
    codes = {"ok": OK, "failed": FAILURE, "gate_closed": GATE_CLOSED, "stale": STALE, "none": STALE}
    raise typer.Exit(codes[found.state])


@app.command()
def watch(home: Home = None) -> None:
    """检查上次运行、是否逾期、哪些机构未报送，并向设定的地址发出提醒（每件事只提醒一次）；有事时退出码为 5。"""
    from dagster_project import alerts
    from dagster_project.settings import load_settings

    settings = load_settings(home)
    found = alerts.due(settings)
    console = terminal()
    for alert in found:
        console.print(f"[yellow]![/] {alert.title}：{alert.text}")
    for problem in alerts.send(settings, found):
        console.print(f"[red]✗[/] {problem}")
    if found:
        raise typer.Exit(STALE)
    console.print("[green]✓[/] 无事可提醒")


@app.command()
def template(
    target: Annotated[Path, typer.Argument(help="写出的 XLSX 文件")],
    organisation: Annotated[str | None, typer.Option(help="机构代码，预先填入")] = None,
    specialty: Annotated[str | None, typer.Option(help="专科代码，预先填入")] = None,
) -> None:
    """写出专科申报材料的空白模板。"""
    from sources.dossier import write_template

    write_template(target, organisation_id=organisation, specialty_code=specialty)
    terminal().print(f"已写出模板：{target}")


@app.command()
def group(
    file: Annotated[
        Path, typer.Argument(help="病例文件（CSV、XLSX、Parquet 或病案首页接口文件）", exists=True, dir_okay=False)
    ],
    edition: Annotated[
        str | None, typer.Option(help="分组方案版本（默认为今日在用的版本）", show_default=False)
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="逐例写明如何入组")] = False,
    out: Annotated[Path | None, typer.Option(help="写入 CSV 文件，而不是显示", show_default=False)] = None,
    home: Home = None,
) -> None:
    """对一个病例文件当场分组：列名为 编号、性别、年龄、天龄、体重、诊断、手术操作，编码以分号分隔。"""
    from dagster_project.regroup import group_file
    from dagster_project.settings import load_settings
    from dagster_project.views import show_grouped, write_grouped

    grouped = group_file(load_settings(home), file, edition, trace=trace)
    if out is None:
        show_grouped(terminal(), grouped)
    else:
        write_grouped(out, grouped)
        terminal().print(f"[green]✓[/] {len(grouped.rows)} 例，方案 {grouped.edition}：{out}")


@app.command()
def feedback(
    organisation: Annotated[str | None, typer.Option(help="只写这一机构（代码）", show_default=False)] = None,
    month: Annotated[str | None, typer.Option(help="只写这一月，如 2024-03", show_default=False)] = None,
    home: Home = None,
) -> None:
    """按机构与月份写出数据质量反馈工作簿（不含身份信息），退回报送单位整改。"""
    from datetime import date

    from dagster_project.feedback import write_all
    from dagster_project.settings import load_settings

    settings = load_settings(home)
    console = terminal()
    with console.status("逐行核对已落地的数据……"):
        written = write_all(settings, date.today(), organisation=organisation, month=month)
    console.print(
        f"[green]✓[/] {written.workbooks} 份工作簿，{written.faults:,} 条问题，"
        f"{written.refused} 个被拒收的文件：{written.folder}"
    )


@app.command()
def doctor(home: Home = None) -> None:
    """检查环境：版本、国密摘要、密钥权限、目录、磁盘、设置。"""
    from dagster_project.doctor import examine
    from dagster_project.views import show_findings

    findings = examine(home)
    show_findings(terminal(), findings)
    raise typer.Exit(USAGE if any(finding.level == "fail" for finding in findings) else OK)


@app.command()
def ui(
    home: Home = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口")] = 3000,
) -> None:
    """启动 Dagster 界面与调度（每天 02:00 自动运行）；Ctrl+C 结束。"""
    import os

    from dagster_project.instance import prepare_dagster_home
    from dagster_project.settings import load_settings

    prepare_dagster_home(load_settings(home))
    dagster = str(Path(sys.executable).parent / "dagster")
    os.execv(dagster, [dagster, "dev", "-m", "dagster_project.definitions", "-h", "127.0.0.1", "-p", str(port)])


ReleaseId = Annotated[str, typer.Argument(help="编号，或 current", show_default=True)]


@release_app.command("list")
def release_list(home: Home = None) -> None:
    """列出全部发布版，最新的在最后。"""
    from dagster_project.settings import load_settings
    from dagster_project.views import show_releases
    from publishing.release import list_releases

    settings = load_settings(home)
    show_releases(terminal(), list_releases(settings.releases, settings.current))


@release_app.command("show")
def release_show(release_id: ReleaseId = "current", home: Home = None, as_json: AsJson = False) -> None:
    """显示一个发布版：内容、来源、质量门、与上一版的差异。"""
    from dagster_project.settings import load_settings
    from dagster_project.views import show_release_facts
    from publishing.release import release_folder, show_release

    settings = load_settings(home)
    facts = show_release(release_folder(settings.releases, settings.current, release_id))
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        show_release_facts(terminal(), facts)


@release_app.command("verify")
def release_verify(release_id: ReleaseId = "current", home: Home = None) -> None:
    """重新计算一个发布版的全部摘要；有出入时退出码为 1。"""
    from dagster_project.settings import load_settings
    from publishing.release import release_folder, verify_release

    settings = load_settings(home)
    folder = release_folder(settings.releases, settings.current, release_id)
    faults = verify_release(folder)
    for fault in faults:
        terminal().print(f"[red]✗[/] {fault.file}：{fault.fault}")
    if faults:
        raise typer.Exit(FAILURE)
    terminal().print(f"[green]✓[/] {folder.name}：全部文件与发布时一致")


PackagePath = Annotated[
    Path, typer.Argument(metavar="方案包", help="方案包的文件夹，或只含它的 zip", show_default=False)
]
Edition = Annotated[str, typer.Argument(metavar="方案", help="已导入的方案编号，或方案包的路径", show_default=False)]


@scheme_app.command("check")
def scheme_check(path: PackagePath, as_json: AsJson = False) -> None:
    """检查一个方案包，列出全部错误与提醒；有错误时退出码为 1。"""
    from dataclasses import asdict

    from dagster_project.views import show_scheme_faults
    from sources.scheme.checks import find_faults
    from sources.scheme.package import open_package

    with open_package(path) as package:
        faults = find_faults(package)
    if as_json:
        print(json.dumps([asdict(fault) for fault in faults], ensure_ascii=False, indent=2))
    else:
        show_scheme_faults(terminal(), faults)
    raise typer.Exit(FAILURE if any(fault.level == "error" for fault in faults) else OK)


@scheme_app.command("import")
def scheme_import(path: PackagePath, home: Home = None) -> None:
    """检查并导入一个方案包；有错误时不导入，已导入的版本不可改动。"""
    from dagster_project.settings import load_settings
    from dagster_project.views import show_imported_scheme, show_scheme_faults
    from sources.scheme.checks import find_faults
    from sources.scheme.package import open_package
    from sources.scheme.store import import_package

    settings = load_settings(home)
    with open_package(path) as package:
        faults = find_faults(package)
        show_scheme_faults(terminal(), faults)
        if any(fault.level == "error" for fault in faults):
            raise typer.Exit(FAILURE)
        show_imported_scheme(terminal(), import_package(settings.home, package))


@scheme_app.command("list")
def scheme_list(home: Home = None, as_json: AsJson = False) -> None:
    """列出已导入的方案，标出今日出院的病例用哪一个分组。"""
    from datetime import date

    from dagster_project.settings import load_settings
    from dagster_project.views import show_schemes
    from sources.scheme.store import in_use, installed

    settings = load_settings(home)
    schemes = installed(settings.home)
    today = in_use(schemes, settings.drg_edition, date.today())
    if as_json:
        print(json.dumps({"in_use_today": today, "schemes": schemes}, ensure_ascii=False, indent=2))
    else:
        show_schemes(terminal(), schemes, today)


@scheme_app.command("diff")
def scheme_diff(earlier: Edition, later: Edition, home: Home = None, as_json: AsJson = False) -> None:
    """比较两个方案：各表增删改的行，以及分组、编码、并发症因此的变化。"""
    from dataclasses import asdict

    from dagster_project.settings import load_settings
    from dagster_project.views import show_scheme_difference
    from sources.scheme.diff import compare, stored

    settings = load_settings(home)
    with stored(settings.home, earlier) as one, stored(settings.home, later) as other:
        difference = compare(one, other)
    if as_json:
        print(json.dumps(asdict(difference), ensure_ascii=False, indent=2))
    else:
        show_scheme_difference(terminal(), difference)


@scheme_app.command("compare")
def scheme_compare(
    earlier: Annotated[str, typer.Argument(metavar="方案", help="已导入的方案编号", show_default=False)],
    later: Annotated[str, typer.Argument(metavar="方案", help="另一个已导入的方案编号", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="结果文件夹（默认在数据目录的 comparisons 下）")] = None,
    home: Home = None,
) -> None:
    """用两个方案各重分一遍全部已落地病例，列出分组、CMI、指数与名次的变动；不影响发布版。"""
    from dagster_project.regroup import compare_editions
    from dagster_project.settings import load_settings
    from dagster_project.views import show_comparison

    settings = load_settings(home)
    target = out or settings.home / "comparisons" / f"{earlier}__{later}"
    console = terminal()
    with console.status("两个方案各计算一遍……"):
        counts = compare_editions(settings, earlier, later, target)
    show_comparison(console, counts, target)


def main() -> None:
    """Entry point: known problems become one Chinese sentence and an exit code."""
    if "--debug" in sys.argv[1:2]:
        app()
    try:
        app()
    except Exception as error:
        from rich.console import Console

        code, text = _explain(error)
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]错误[/] {text}")
        sys.exit(code)


def _explain(error: Exception) -> tuple[int, str]:
    from dagster_project.connections import ConnectionProblem
    from dagster_project.made_of import DoesNotAddUp, NothingToExplain
    from dagster_project.recorded import RecordProblem
    from dagster_project.settings import SettingsError
    from dagster_project.workspace import HomeBusyError
    from expectations.decisions import DecisionRefused
    from publishing.candidates import CandidatesError
    from publishing.casebook import TooLong
    from publishing.certificates.bundle import BundleRefused
    from publishing.certificates.keys import KeyProblem as SignerKeyProblem
    from publishing.certificates.lifecycle import StepRefused
    from publishing.certificates.pulling import NothingToVerify
    from publishing.certificates.register import RegisterProblem
    from publishing.disclosure import DisclosureError
    from publishing.forms.layout import FormError
    from publishing.report.printing import PrintingError
    from publishing.service.tokens import TokenProblem
    from publishing.targets.layout import TargetProblem
    from sources.connectors.problems import FileRefused
    from sources.privacy import KeyProblem
    from sources.scheme.package import SchemeProblem

    if isinstance(error, HomeBusyError):
        return BUSY, str(error)
    if isinstance(
        error,
        (SettingsError, ConnectionProblem, KeyProblem, DecisionRefused, TokenProblem, NothingToExplain),
    ):
        return USAGE, str(error)
    if isinstance(error, (SignerKeyProblem, NothingToVerify)):
        return USAGE, str(error)
    if isinstance(error, (SchemeProblem, FileRefused, TargetProblem, RecordProblem, DoesNotAddUp, TooLong)):
        return FAILURE, str(error)
    if isinstance(error, (BundleRefused, StepRefused, RegisterProblem)):
        return FAILURE, str(error)
    if isinstance(error, (CandidatesError, FormError, DisclosureError, PrintingError)):
        return FAILURE, str(error)
    return FAILURE, f"{error or type(error).__name__}（加 --debug 显示细节：zhuanke --debug …）"
