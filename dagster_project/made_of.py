"""What a measure is made of, asked of a candidate: cases with the reason that each counts, groups, other parts.

Belongs here: the questions to the views in which dbt keeps what a case, a group or another part adds to a measure, and
the words for a reader. Does not belong here: which measures are asked about, and whether what comes out adds up
(`explain`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sources.titles import column_titles

if TYPE_CHECKING:
    import duckdb

REGION, ALL = "REGION", "ALL"
_LAYOUT = "hqms_p"  # whose titles name the fields of a front page
_PAGE = "hqms_front_page."
_RISK = {"0": "零死亡", "1": "低", "2": "中低", "3": "中高", "4": "高"}
_EXCLUSIONS = {
    "stay_missing": "住院天数缺失",
    "stay_over_limit": "住院天数超过上限",
    "cost_missing": "总费用缺失",
    "cost_below_limit": "总费用低于下限",
    "z53_short": "主要诊断 Z53 且住院天数短",
}


class DoesNotAddUp(RuntimeError):
    """What was listed is not what was published; the text names both numbers."""


class NothingToExplain(RuntimeError):
    """The question names something that the release does not have; the text says what it has."""


@dataclass(frozen=True)
class Place:
    """One cell of `fct_indicator`, without the indicator."""

    hospital_id: str
    specialty_code: str
    attribution: str
    window_id: str


@dataclass(frozen=True)
class Part:
    """Numerator or denominator: its measure, its published amount, and what its parts are."""

    role: str
    measure_id: str
    name_zh: str
    definition_zh: str
    amount: Decimal
    made_of: str  # 病例, DRG 组 or 其他构成


# --- cases


def list_cases(connection: duckdb.DuckDBPyConnection, place: Place, measures: Sequence[str]) -> None:
    """Table `asked`: the cases of a place that add to one of the measures, an amount per measure."""
    mine = [measure for measure in measures if measure in columns_of(connection, "int_case_measure")]
    amounts = "".join(f", coalesce(cast({name} as decimal(28, 12)), 0) as {name}" for name in dict.fromkeys(mine))
    conditions, values = ["window_id = ?"], [place.window_id]
    if place.hospital_id != REGION:
        conditions.append("organisation_id = ?")
        values.append(place.hospital_id)
    if place.specialty_code != ALL:
        conditions.append("specialty_code = ?" if place.attribution == "department" else "mdc_specialty_code = ?")
        values.append(place.specialty_code)
    counted = " or ".join(f"{name} <> 0" for name in dict.fromkeys(mine)) or "false"
    connection.execute(
        f"""
        create or replace temp table asked as
        select source_id, source_row, window_id, organisation_id, patient_id,
               cast(discharge_time as date) as discharge_date, specialty_code, mdc_specialty_code,
               drg_code, scheme_edition, exclusion_reason, ungrouped_reason, operation_codes {amounts}
        from int_case_measure
        where {" and ".join(conditions)} and ({counted})
        """,
        values,
    )


def case_rows(
    connection: duckdb.DuckDBPyConnection, place: Place, registry: Mapping[str, Any], parts: Sequence[Part]
) -> list[dict[str, Any]]:
    """The cases of table `asked` as a reader sees them: what each adds, and the facts by which it does."""
    columns = columns_of(connection, "asked")
    shares = [(part.role, part.measure_id) for part in parts if part.measure_id in columns]
    fields = _fields(connection, [part.measure_id for part in parts])
    # who counts above the line first
    order = "".join(f"asked.{measure} = 0, " for _, measure in shares[:1])
    rows = rows_of(connection, _CASES.format(order=order, page="".join(f", page.{name}" for name in fields)))
    titles, lists = column_titles(_LAYOUT), (registry["reference_lists"] or "").split(";")
    told = []
    for row in rows:
        facts = [f"{titles.get(name, name)} {_told(name, row[name])}" for name in fields if row[name] not in (None, [])]
        told.append(
            {
                "病例假名": row["patient_id"],
                "机构": row["organisation_id"],
                "出院日期": row["discharge_date"],
                "来源文件": row["source_id"],
                "行号": row["source_row"],
                "专科": row["specialty_zh"],
                **{f"计入{role}": row[measure] for role, measure in shares},
                "计入理由": _reason(row, parts, lists, facts, place),
            }
        )
    return told


def tell_cases(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `told`: the cases of table `asked` with the facts by which they count, found for all hospitals at once."""
    connection.execute(f"create or replace temp table told as {_CASES.format(order='', page='')}")


def case_facts(
    connection: duckdb.DuckDBPyConnection, hospital_id: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A hospital's cases of table `told`, each with its facts in columns of their own: for lists over many measures."""
    query = "from told where organisation_id = ? order by discharge_date, source_id, source_row"
    for row in rows_of(connection, query, [hospital_id]):
        facts = {
            "病例假名": row["patient_id"],
            "出院日期": row["discharge_date"],
            "来源文件": row["source_id"],
            "行号": row["source_row"],
            "专科": row["specialty_zh"],
            "疾病归属专科": row["mdc_specialty_code"],
            "不进入分组分析的原因": _EXCLUSIONS.get(row["exclusion_reason"]),
            "DRG": row["drg_code"],
            "权重": row["weight"],
            "死亡风险级": _RISK.get(row["risk_class"]),
            "分组过程": row["trace_zh"],
            "手术目录": "、".join(row["operations_zh"] or []),
            "并发症": "、".join(row["complications_zh"] or []),
            "单病种": "、".join(row["diseases_zh"] or []),
        }
        yield row, facts


def _reason(
    row: Mapping[str, Any], parts: Sequence[Part], lists: Sequence[str], facts: Sequence[str], place: Place
) -> str:
    """The rules by which the case counts, then the facts that meet them."""
    counted = [part for part in parts if row.get(part.measure_id)]
    said = [f"计入{part.role}：{part.name_zh}（{part.definition_zh}）" for part in counted]
    if "surgery_catalogue" in lists and row["operations_zh"]:
        said.append("手术目录：" + "、".join(row["operations_zh"]))
    if "surgical_complications" in lists and row["complications_zh"]:
        said.append("并发症：" + "、".join(row["complications_zh"]))
    if row["diseases_zh"] and any(part.measure_id.startswith("single_disease") for part in parts):
        said.append("单病种：" + "、".join(row["diseases_zh"]))
    if "drg_scheme" in lists:
        said += _grouping(row)
    if place.attribution == "mdc":
        said.append(f"疾病归属专科 {row['mdc_specialty_code']}")
    return "；".join([*said, *facts]) + "。"


def _grouping(row: Mapping[str, Any]) -> Iterator[str]:
    if row["exclusion_reason"]:
        yield f"不进入分组分析：{_EXCLUSIONS[row['exclusion_reason']]}"
    elif row["trace_zh"]:
        yield row["trace_zh"].removesuffix("。")
    elif row["drg_code"]:
        yield f"收到的分组结果 DRG {row['drg_code']}（{row['scheme_edition']}）"
    if row["weight"] is not None:
        yield f"组权重 {shown(row['weight'])}"
    if row["risk_class"] is not None:
        yield f"死亡风险{_RISK.get(row['risk_class'], row['risk_class'])}风险组"
    if row["mean_cost_fen"] is not None:
        yield f"省内组均费用 {row['mean_cost_fen'] / 100:.2f} 元、组均住院 {row['mean_los_days']:.2f} 天"


_CASES = """
with operation as (
    select source_id, source_row, list(
        catalogue.operation_code || coalesce(' ' || catalogue.operation_name, '') || '（' || catalogue.edition
        || coalesce('，' || substr('一二三四', cast(catalogue.operation_level as integer), 1) || '级', '')
        || case when catalogue.is_minimally_invasive then '，微创' else '' end
        || case when catalogue.is_day_surgery then '，日间' else '' end || '）'
        order by catalogue.operation_code
    ) as operations_zh
    from (select source_id, source_row, discharge_date, unnest(operation_codes) as operation_code from asked) as done
    join int_operation_catalogue as catalogue
        on done.operation_code = catalogue.operation_code
        and done.discharge_date >= catalogue.valid_from and done.discharge_date < catalogue.valid_until
    group by source_id, source_row
),
complication as (
    select found.source_id, found.source_row,
           list(distinct found.diagnosis_code || '（' || found.edition || '）') as complications_zh
    from int_complication as found semi join asked using (source_id, source_row)
    group by found.source_id, found.source_row
),
disease as (
    select report.source_id, report.source_row, list(
        single_disease.name_zh || case when report.is_due then '，应上报' else '' end
        || case when report.is_reported then '，已上报' when report.is_open then '，平台有记录' else '，平台无记录' end
        order by report.disease_code
    ) as diseases_zh
    from int_single_disease_case as report
    join single_diseases as single_disease using (disease_code)
    semi join asked using (source_id, source_row)
    group by report.source_id, report.source_row
)
select asked.*, specialty.name_zh as specialty_zh, operation.operations_zh, complication.complications_zh,
       disease.diseases_zh, trace.trace_zh, benchmark.weight, benchmark.mean_cost_fen, benchmark.mean_los_days,
       risk.risk_class {page}
from asked
join stg_hqms_front_page as page using (source_id, source_row)
join dim_specialty as specialty on asked.specialty_code = specialty.specialty_code
left join operation using (source_id, source_row)
left join complication using (source_id, source_row)
left join disease using (source_id, source_row)
left join int_drg_trace as trace using (source_id, source_row)
left join ref_drg_benchmark as benchmark
    on asked.window_id = benchmark.window_id and asked.drg_code = benchmark.drg_code
    and asked.scheme_edition is not distinct from benchmark.scheme_edition
left join ref_drg_risk as risk
    on asked.window_id = risk.window_id and asked.drg_code = risk.drg_code
    and asked.scheme_edition is not distinct from risk.scheme_edition
order by {order} asked.organisation_id, asked.discharge_date, asked.source_id, asked.source_row
"""


def _fields(connection: duckdb.DuckDBPyConnection, measures: Sequence[str]) -> list[str]:
    """The fields of the front page that the measures rest on; who and where the patient is stays out."""
    rows = connection.execute(
        "select source_fields from measures where list_contains(?, measure_id)", [list(measures)]
    ).fetchall()
    named = [name for row in rows for name in row[0].split(";") if name.startswith(_PAGE)]
    there = set(columns_of(connection, "stg_hqms_front_page"))
    fields = dict.fromkeys(name.removeprefix(_PAGE) for name in named)
    return [name for name in fields if name in there and name not in ("organisation_id", "discharge_time")]


# --- groups and other parts


def group_rows(connection: duckdb.DuckDBPyConnection, place: Place, measures: Sequence[str]) -> list[dict[str, Any]]:
    """The DRGs between the measures and their cases, with what each adds."""
    mine = [name for name in dict.fromkeys(measures) if name in columns_of(connection, "int_group_measure")]
    if not mine:
        return []
    titles = dict(
        connection.execute(
            "select measure_id, name_zh from measures where list_contains(?, measure_id)", [mine]
        ).fetchall()
    )
    amounts = "".join(f", measure.{name} as {quote_name(titles[name])}" for name in mine)
    return rows_of(
        connection,
        f"""
        select measure.drg_code as "DRG", drg.name_zh as "DRG 名称", measure.scheme_edition as "分组方案",
               part.grouped_count as "病例数", part.grouped_cost_fen as "费用合计（分）",
               part.grouped_stay_days as "住院天数合计", part.grouped_death_count as "死亡数",
               benchmark.weight as "权重", benchmark.mean_cost_fen as "省内组均费用（分）",
               benchmark.mean_los_days as "省内组均住院天数", risk.risk_class as "死亡风险级" {amounts}
        from int_group_measure as measure
        join int_group as part
            using (attribution, hospital_id, specialty_code, window_id, drg_code, scheme_edition)
        left join scheme.drg as drg on measure.scheme_edition = drg.edition_id and measure.drg_code = drg.drg
        left join ref_drg_benchmark as benchmark
            on measure.window_id = benchmark.window_id and measure.drg_code = benchmark.drg_code
            and measure.scheme_edition is not distinct from benchmark.scheme_edition
        left join ref_drg_risk as risk
            on measure.window_id = risk.window_id and measure.drg_code = risk.drg_code
            and measure.scheme_edition is not distinct from risk.scheme_edition
        where {AT}
        order by measure.drg_code, measure.scheme_edition
        """,
        vars(place),
    )


AT = (
    "hospital_id = $hospital_id and specialty_code = $specialty_code and attribution = $attribution "
    "and measure.window_id = $window_id"
)
_KINDS = {"month": "月份", "operation": "手术操作", "hospital": "机构", "region": "全省", "flow": "现住市-就诊市"}


def other_rows(connection: duckdb.DuckDBPyConnection, place: Place, part: Part) -> list[dict[str, Any]]:
    """Months of bed reports, hospitals, cities or operations, with what each adds."""
    rows = rows_of(
        connection,
        f"""
        select part_kind, part_id, coalesce(catalogue.operation_name, hospital.name_zh, '') as name_zh, amount
        from int_measure_part as measure
        left join (select operation_code, max(operation_name) as operation_name from int_operation_catalogue group by 1)
            as catalogue on measure.part_kind = 'operation' and measure.part_id = catalogue.operation_code
        left join dim_hospital as hospital on measure.part_kind = 'hospital' and measure.part_id = hospital.hospital_id
        where measure_id = $measure_id and measure.{AT}
        order by part_kind, part_id
        """,
        {**vars(place), "measure_id": part.measure_id},
    )
    return [
        {
            "计入": part.role,
            "度量": part.name_zh,
            "类别": _KINDS[row["part_kind"]],
            "编号": row["part_id"],
            "名称": row["name_zh"],
            "数量": row["amount"],
        }
        for row in rows
    ]


# --- small change


def shown(value: object) -> str:
    """A number without zeros that say nothing."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "无" if value is None else str(value)


def _told(name: str, value: Any) -> str:
    if name.endswith("_fen"):
        return f"{Decimal(value) / 100:.2f} 元"
    return "、".join("空" if one is None else str(one) for one in value) if isinstance(value, list) else str(value)


def quote_name(name: str) -> str:
    """A column name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [row[0] for row in connection.execute(f"describe {relation}").fetchall()]


def one_of(connection: duckdb.DuckDBPyConnection, query: str, values: Any = None) -> Any:
    return connection.execute(query, values).fetchall()[0][0]


def rows_of(connection: duckdb.DuckDBPyConnection, query: str, values: Any = None) -> list[dict[str, Any]]:
    found = connection.execute(query, values)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
