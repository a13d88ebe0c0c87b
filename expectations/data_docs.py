"""Data Docs: what Great Expectations checked and found on each mart, as one page that needs nothing but itself.

Belongs here: Great Expectations' own words for every expectation and its result, and their page. Does not belong
here: what follows from them (verdict). The library's site loads its styles and scripts from the Internet and carries
times; this page has neither, and like the verdict it holds counts only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from string import Template
from typing import Any

from expectations.checks import Check, Suite
from expectations.verdict import Result

STYLE = """
body{font:15px/1.6 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;margin:2em auto;max-width:75em;
padding:0 1em;color:#222}
h1{font-size:1.6em}h2{font-size:1.2em;margin-top:2em;border-bottom:1px solid #ccc}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #ddd;padding:.3em .6em;text-align:left;
vertical-align:top}th{background:#f0f4f8}td.n{text-align:right;white-space:nowrap}
.passed{color:#176f2c}.failed{color:#b00020;font-weight:bold}.not_applicable{color:#777}.error{color:#b00020}
small{color:#777}code{font-family:monospace}
"""
STATES = {"passed": "通过", "failed": "不通过", "error": "无法判定", "not_applicable": "不适用"}
_LONGEST = 400  # a list of permitted codes is shown by its beginning


@dataclass
class DataDocs:
    """Collects, suite by suite, what the library says; `to_html` is the page."""

    sections: list[str] = field(default_factory=list)

    def add(self, suite: Suite, reports: list[Any], results: list[Result]) -> None:
        """One suite: the library's words on every check that it ran, beside our title, the counts and the state."""
        said = {item.expectation_config.meta["id"]: item for report in reports for item in report.results}
        rows = [
            _row(check, said.get(check.id), result) for check, result in zip(suite.expectations, results, strict=True)
        ]
        self.sections.append(
            f'<h2 id="{escape(suite.suite)}">{escape(suite.title_zh)} '
            f"<small><code>{escape(suite.mart)}</code></small></h2>"
            "<table><tr><th>检查</th><th>Great Expectations 的表述</th><th>检查数</th><th>违反数</th><th>结果</th></tr>"
            f"{''.join(rows)}</table>"
        )

    def to_html(self) -> bytes:
        """Equal results give equal bytes."""
        from importlib.metadata import version

        head = (
            '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>数据文档</title>'
            f"<style>{STYLE}</style></head><body><h1>数据文档（Data Docs）</h1>"
            "<p>各数据集市表经 Great Expectations 逐项验证的结果。只有计数，没有任何行的值；"
            f"行规则的计数与裁决见 verdict.json。引擎版本 {version('great-expectations')}。</p>"
        )
        return f"{head}{''.join(self.sections)}</body></html>\n".encode()


def _row(check: Check, item: Any, result: Result) -> str:
    state = result.status.value
    counts = (result.checked, result.violated)
    numbers = "".join(f'<td class="n">{"" if count is None else f"{count:,}"}</td>' for count in counts)
    return (
        f"<tr><td>{escape(check.title_zh)}<br><small>{escape(check.note_zh)}</small></td>"
        f"<td>{_words(item) if item is not None else ''}</td>{numbers}"
        f'<td class="{state}">{STATES[state]}</td></tr>'
    )


def _words(item: Any) -> str:
    """The library's sentence for an expectation, its parameters put in."""
    from great_expectations.expectations.registry import get_renderer_impl
    from great_expectations.render import LegacyRendererType

    expectation = item.expectation_config
    # as the library's own site does: the other renderers validate every parameter with a class made for it
    renderer = get_renderer_impl(object_name=expectation.type, renderer_type=LegacyRendererType.PRESCRIPTIVE)
    sentences = []
    for content in renderer.renderer(configuration=expectation):
        said = content.to_json_dict()["string_template"]
        shown = Template(said["template"]).safe_substitute(said["params"])
        sentences.append(escape(shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} …"))
    return "<br>".join(sentences)
