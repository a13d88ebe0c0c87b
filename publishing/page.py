"""index.html: the first thing that a person opens in a release.

Belongs here: a page of its own in Chinese that says whether the gate was open, what was found, and links every file.
Does not belong here: numbers of hospitals; nothing on the page comes from the Internet, and nothing in it is a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from expectations.content import DATA, DATABASE
from expectations.data_docs import STATES, STYLE
from expectations.verdict import Result, Status, Verdict
from publishing.export import MartSpec
from publishing.manifest import DATA_DOCS, DATAPACKAGE, PROVENANCE, README, VERDICT

_FILES = {
    DATA_DOCS: "数据文档（Data Docs）：逐表逐项的验证结果",
    VERDICT: "质量门裁决：全部检查的计数、阈值与处理办法",
    PROVENANCE: "来源与版本：代码、口径开关、输入文件摘要",
    DATAPACKAGE: "数据包清单：字段、主键、单位、大小与摘要",
    DATABASE: "全部集市表（DuckDB 只读库）",
    README: "阅读说明",
}


def release_page(folder: Path, release_id: str, verdict: Verdict, marts: Sequence[MartSpec]) -> bytes:
    """The page for a release folder that is otherwise complete."""
    noted = [r for r in verdict.results if r.status in (Status.FAILED, Status.ERROR)]
    counts = "，".join(f"{STATES[state]} {count} 项" for state, count in verdict.summary.items())
    listed = "".join(
        f'<tr><td><a href="{name}">{name}</a></td><td>{escape(title)}</td></tr>'
        for name, title in _FILES.items()
        if (folder / name).exists() or name == DATAPACKAGE  # written last
    )
    tables = "".join(
        f'<tr><td><a href="{DATA}/{mart.name}.parquet">{mart.name}</a></td><td>{escape(mart.title_zh)}</td></tr>'
        for mart in sorted(marts, key=lambda mart: mart.name)
    )
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(release_id)}</title>'
        f"<style>{STYLE}</style></head><body><h1>专科指标发布版 {escape(release_id)}</h1>"
        f"<p>质量门：<b>{'开启' if verdict.is_open else '关闭'}</b>；{counts}。</p>"
        f"{''.join(f'<p><b>注意</b> {escape(notice)}</p>' for notice in verdict.decisions.sentences())}"
        f"<h2>文件</h2><table><tr><th>文件</th><th>内容</th></tr>{listed}</table>"
        f"<h2>未通过的检查</h2>{_findings(noted)}"
        f"<h2>数据集市表</h2><table><tr><th>表</th><th>内容</th></tr>{tables}</table></body></html>\n"
    ).encode()


def _findings(results: Sequence[Result]) -> str:
    if not results:
        return "<p>没有。</p>"
    rows = "".join(
        f"<tr><td>{escape(result.title_zh)}</td><td>{result.severity.title_zh}</td>"
        f'<td class="{result.status.value}">{STATES[result.status.value]}</td>'
        f'<td class="n">{result.violated or 0:,} / {result.checked or 0:,}</td>'
        f"<td>{escape(result.reason or result.remedy)}</td></tr>"
        for result in results
    )
    head = "<tr><th>检查</th><th>级别</th><th>结果</th><th>违反 / 检查</th><th>处理办法</th></tr>"
    return f"<table>{head}{rows}</table>"
