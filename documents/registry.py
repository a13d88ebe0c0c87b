"""The registries as rows, and their codes in words.

Belongs here: reading the seeds and reference tables, and templates.  Does not belong here: what a page says.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"

Row = dict[str, str]

WORDS = {
    "higher": "越高越好 higher is better",
    "lower": "越低越好 lower is better",
    "neutral": "不分优劣 neither",
    "ratio": "比值 ratio",
    "count": "计数 count",
    "provisional": "暂定 provisional",
    "confirmed": "已确认 confirmed",
    "not_applicable": "不适用 not applicable",
    "not_scored": "不计分 not scored",
    "all": "全部专科 all",
    "mainly_surgical": "外科为主 mainly surgical",
    "surgical_only": "限外科 surgical only",
    "central_funds_only": "限中央财政 central funds only",
    "H": "首页 front pages",
    "S": "单病种平台 single-disease reports",
    "A": "绩效考核 appraisal",
    "M": "申报材料 dossier",
    "O": "登记资料 registers",
    "percentile": "同类机构位次 place among peers",
    "bands": "分段 bands",
    "ordinal": "等级 ordinal grade",
    "presence": "有无 presence",
    "reviewer": "评审专家评分 reviewer",
    "improvement": "是否改进 improvement",
    "exclude": "不计入 left out",
    "zero": "计零分 counts as zero",
    "required": "必须 required",
    "informs": "供参考 informs",
    "at_least": "不少于 at least",
    "at_most": "不多于 at most",
    "share_at_least": "占比不少于 share at least",
    "share_at_most": "占比不多于 share at most",
    "data": "数据分析 data analysis",
    "reputation": "声誉评价 reputation",
    "department": "出院科室 department",
    "mdc": "疾病大类 MDC",
}


@cache
def table(name: str) -> tuple[Row, ...]:
    """The rows of a seed or reference table, found by its name."""
    (path,) = [
        *(REPOSITORY / "dbt" / "seeds").glob(f"*/{name}.csv"),
        *(REPOSITORY / "sources" / "reference").glob(f"{name}.csv"),
        *(REPOSITORY / "expectations" / "rules").glob(f"{name}.csv"),
    ]
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def row(name: str, key: str, value: str) -> Row:
    """The one row of a table with this key."""
    (found,) = [each for each in table(name) if each[key] == value]
    return found


def parts(text: str) -> list[str]:
    """The elements of a list that a cell holds."""
    return [part for part in text.split(";") if part]


def render(template: str, **values: object) -> str:
    """A page from its template; an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    environment.filters["words"] = lambda code: WORDS[code]
    environment.filters["parts"] = parts
    return environment.get_template(template).render(**values)
