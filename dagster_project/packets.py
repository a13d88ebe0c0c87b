"""The packets of a preview: to each hospital its own values, its own cases, its own faults, and a form for queries.

Belongs here: what goes into a packet, and that nothing of another hospital does. Does not belong here: when a preview
opens and what becomes of a query (`publishing.certificates`), which faults there are (`feedback`), how a table becomes
a sheet (`publishing.casebook`).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project import feedback
from dagster_project.explain import asked_candidate
from dagster_project.made_of import (
    ALL,
    REGION,
    DoesNotAddUp,
    Place,
    case_facts,
    columns_of,
    list_cases,
    rows_of,
    shown,
    tell_cases,
)
from dagster_project.recorded import open_record
from dagster_project.settings import Settings
from publishing.casebook import Sheet, write_casebook

if TYPE_CHECKING:
    import duckdb

VALUES, CASES, QUERIES, FAULTS = "数值.xlsx", "病例.xlsx", "异议表.xlsx", "数据质量"
# the columns that `zhuanke cert query` asks for, and what helps whoever rules on it
QUERY_FIELDS = (
    "机构",
    "所指的指标或条目",
    "专科",
    "病例假名",
    "来源文件",
    "行号",
    "异议内容",
    "应更正的输入",
    "经办人",
)


def write_packets(settings: Settings, bundle: Path, target: Path, issued: date | None = None) -> int:
    """Write a packet for each hospital of a bundle (or release) into `target`; how many hospitals have one.

    Raises RecordProblem where the inputs are gone, DoesNotAddUp where the cases are not the numbers.
    """
    record = open_record(settings, str(bundle))
    feedback.write_all(settings, issued or date.today())
    with asked_candidate(settings, record) as connection:
        programme, hospitals = previewed(connection), previewed_hospitals(connection)
        list_previewed(connection, programme)
        _check(connection, programme)
        for hospital in hospitals:
            folder = target / hospital
            write_casebook(folder / VALUES, f"预览：{hospital} 的数值", _values(connection, hospital))
            cases = _cases(connection, programme, hospital)
            write_casebook(
                folder / CASES, f"预览：{hospital} 的病例", [cases, *_groups(connection, programme, hospital)]
            )
            write_casebook(folder / QUERIES, f"预览：{hospital} 的异议表", [_query_form(connection, hospital)])
            _copy_faults(settings, programme["months"], hospital, folder / FAULTS)
    return len(hospitals)


def previewed_hospitals(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The hospitals that have a value."""
    query = "select distinct hospital_id from memory.published.fct_indicator where hospital_id <> ? order by 1"
    return [row["hospital_id"] for row in rows_of(connection, query, [REGION])]


def previewed(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Window, attribution and measures of what is previewed: the widest window, the indicators that items rest on."""
    [found] = rows_of(
        connection,
        """
        select window_id, first_year, last_year,
               (select coalesce(min(attribution), 'department') from memory.published.dim_programme) as attribution
        from memory.published.dim_window order by years desc, window_id desc limit 1
        """,
    )
    asked = rows_of(
        connection,
        """
        select registry.* from memory.published.dim_indicator as registry
        where indicator_id in (select indicator_id from memory.published.dim_programme_item) order by serial
        """,
    )
    measures = [row[part] for row in asked for part in ("numerator_measure", "denominator_measure") if row[part]]
    months = (f"{found['first_year']}-01", f"{found['last_year']}-12")
    return {**found, "indicators": asked, "measures": list(dict.fromkeys(measures)), "months": months}


# --- values


def _values(connection: duckdb.DuckDBPyConnection, hospital: str) -> list[Sheet]:
    """Its scores and ranks, its items, its indicators; of others only the benchmark of the region."""
    queries = {
        "总分与名次": """
            select programme.title_zh as "方案", programme.tier_zh as "档次", score.window_id as "窗口",
                   specialty.name_zh as "专科", score.score as "得分", score.rank as "名次",
                   score.coverage as "覆盖率", score.missing_items as "未能计分的条目", score.rank_reason as "说明"
            from memory.published.fct_score as score
            join memory.published.dim_programme as programme using (programme_id, tier)
            join memory.published.dim_specialty as specialty using (specialty_code)
            where score.hospital_id = $hospital and score.level = 'total'
            order by score.programme_id, score.tier, score.specialty_code
        """,
        "条目": """
            select score.programme_id as "方案编号", score.tier as "档次编号", specialty.name_zh as "专科",
                   item.title_zh as "条目", score.value as "数值", item.unit as "单位", score.numerator as "分子",
                   score.denominator as "分母", score.scale_score as "得分", score.weight as "权重",
                   score.data_window as "数据窗口", score.status_reason as "说明"
            from memory.published.fct_item as score
            join memory.published.dim_programme_item as item using (programme_id, item_id)
            join memory.published.dim_specialty as specialty using (specialty_code)
            where score.hospital_id = $hospital
            order by score.programme_id, score.tier, score.specialty_code, item.serial_no, score.item_id
        """,
        "指标": """
            select specialty.name_zh as "专科", cell.attribution as "归属口径", cell.window_id as "窗口",
                   registry.name_zh as "指标", cell.value as "数值", cell.numerator as "分子",
                   cell.denominator as "分母", cell.benchmark as "全省", cell.fitness as "数据质量等级",
                   cell.status_reason as "说明"
            from memory.published.fct_indicator as cell
            join memory.published.dim_indicator as registry using (indicator_id)
            join memory.published.dim_specialty as specialty using (specialty_code)
            where cell.hospital_id = $hospital
            order by cell.specialty_code, cell.attribution, cell.window_id, registry.serial
        """,
    }
    note = "预览稿，尚未签发。如有异议，请填写异议表，在异议期内交回。"
    return [
        Sheet.of(name, rows_of(connection, query, {"hospital": hospital}), [note]) for name, query in queries.items()
    ]


# --- cases


def specialty_column(programme: Mapping[str, Any]) -> str:
    """Which specialty of a case counts under the programme."""
    return "specialty_code" if programme["attribution"] == "department" else "mdc_specialty_code"


def list_previewed(connection: duckdb.DuckDBPyConnection, programme: Mapping[str, Any]) -> None:
    """Tables `asked` and `told`: every case that counts for one of the indicators, of all hospitals at once."""
    place = Place(REGION, ALL, programme["attribution"], programme["window_id"])
    list_cases(connection, place, [name for name in programme["measures"] if name != "drg_group_count"])
    # a certificate of one specialty shows no others
    there = "in (select hospital_id, specialty_code from memory.published.fct_indicator)"
    connection.execute(
        f"""
        delete from asked where (organisation_id, '{ALL}') not {there}
            and (organisation_id, {specialty_column(programme)}) not {there}
        """
    )
    tell_cases(connection)


def _cases(connection: duckdb.DuckDBPyConnection, programme: Mapping[str, Any], hospital: str) -> Sheet:
    """Every case of the hospital that counts for one of the indicators, with what it adds to each measure."""
    there = columns_of(connection, "told")
    names = {row["measure_id"]: row["name_zh"] for row in rows_of(connection, "from measures")}
    counted = {measure: names[measure] for measure in programme["measures"] if measure in there}
    rows = [
        {**facts, **{title: row[measure] or None for measure, title in counted.items()}}
        for row, facts in case_facts(connection, hospital)
    ]
    note = "各度量列为该病例计入的数量，空白为不计入；来源文件为报送文件摘要的前 12 位，行号以表头为第 1 行。"
    return Sheet.of("病例", rows, [note])


def _check(connection: duckdb.DuckDBPyConnection, programme: Mapping[str, Any]) -> None:
    """The cases of each hospital and specialty are its published numerators and denominators."""
    there = columns_of(connection, "asked")
    sums = "".join(f", sum({name}) as {name}" for name in programme["measures"] if name in there)
    connection.execute(
        f"""
        create or replace temp table listed as
        select organisation_id as hospital_id, {specialty_column(programme)} as specialty_code {sums}
        from asked group by all
        """
    )
    for registry in programme["indicators"]:
        for part in ("numerator", "denominator"):
            measure = registry[f"{part}_measure"]
            if measure not in there or measure in ("cost_ratio_sum", "time_ratio_sum"):
                continue  # no cases, or a sum that is divided by group: `zhuanke explain` proves those
            different = connection.execute(
                f"""
                select hospital_id, specialty_code, published.{part}, coalesce(listed.{measure}, 0)
                from memory.published.fct_indicator as published left join listed using (hospital_id, specialty_code)
                where published.hospital_id <> '{REGION}' and published.attribution = $attribution
                    and published.window_id = $window and published.indicator_id = $indicator
                    and published.specialty_code <> '{ALL}'
                    and published.{part} <> cast(coalesce(listed.{measure}, 0) as decimal(28, 8))
                order by hospital_id, specialty_code
                """,
                {
                    "attribution": programme["attribution"],
                    "window": programme["window_id"],
                    "indicator": registry["indicator_id"],
                },
            ).fetchall()
            for hospital, specialty, published, listed in different:
                raise DoesNotAddUp(
                    f"{hospital} 专科 {specialty} 的{registry['name_zh']}：公布 {shown(published)}，"
                    f"病例合计 {shown(Decimal(listed))}。预览材料未写出。"
                )


def _specialties(connection: duckdb.DuckDBPyConnection, hospital: str) -> list[str]:
    rows = rows_of(
        connection,
        "select distinct specialty_code from memory.published.fct_indicator where hospital_id = ? order by 1",
        [hospital],
    )
    return [row["specialty_code"] for row in rows]


def _groups(connection: duckdb.DuckDBPyConnection, programme: dict[str, Any], hospital: str) -> list[Sheet]:
    """DRG groups, and the parts of measures that are made of no cases."""
    there = _specialties(connection, hospital)
    values = {
        "hospital": hospital,
        "attribution": programme["attribution"],
        "window": programme["window_id"],
        "there": there,
        "measures": programme["measures"],
    }
    at = (
        "hospital_id = $hospital and measure.attribution = $attribution and measure.window_id = $window "
        "and list_contains($there, measure.specialty_code)"
    )
    groups = rows_of(
        connection,
        f"""
        select specialty.name_zh as "专科", measure.drg_code as "DRG", measure.grouped_count as "病例数",
               measure.grouped_cost_fen as "费用合计（分）", measure.grouped_stay_days as "住院天数合计",
               measure.grouped_death_count as "死亡数", benchmark.weight as "权重",
               benchmark.mean_cost_fen as "省内组均费用（分）", benchmark.mean_los_days as "省内组均住院天数"
        from int_group as measure
        join dim_specialty as specialty using (specialty_code)
        left join ref_drg_benchmark as benchmark
            on measure.window_id = benchmark.window_id and measure.drg_code = benchmark.drg_code
            and measure.scheme_edition is not distinct from benchmark.scheme_edition
        where {at}
        order by measure.specialty_code, measure.drg_code, measure.scheme_edition
        """,
        {name: value for name, value in values.items() if name != "measures"},
    )
    others = rows_of(
        connection,
        f"""
        select specialty.name_zh as "专科", registry.name_zh as "度量", measure.part_id as "构成",
               measure.amount as "数量"
        from int_measure_part as measure
        join dim_specialty as specialty using (specialty_code)
        join measures as registry using (measure_id)
        where {at} and list_contains($measures, measure.measure_id)
        order by measure.specialty_code, measure.measure_id, measure.part_id
        """,
        values,
    )
    return [Sheet.of("DRG 组", groups), Sheet.of("其他构成", others)]


# --- faults and queries


def _copy_faults(settings: Settings, months: Sequence[str], hospital: str, target: Path) -> None:
    """The error workbooks of the window, as they stand today."""
    for workbook in sorted((settings.home / "feedback" / hospital).glob("*.xlsx")):
        if months[0] <= workbook.stem <= months[1]:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(workbook, target / workbook.name)


def _query_form(connection: duckdb.DuckDBPyConnection, hospital: str) -> Sheet:
    specialties = rows_of(
        connection,
        "select distinct specialty_code || ' ' || name_zh as told from memory.published.fct_indicator "
        "join memory.published.dim_specialty using (specialty_code) where hospital_id = ? order by 1",
        [hospital],
    )
    rows = [[hospital, *[""] * (len(QUERY_FIELDS) - 1)] for _ in range(20)]
    notes = [
        "每行一项异议；病例假名、来源文件与行号见病例.xlsx，与整个指标有关的异议可不填。请勿填写患者姓名、证件号与病案号。",
        "登记：zhuanke cert query 证书 --hospital 机构 --about 所指的指标或条目 --reason 异议内容 --by 经办人",
    ]
    told = [row["told"] for row in specialties]
    # a list in a workbook holds 255 characters
    choices = {"专科": told} if told and len(",".join(told)) <= 255 else {}
    return Sheet("异议", QUERY_FIELDS, rows, notes, choices)
