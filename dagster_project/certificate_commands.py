"""`zhuanke cert`, `zhuanke pull`, `zhuanke verify`: certificates from draft to the evaluator's laptop.

Belongs here: the commands and how they tell what happened. Does not belong here: what a step refuses
(`publishing.certificates.lifecycle`), what is checked (`publishing.certificates.verification`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dagster_project.key_commands import KeyFile, open_key
from dagster_project.terminal import AsJson, By, Home, Reason

if TYPE_CHECKING:
    from publishing.certificates.history import History
    from publishing.certificates.lifecycle import Act, Office

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="证书：拟制、公示、异议、签署、签发、取代、撤销。")

Certificate = Annotated[str, typer.Argument(metavar="证书", help="证书编号，见 zhuanke cert list", show_default=False)]


def _office(home: Path | None) -> Office:
    from dagster_project.settings import load_settings
    from publishing.certificates.lifecycle import Office

    return Office(load_settings(home).home)


def _act(by: str, reason: str) -> Act:
    from publishing.certificates.lifecycle import Act

    return Act(by, reason)


@app.command("draft")
def cert_draft(
    programme: Annotated[str, typer.Argument(metavar="方案", help="如 national_2021", show_default=False)],
    window: Annotated[str, typer.Argument(metavar="窗口", help="如 2022-2024", show_default=False)],
    by: By,
    reason: Reason,
    scope: Annotated[str, typer.Option(help="专科代码，或 all")] = "all",
    release: Annotated[str, typer.Option(help="发布版编号")] = "current",
    home: Home = None,
) -> None:
    """拟制：从发布版取出一个方案与窗口，写成草案；同一证书已签发过的，为其下一版。"""
    from dagster_project.recorded import method_of, open_record
    from dagster_project.settings import load_settings
    from publishing.release import release_folder

    settings, office = load_settings(home), _office(home)
    source = release_folder(settings.releases, settings.current, release)
    project, _ = method_of(settings, open_record(settings, str(source)))
    certificate = office.draft(source, programme, scope, window, _act(by, reason), project=project)
    print(f"已拟制 {certificate}：{office.bundle(certificate)}")
    _print_notices(office.bundle(certificate))


@app.command("preview")
def cert_preview(
    certificate: Certificate,
    by: By,
    reason: Reason,
    days: Annotated[int | None, typer.Option(min=1, help="异议期天数（默认取设置）", show_default=False)] = None,
    home: Home = None,
) -> None:
    """公示：为每家医院写出材料（数值、病例、数据质量、异议表）与网页服务所列的病例，开始异议期。"""
    from dagster_project.case_lists import write_case_lists
    from dagster_project.packets import write_packets
    from dagster_project.settings import load_settings

    settings = load_settings(home)

    def packets(bundle: Path, target: Path) -> int:
        write_case_lists(settings, bundle, settings.certified / f"{certificate}.cases")
        return write_packets(settings, bundle, target)

    made = _office(home).preview(
        certificate,
        _act(by, reason),
        days=days or settings.preview_days,
        packets=packets,
    )
    print(f"{certificate} 公示至 {made.closes:%Y-%m-%d}；{made.hospitals} 家医院的材料：{made.folder}")


@app.command("query")
def cert_query(
    certificate: Certificate,
    hospital: Annotated[str, typer.Option("--hospital", help="提出异议的机构代码", show_default=False)],
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="异议内容", show_default=False)],
    about: Annotated[str, typer.Option("--about", help="所指的指标或条目", show_default=False)] = "",
    home: Home = None,
) -> None:
    """登记一件异议；裁定期限由此起算。"""
    from dagster_project.settings import load_settings

    office, days = _office(home), load_settings(home).ruling_days
    number = office.query(certificate, _act(by, reason), hospital_id=hospital, about=about, days=days)
    due = office.history(certificate).queries[number].due
    print(f"已登记 {certificate} 的异议 {number}，须于 {due:%Y-%m-%d} 前裁定。")


@app.command("rule")
def cert_rule(
    certificate: Certificate,
    query: Annotated[str, typer.Argument(metavar="异议", help="如 Q1", show_default=False)],
    accepted: Annotated[bool, typer.Option("--accept/--reject", help="接受，或不接受", show_default=False)],
    by: By,
    reason: Reason,
    changed_input: Annotated[str, typer.Option("--input", help="接受时：更正的是哪一份输入", show_default=False)] = "",
    home: Home = None,
) -> None:
    """裁定一件异议。接受的，写明更正的输入；数值由下一版更正。"""
    _office(home).rule(certificate, _act(by, reason), query=query, accepted=accepted, changed_input=changed_input)
    print(f"{certificate} 的异议 {query} 已裁定：{'接受' if accepted else '不接受'}。")


@app.command("sign")
def cert_sign(certificate: Certificate, key: KeyFile, reason: Reason, home: Home = None) -> None:
    """以本人的密钥签署。"""
    signed = _office(home).sign(certificate, open_key(key), reason)
    print(f"{signed.name} 已签署 {certificate}。")


@app.command("issue")
def cert_issue(
    certificate: Certificate,
    key: KeyFile,
    reason: Reason,
    override: Annotated[
        str, typer.Option("--override", help="异议未决或异议期未满而提前签发的理由", show_default=False)
    ] = "",
    timestamp: Annotated[
        Path | None,
        typer.Option(help="对 attest/certificate.dsse.json 的 RFC 3161 时间戳令牌", exists=True, show_default=False),
    ] = None,
    home: Home = None,
) -> None:
    """签发：须有两人签署，且无未决异议；取代同一证书的前一版。"""
    folder = _office(home).issue(certificate, open_key(key), reason, override=override, timestamp=timestamp)
    print(f"已签发 {certificate}：{folder}")
    _print_notices(folder)


@app.command("supersede")
def cert_supersede(
    certificate: Certificate,
    by_certificate: Annotated[str, typer.Option("--with", help="取而代之的证书", show_default=False)],
    key: KeyFile,
    reason: Reason,
    home: Home = None,
) -> None:
    """以另一证书取代（同一证书的下一版签发时自动取代，无须此命令）。"""
    _office(home).supersede(certificate, by_certificate, open_key(key), reason)
    print(f"{certificate} 已由 {by_certificate} 取代。")


@app.command("revoke")
def cert_revoke(certificate: Certificate, key: KeyFile, reason: Reason, home: Home = None) -> None:
    """撤销证书或草案；编号不再使用。"""
    _office(home).revoke(certificate, open_key(key), reason)
    print(f"已撤销 {certificate}。")


@app.command("list")
def cert_list(home: Home = None, as_json: AsJson = False) -> None:
    """列出全部证书及其状态。"""
    from publishing.certificates.history import STANDING_ZH, histories

    found = histories(_office(home).register.entries())
    if as_json:
        print(json.dumps([_told(history) for history in found.values()], ensure_ascii=False, indent=1))
        return
    for history in found.values():
        drafted, asked, pending = history.drafted, len(history.queries), len(history.open_queries)
        print(f"{history.certificate}  {STANDING_ZH[history.standing]}")
        source = f"{drafted.at:%Y-%m-%d} {drafted.by} 拟制，据 {drafted.facts['release']}"
        print(f"  {source}；异议 {asked} 件，未决 {pending} 件")


@app.command("show")
def cert_show(certificate: Certificate, home: Home = None, as_json: AsJson = False) -> None:
    """显示一份证书：状态、每一步由谁在何时为何所办、异议与裁定。"""
    from publishing.certificates.history import STANDING_ZH
    from publishing.certificates.register import EVENT_ZH

    office = _office(home)
    history = office.history(certificate)
    if as_json:
        print(json.dumps(_told(history), ensure_ascii=False, indent=1))
        return
    print(f"{certificate}：{STANDING_ZH[history.standing]}\n{office.bundle(certificate)}")
    for entry in history.entries:
        number = f" {entry.facts['query']}" if "query" in entry.facts else ""
        print(f"  {entry.at:%Y-%m-%d %H:%M} {EVENT_ZH[entry.event]}{number}：{entry.by}，{entry.reason}")
    for query in history.open_queries:
        print(f"  未决 {query.query_id}：须于 {query.due:%Y-%m-%d} 前裁定")
    _print_notices(office.bundle(certificate))


@app.command("print")
def cert_print(
    certificate: Certificate,
    target: Annotated[Path, typer.Argument(metavar="PDF", help="写入的文件", show_default=False)],
    page: Annotated[str, typer.Option(help="报告中的页，大报告每个名单一页")] = "index.html",
    home: Home = None,
) -> None:
    """把报告打印成 PDF（需要本机有 Chromium）；PDF 含打印时间，不属于证书。"""
    from publishing.report import write_pdf

    write_pdf(_office(home).bundle(certificate) / "report" / page, target)
    print(f"已写入 {target}")


def _told(history: History) -> dict[str, Any]:
    return {
        "certificate": history.certificate,
        "standing": history.standing.value,
        "window_closes": history.window_closes.isoformat() if history.window_closes else None,
        "open_queries": [query.query_id for query in history.open_queries],
        "entries": [entry.model_dump(mode="json") for entry in history.entries],
    }


def _print_notices(folder: Path) -> None:
    from publishing.manifest import DATAPACKAGE

    if (folder / DATAPACKAGE).exists():
        for notice in json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))["notices"]:
            print(f"  注意 {notice}")


def pull(
    certificate: Certificate,
    target: Annotated[Path, typer.Argument(metavar="文件夹", help="写入的文件夹", show_default=False)],
    home: Home = None,
) -> None:
    """取出证书：证书文件夹、当前登记册与公钥册的副本，并随即核验。"""
    pulled = _office(home).pull(certificate, target)
    print(f"已取出：{pulled.bundle}")
    _verify(pulled.bundle, pulled.keyring, pulled.register)


def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="文件夹", help="证书文件夹，或 zhuanke pull 写出的文件夹", show_default=False)
    ],
    keyring: Annotated[
        Path | None, typer.Option(help="公钥册（默认取旁边的 keyring.json）", show_default=False)
    ] = None,
    register: Annotated[
        Path | None, typer.Option(help="最新登记册副本（默认取旁边的 register.jsonl）", show_default=False)
    ] = None,
) -> None:
    """离线核验证书：内容、签名、登记；有出入、已被取代或撤销时退出码为 1。只需公钥。"""
    _verify(folder, keyring, register)


def _verify(folder: Path, keyring: Path | None, register: Path | None) -> None:
    from publishing.certificates.keyring import Keyring
    from publishing.certificates.pulling import find
    from publishing.certificates.statement import TIMESTAMP
    from publishing.certificates.verification import sentences, verify_bundle

    place = find(folder, keyring, register)
    known = Keyring.read(place.keyring)
    found = verify_bundle(place.bundle, known, place.register)
    for sentence in sentences(found):
        print(f"✗ {sentence}")
    if not found.counts:
        raise typer.Exit(1)
    assert found.issued is not None
    print(f"✓ {found.certificate}：全部文件与签署时一致")
    print(f"  签署 {'、'.join(found.signed_by)}；签发 {found.issued.by}，{found.issued.at:%Y-%m-%d}")
    if found.has_timestamp:
        print(f"  附有时间戳令牌 {TIMESTAMP}：请以签发它的服务的证书另行核验")
    if override := found.issued.facts.get("override"):
        print(f"  注意 提前签发，理由：{override}")
    for notice in found.notices:
        print(f"  注意 {notice}")
    if keyring is None:
        print(f"  公钥册随证书而来，指纹 {known.fingerprint}：请与发证单位另行告知的指纹核对")
