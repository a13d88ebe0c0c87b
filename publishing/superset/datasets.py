"""What a dashboard can show: queries over the mirrored views, with their metrics.

Belongs here: which datasets and metrics there are, and how codes read as words.  Does not belong here: charts.

Each dataset selects columns of views by their names in the marts (`mart.column`); a metric only sums or averages what a
mart holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PERCENT, WHOLE, TWO = ".2%", ",d", ",.2f"


@dataclass(frozen=True)
class Metric:
    """A sum or average of a column."""

    title: str
    expression: str
    number_format: str


@dataclass(frozen=True)
class Dataset:
    """A query over views: `columns` maps a name to `mart.column`, `computed` to a title and an expression."""

    title: str
    source: str
    columns: Mapping[str, str]
    metrics: Mapping[str, Metric]
    computed: Mapping[str, tuple[str, str]] = field(default_factory=dict)


HOSPITAL_NAMES = "left join {v1}dim_hospital dim_hospital using (hospital_id)"
SPECIALTY_NAMES = "left join {v1}dim_specialty dim_specialty using (specialty_code)"
DIVISION_NAME = (
    "coalesce((select min(o.residence_name_zh) from {{v1}}fct_outflow o where o.residence_division = {0}), {0})"
)
INDICATOR_SOURCE = (
    f"{{v1}}fct_indicator fct_indicator {HOSPITAL_NAMES} {SPECIALTY_NAMES} "
    "join {v1}dim_indicator dim_indicator using (indicator_id) join {v1}dim_window dim_window using (window_id)"
)


def _worded(title: str, column: str, **words: str) -> tuple[str, str]:
    """Codes as words; a code without a word stays as it is."""
    cases = " ".join(f"when '{code}' then '{word}'" for code, word in words.items())
    return title, f"case {column} {cases} else {column} end"


def _latest(window: str) -> tuple[str, str]:
    """Whether a row's window is the last one of three complete years, or the last one if none is complete."""
    last = "(select max(w.window_id) from {v1}dim_window w where w.years = 3"
    return "最近的三年期", f"{window} = coalesce({last} and w.is_complete), {last}))"


SEVERITY = {"critical": "关键", "warning": "提醒", "info": "提示"}
STATUS = {"failed": "不通过", "error": "无法判定", "passed": "通过", "not_applicable": "不适用"}
QUOTA = {"met": "达到", "not_met": "未达到", "unknown": "无法判断", "not_applicable": "不适用"}
DECISION = {
    "recommended": "推荐",
    "reserve": "候补",
    "not_recommended": "未推荐",
    "not_eligible": "不符合条件",
    "infeasible": "名额无法同时满足",
}

DATASETS: dict[str, Dataset] = {
    "zhuanke_score": Dataset(
        title="专科得分与名次",
        source=f"{{v1}}fct_score fct_score {HOSPITAL_NAMES} {SPECIALTY_NAMES} "
        "left join {v1}dim_programme dim_programme using (programme_id, tier)",
        columns={
            "programme": "dim_programme.title_zh",
            "tier": "dim_programme.tier_zh",
            "window_id": "fct_score.window_id",
            "hospital": "dim_hospital.name_zh",
            "specialty": "dim_specialty.name_zh",
            "level": "fct_score.level",
            "group_zh": "fct_score.group_zh",
            "rank": "fct_score.rank",
            "rank_reason": "fct_score.rank_reason",
            "score": "fct_score.score",
            "coverage": "fct_score.coverage",
            "missing_count": "fct_score.missing_count",
            "provisional_count": "fct_score.provisional_count",
        },
        metrics={
            "first_places": Metric("第一名数", "sum(case when rank = 1 then 1 else 0 end)", WHOLE),
            "ranked": Metric("有名次的专科数", "count(rank)", WHOLE),
            "missing": Metric("缺数据的条目", "sum(missing_count)", WHOLE),
        },
    ),
    "zhuanke_indicator": Dataset(
        title="专科指标",
        source=INDICATOR_SOURCE,
        columns={
            "window_id": "fct_indicator.window_id",
            "years": "dim_window.years",
            "last_year": "dim_window.last_year",
            "hospital": "dim_hospital.name_zh",
            "is_region": "dim_hospital.is_region",
            "specialty": "dim_specialty.name_zh",
            "attribution": "fct_indicator.attribution",
            "indicator_id": "fct_indicator.indicator_id",
            "indicator": "dim_indicator.name_zh",
            "unit": "dim_indicator.unit",
            "direction": "dim_indicator.direction",
            "clause": "dim_indicator.clause",
            "definition": "dim_indicator.definition_zh",
            "case_count": "fct_indicator.case_count",
            "status": "fct_indicator.status",
            "status_reason": "fct_indicator.status_reason",
        },
        computed={
            "indicator_with_unit": ("指标（单位）", "dim_indicator.name_zh || '（' || dim_indicator.unit || '）'"),
            "shown_value": (
                "指标值（按单位展示）",
                "fct_indicator.value * case when dim_indicator.unit = '%' then 100 else 1 end",
            ),
            "shown_benchmark": (
                "省内标杆（按单位展示）",
                "fct_indicator.benchmark * case when dim_indicator.unit = '%' then 100 else 1 end",
            ),
            "year": ("年度", "cast(dim_window.last_year as text)"),
            "is_latest": _latest("fct_indicator.window_id"),
        },
        metrics={
            # one row per hospital, specialty, window and indicator: the average of one row is that row
            "value_shown": Metric("指标值", "avg(shown_value)", TWO),
            "benchmark_shown": Metric("省内标杆", "avg(shown_benchmark)", TWO),
            "cases": Metric("病例数", "sum(case_count)", WHOLE),
        },
    ),
    "zhuanke_quality": Dataset(
        title="数据质量",
        source="{v1}fct_dq_result fct_dq_result left join {v1}dim_hospital dim_hospital "
        "on dim_hospital.hospital_id = fct_dq_result.organisation_id",
        columns={
            "rule_id": "fct_dq_result.rule_id",
            "dataset": "fct_dq_result.dataset",
            "hospital": "dim_hospital.name_zh",
            "month": "fct_dq_result.month",
            "severity": "fct_dq_result.severity",
            "status": "fct_dq_result.status",
            "checked": "fct_dq_result.checked",
            "violated": "fct_dq_result.violated",
        },
        computed={
            "severity_zh": _worded("严重程度", "fct_dq_result.severity", **SEVERITY),
            "status_zh": _worded("状态", "fct_dq_result.status", **STATUS),
        },
        metrics={
            "checked_rows": Metric("检查行数", "sum(checked)", WHOLE),
            "violated_rows": Metric("违规行数", "sum(violated)", WHOLE),
            "violated_share": Metric("违规占比", "sum(violated) / nullif(sum(checked), 0)", PERCENT),
        },
    ),
    "zhuanke_flow": Dataset(
        title="患者流向",
        source=f"{{v1}}fct_patient_flow fct_patient_flow {SPECIALTY_NAMES}",
        columns={
            "data_year": "fct_patient_flow.data_year",
            "specialty": "dim_specialty.name_zh",
            "residence_division": "fct_patient_flow.residence_division",
            "hospital_division": "fct_patient_flow.hospital_division",
            "discharge_count": "fct_patient_flow.discharge_count",
        },
        computed={
            "residence": ("现住地", DIVISION_NAME.format("fct_patient_flow.residence_division")),
            "city": ("机构所在市", DIVISION_NAME.format("fct_patient_flow.hospital_division") + " || '（就诊）'"),
            "year": ("年度", "cast(fct_patient_flow.data_year as text)"),
        },
        metrics={"discharges": Metric("出院人次", "sum(discharge_count)", WHOLE)},
    ),
    "zhuanke_outflow": Dataset(
        title="外出就诊",
        source=f"{{v1}}fct_outflow fct_outflow {SPECIALTY_NAMES}",
        columns={
            "window_id": "fct_outflow.window_id",
            "division_rank": "fct_outflow.division_rank",
            "residence": "fct_outflow.residence_name_zh",
            "specialty": "dim_specialty.name_zh",
            "resident_count": "fct_outflow.resident_count",
            "outflow_count": "fct_outflow.outflow_count",
            "is_above_threshold": "fct_outflow.is_above_threshold",
        },
        computed={
            "rank_zh": _worded("区划层级", "fct_outflow.division_rank", prefecture="市际", county="县际"),
            "is_latest": _latest("fct_outflow.window_id"),
        },
        metrics={
            "residents": Metric("居民出院人次", "sum(resident_count)", WHOLE),
            "outflow": Metric("外出就诊人次", "sum(outflow_count)", WHOLE),
            "outflow_rate": Metric("外出就诊率", "sum(outflow_count) / nullif(sum(resident_count), 0)", PERCENT),
        },
    ),
    "zhuanke_quota": Dataset(
        title="数量要求",
        source="{v1}fct_quota fct_quota",
        columns={
            "title": "fct_quota.title_zh",
            "clause": "fct_quota.clause",
            "scope": "fct_quota.scope_zh",
            "period": "fct_quota.period",
            "unit": "fct_quota.unit",
            "required_low": "fct_quota.required_low",
            "required_high": "fct_quota.required_high",
            "actual": "fct_quota.actual",
            "status": "fct_quota.status",
            "status_reason": "fct_quota.status_reason",
        },
        computed={"status_zh": _worded("状态", "fct_quota.status", **QUOTA)},
        metrics={"rules": Metric("条数", "count(*)", WHOLE)},
    ),
    "zhuanke_selection": Dataset(
        title="遴选建议",
        source=f"{{v1}}fct_selection fct_selection {HOSPITAL_NAMES} {SPECIALTY_NAMES} "
        "left join {v1}dim_programme dim_programme using (programme_id, tier)",
        columns={
            "programme": "dim_programme.title_zh",
            "tier": "dim_programme.tier_zh",
            "hospital": "dim_hospital.name_zh",
            "specialty": "dim_specialty.name_zh",
            "score": "fct_selection.score",
            "score_rank": "fct_selection.score_rank",
            "eligibility": "fct_selection.eligibility",
            "decision": "fct_selection.decision",
            "position": "fct_selection.position",
            "decision_reason": "fct_selection.decision_reason",
        },
        computed={"decision_zh": _worded("决定", "fct_selection.decision", **DECISION)},
        metrics={"candidates": Metric("候选数", "count(*)", WHOLE)},
    ),
}
