"""The candidates of a programme as the marts tell them: what form and report both show.

Belongs here: reading the marts of a release or a certificate for one programme and window, list by list (a tier and a
specialty), and how an exact value reads in its unit. Does not belong here: how a form or a report looks, any
arithmetic beyond rounding for the eye; what is not in the marts is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

Row = dict[str, Any]

VALUED = "valued"
SCALES = {
    "percentile": "同类机构位次",
    "bands": "分段",
    "ordinal": "等级",
    "presence": "有无",
    "reviewer": "评审专家评分",
    "improvement": "逐年比较",
}
SOURCES = {"H": "首页", "S": "单病种平台", "A": "绩效考核", "M": "申报材料", "O": "其他登记"}
DIRECTIONS = {"higher": "越高越好", "lower": "越低越好", "neutral": "不分高低"}
MISSING = {"exclude": "不计入", "zero": "按 0 分计"}
ATTRIBUTIONS = {"department": "出院科室", "mdc": "主要诊断大类（MDC）"}


class CandidatesError(RuntimeError):
    """The marts do not hold what was asked for; the message says what there is."""


@dataclass(frozen=True)
class Candidate:
    """One hospital of a list: its total, its scores by group, its cells by item."""

    hospital_id: str
    name_zh: str
    is_peer: bool
    total: Row
    groups: Mapping[str, Row]
    cells: Mapping[str, Row]
    stability: Row | None = None
    fitness: Mapping[int, str] = field(default_factory=dict)

    @property
    def rank(self) -> int | None:
        """The place on the list; None where there is none, and `total["rank_reason"]` says why."""
        rank: int | None = self.total["rank"]
        return rank


@dataclass(frozen=True)
class CandidateList:
    """One tier of a programme in one specialty, the ranked first."""

    programme: Row
    window: Row
    specialty: Row
    candidates: Sequence[Candidate]

    @property
    def title_zh(self) -> str:
        return f"{self.programme['title_zh']}（{self.programme['tier_zh']}）　{self.specialty['name_zh']}"

    @property
    def name(self) -> str:
        """A file name that is unique among the lists of a programme."""
        return f"{self.programme['programme_id']}-{self.programme['tier']}-{self.specialty['specialty_code']}"


class Marts:
    """Read-only view of the Parquet files in a folder; use it as a context manager."""

    def __init__(self, data: Path, programme_id: str, window_id: str, specialty_code: str | None = None) -> None:
        import duckdb

        self._data = data
        self._connection = duckdb.connect()
        self._connection.execute("set enable_progress_bar = false")
        self.programme_id = programme_id
        self.window_id = window_id
        self._specialty_code = specialty_code

    def __enter__(self) -> Marts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def rows(self, mart: str, where: str = "true", order: str = "all", select: str = "*") -> list[Row]:
        """Rows of one mart as dictionaries, ordered."""
        path = self._data / f"{mart}.parquet"
        if not path.is_file():
            raise CandidatesError(f"{self._data} 中没有 {mart}.parquet；请指向发布版或证书的 data 目录")
        answer = self._connection.execute(
            f"select {select} from read_parquet({text(path)}) where {where} order by {order}"
        )
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    @cached_property
    def tiers(self) -> list[Row]:
        """The programme's tiers that are judged in this window."""
        programme = f"programme_id = {text(self.programme_id)}"
        found = self.rows("dim_programme", programme, "serial")
        tiers = [tier for tier in found if tier["window_id"] == self.window_id]
        if not tiers:
            known = "、".join(f"{row['programme_id']} {row['window_id']}" for row in self.rows("dim_programme"))
            raise CandidatesError(f"没有方案 {self.programme_id} 窗口 {self.window_id} 的结果；已有：{known or '无'}")
        return tiers

    @cached_property
    def items(self) -> list[Row]:
        """The programme's items in printed order, each with `decimals`, `is_percentage` and the indicator's words."""
        indicators = {row["indicator_id"]: row for row in self.rows("dim_indicator")}
        items = self.rows("dim_programme_item", f"programme_id = {text(self.programme_id)}", "item_id")
        for item in items:
            indicator = indicators.get(item["indicator_id"])
            item["indicator"] = indicator
            item["decimals"] = indicator["decimals"] if indicator else (4 if item["denominator_items"] else None)
            item["is_percentage"] = indicator is not None and item["unit"] == "%"  # dossiers write per cent as it is
        return items

    @cached_property
    def window(self) -> Row:
        (window,) = self.rows("dim_window", f"window_id = {text(self.window_id)}") or ({"window_id": self.window_id},)
        return window

    @cached_property
    def hospitals(self) -> dict[str, str]:
        """Names by code."""
        return {row["hospital_id"]: row["name_zh"] for row in self.rows("dim_hospital", "not is_region")}

    @cached_property
    def specialties(self) -> list[Row]:
        """The specialties with candidates."""
        chosen = "true" if self._specialty_code is None else f"specialty_code = {text(self._specialty_code)}"
        codes = self.rows(
            "fct_score", f"{self._here} and level = 'total' and {chosen}", select="distinct specialty_code"
        )
        names = {row["specialty_code"]: row for row in self.rows("dim_specialty")}
        if not codes:
            which = f"专科 {self._specialty_code} 的" if self._specialty_code else ""
            raise CandidatesError(f"方案 {self.programme_id} 窗口 {self.window_id} 没有{which}候选专科")
        return [names.get(row["specialty_code"], row | {"name_zh": row["specialty_code"]}) for row in codes]

    def editions(self) -> list[str]:
        """The editions of catalogues and schemes under the indicators of the window."""
        return [
            row["editions"]
            for row in self.rows(
                "fct_indicator",
                f"window_id = {text(self.window_id)} and editions is not null",
                select="distinct editions",
            )
        ]

    def lists(self) -> Iterator[CandidateList]:
        """One list after the other, by tier and specialty."""
        for tier in self.tiers:
            for specialty in self.specialties:
                candidates = self._candidates(tier["tier"], specialty["specialty_code"])
                if candidates:
                    yield CandidateList(tier, self.window, specialty, candidates)

    @property
    def _here(self) -> str:
        return f"programme_id = {text(self.programme_id)} and window_id = {text(self.window_id)}"

    def _candidates(self, tier: str, specialty_code: str) -> list[Candidate]:
        where = f"{self._here} and tier = {text(tier)} and specialty_code = {text(specialty_code)}"
        scores = self.rows("fct_score", where, "hospital_id, level, group_id")
        groups: dict[str, dict[str, Row]] = {}
        for score in scores:
            if score["level"] == "group":
                groups.setdefault(score["hospital_id"], {})[score["group_id"]] = score
        cells: dict[str, dict[str, Row]] = {}
        for cell in self.rows("fct_item", where, "hospital_id, item_id"):
            cells.setdefault(cell["hospital_id"], {})[cell["item_id"]] = cell
        stability = {row["hospital_id"]: row for row in self.rows("fct_rank_stability", where)}
        found = [
            Candidate(
                hospital_id=total["hospital_id"],
                name_zh=self.hospitals.get(total["hospital_id"]) or str(total["hospital_id"]),
                is_peer=any(cell["is_peer"] for cell in cells.get(total["hospital_id"], {}).values()),
                total=total,
                groups=groups.get(total["hospital_id"], {}),
                cells=cells.get(total["hospital_id"], {}),
                stability=stability.get(total["hospital_id"]),
                fitness=self._fitness.get(total["hospital_id"], {}),
            )
            for total in scores
            if total["level"] == "total"
        ]
        return sorted(found, key=lambda one: (one.rank is None, one.rank or 0, one.hospital_id))

    @cached_property
    def _fitness(self) -> dict[str, dict[int, str]]:
        grades: dict[str, dict[int, str]] = {}
        years = f"{self.window.get('first_year', 0)} and {self.window.get('last_year', 9999)}"
        for row in self.rows("fct_fitness", f"mart = 'fct_indicator' and data_year between {years}"):
            grades.setdefault(row["hospital_id"], {})[row["data_year"]] = row["grade"]
        return grades


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up, as on paper."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def places(item: Row, value: Decimal) -> int:
    """Decimals to show: the registry's, or as many as were entered."""
    if item["decimals"] is not None:
        return int(item["decimals"])
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def in_unit(item: Row, value: Decimal) -> Decimal:
    """A value in the unit of its item: the marts hold shares, which are shown per cent."""
    return value * 100 if item["is_percentage"] else value


def shown(item: Row, value: Decimal) -> str:
    """A value in the unit of its item, without the unit; per cent where the registry says so."""
    return f"{rounded(in_unit(item, value), places(item, value)):,}"


def provisional_note(item: Row) -> str:
    """What is provisional about the scoring of an item, in words; empty where nothing is."""
    if not item["is_provisional"]:
        return ""
    least = f"，最低例数 {item['min_cases']}" if item["min_cases"] else ""
    note = f"；{item['note_zh']}" if item["note_zh"] else ""
    return (
        f"计分办法暂定：{SCALES[item['scale_method']]}，权重 {item['weight']}{least}，"
        f"缺失{MISSING[item['missing_policy']]}；负责人：{item['owner']}{note}"
    )


def list_notes(marts: Marts, programme: Row, notices: Sequence[str] = ()) -> list[str]:
    """What a reader must know of a whole list: window, attribution, peers, editions, what is provisional, notices."""
    window = marts.window
    complete = "各月数据齐全" if window.get("is_complete") else window.get("incomplete_reason") or "数据完整性未知"
    levels = "、".join(
        {"3": "三级", "2": "二级", "1": "一级", "0": "未定级"}[x] for x in programme["peer_levels"].split(";")
    )
    number = f"（{programme['document_no']}）" if programme["document_no"] else ""
    notes = [
        f"依据：{programme['document_zh']}{number}",
        f"统计窗口：{window['window_id']}，{complete}",
        f"专科归属：按{ATTRIBUTIONS[programme['attribution']]}；同类机构：{levels}医院，"
        f"同一专科少于 {programme['min_peers']} 家不计位次",
        f"数据分析与声誉评价按 {programme['data_share']}∶{programme['reputation_share']} 合成；"
        f"覆盖率低于 {programme['min_coverage'].normalize():f} 的不排名次",
        *(f"版本：{edition}" for edition in marts.editions()),
    ]
    if programme["is_provisional"]:
        notes.append(f"暂定：{programme['note_zh']}（负责人：{programme['owner']}）")
    return [*notes, *(f"注意：{notice}" for notice in notices)]


def text(value: object) -> str:
    """An SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"
