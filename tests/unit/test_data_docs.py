"""Data Docs: the library's words on every check, counts beside them, no value of any row, nothing from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hand_made_marts import judged_folder

from expectations.data_docs import DataDocs
from expectations.runner import judge

SUITE = {
    "suite": "fct_dq_result",
    "title_zh": "规则 <结果>",
    "mart": "fct_dq_result",
    "expectations": [
        {
            "id": "filled",
            "title_zh": "规则编号不为空",
            "type": "ExpectColumnValuesToNotBeNull",
            "kwargs": {"column": "rule_id"},
            "severity": "critical",
            "note_zh": "主键",
        },
        {
            "id": "known",
            "title_zh": "机构已知",
            "type": "ExpectColumnValuesToBeInSet",
            "kwargs": {"column": "organisation_id", "value_set": ["NOBODY"]},
            "severity": "warning",
            "note_zh": "必然不通过",
        },
        {
            "id": "gone",
            "title_zh": "没有的列",
            "type": "ExpectColumnValuesToNotBeNull",
            "kwargs": {"column": "no_such_column"},
            "severity": "info",
            "note_zh": "无法判定",
        },
    ],
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The page of one suite, twice."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "suites").mkdir()
    (folder / "suites" / "a.yml").write_text(yaml.safe_dump(SUITE, allow_unicode=True), "utf-8")
    marts = judged_folder(folder)
    made = []
    for _ in range(2):
        docs = DataDocs()
        judge(Path(marts), suites=folder / "suites", docs=docs)
        made.append(docs.to_html().decode())
    return made


def test_every_check_has_the_words_of_the_library_its_counts_and_its_state(pages: list[str]) -> None:
    rows = re.findall(r"<tr><td>(.*?)</tr>", pages[0])
    assert len(rows) == 3
    filled, known, gone = rows
    assert "规则编号不为空" in filled and "rule_id values must never be null" in filled and "通过" in filled
    assert "NOBODY" in known and 'class="failed">不通过' in known
    assert 'class="error">无法判定' in gone


def test_counts_only_and_nothing_from_outside(pages: list[str]) -> None:
    assert "hqms_05_total_positive" not in pages[0]
    assert not re.search(r"https?:|src=|<script|<link", pages[0])
    assert "规则 &lt;结果&gt;" in pages[0]


def test_equal_results_give_equal_bytes(pages: list[str]) -> None:
    assert pages[0] == pages[1]
