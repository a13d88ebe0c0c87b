"""From a published value to what it is made of: numerator and denominator, DRG groups, and cases by pseudonym.

Belongs here: asking the views in which dbt keeps what a case, a group or another part adds to a measure, and holding
the answer against the published number. Does not belong here: any arithmetic of indicators (dbt), the candidate that
is asked (`recorded`), workbooks (`publishing.casebook`), what a terminal shows (`question_commands`).

No answer is given that does not add up: what is listed is summed, and a sum that is not the published number is an
error that says so.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from dagster_project.dbt_command import side_candidate
from dagster_project.evidence import evidence_of, item_cell, item_named
from dagster_project.made_of import (
    ALL,
    AT,
    REGION,
    DoesNotAddUp,
    NothingToExplain,
    Part,
    Place,
    case_rows,
    columns_of,
    group_rows,
    list_cases,
    one_of,
    other_rows,
    rows_of,
    shown,
)
from dagster_project.recorded import Record, build_recorded, method_of, open_record
from dagster_project.settings import Settings
from sources.expressions import quote

if TYPE_CHECKING:
    import duckdb

_KEPT = 3  # candidates that wait for a second question
_ASKED = [
    f"+{model}"
    for model in (
        "int_case_measure",
        "int_group_measure",
        "int_measure_part",
        "int_complication",
        "int_drg_trace",
        "fct_indicator",
        "fct_measure",
        "dim_hospital",
        "dim_specialty",
        "dim_indicator",
    )
]


@dataclass(frozen=True)
class Explanation:
    """Everything between a value and its cases. Groups, cases and other parts are rows by Chinese titles."""

    record: str
    method: str
    place: Mapping[str, str]
    indicator: Mapping[str, Any]
    cell: Mapping[str, Any]
    switches: Sequence[Mapping[str, str]]
    parts: Sequence[Part]
    groups: Sequence[Mapping[str, Any]] = field(default=())
    cases: Sequence[Mapping[str, Any]] = field(default=())
    others: Sequence[Mapping[str, Any]] = field(default=())


def explain(
    settings: Settings,
    name: str,
    *,
    hospital: str,
    specialty: str,
    indicator: str,
    window: str | None = None,
    attribution: str = "department",
) -> Explanation:
    """What the value of an indicator, or of an item of a programme, is made of in release or certificate `name`.

    An item that rests on an indicator is explained by that, in the window and attribution of its programme. Raises
    NothingToExplain for a cell that is not there, RecordProblem where the inputs are gone, DoesNotAddUp.
    """
    record = open_record(settings, name)
    with published_marts(settings, record) as connection:
        hospital = _code(connection, "published.dim_hospital", "hospital_id", hospital)
        specialty = _code(connection, "published.dim_specialty", "specialty_code", specialty)
        if item := item_named(connection, indicator):
            cell = item_cell(connection, item, hospital, specialty)
            if not item["indicator_id"]:
                return _evidence(connection, record, item, cell)
            indicator, window = item["indicator_id"], cell["data_window"]
            query = "select min(attribution) from published.dim_programme where programme_id = ?"
            attribution = one_of(connection, query, [item["programme_id"]])
        indicator = _code(connection, "published.dim_indicator", "indicator_id", indicator)
    if window is None:
        raise NothingToExplain("请写明统计窗口，如 --window 2022-2024。")
    with asked_candidate(settings, record) as connection:
        return _cases(settings, connection, record, Place(hospital, specialty, attribution, window), indicator)


def _cases(
    settings: Settings, connection: duckdb.DuckDBPyConnection, record: Record, place: Place, indicator: str
) -> Explanation:
    [registry] = rows_of(connection, "from dim_indicator where indicator_id = ?", [indicator])
    cell = _cell(connection, record, place, registry)
    parts = _parts(connection, registry, cell)
    asked = [part.measure_id for part in parts if part.made_of != "其他构成"]
    list_cases(connection, place, [measure for measure in asked if measure != "drg_group_count"])
    others = [row for part in parts if part.made_of == "其他构成" for row in other_rows(connection, place, part)]
    check(connection, place, parts)
    return Explanation(
        record=record.name,
        method=method_of(settings, record)[1],
        place={**vars(place), **_names(connection, "", place.hospital_id, place.specialty_code)},
        indicator=registry,
        cell=cell,
        switches=_switches(record, registry),
        parts=parts,
        groups=group_rows(connection, place, asked),
        cases=case_rows(connection, place, registry, parts),
        others=others,
    )


def _evidence(
    connection: duckdb.DuckDBPyConnection, record: Record, item: Mapping[str, Any], cell: Mapping[str, Any]
) -> Explanation:
    parts, rows = evidence_of(connection, item, cell)
    hospital, specialty = cell["hospital_id"], cell["specialty_code"]
    place = {"hospital_id": hospital, "specialty_code": specialty, "window_id": cell["data_window"] or "不适用"}
    return Explanation(
        record=record.name,
        method="佐证已随数据发布，不需重算",
        place={**place, **_names(connection, "published.", hospital, specialty)},
        indicator={
            "indicator_id": item["item_id"],
            "name_zh": item["title_zh"],
            "definition_zh": item["wording_zh"] or item["title_zh"],
        },
        cell=cell,
        switches=[],
        parts=parts,
        others=rows,
    )


# --- the candidate that answers


@contextmanager
def asked_candidate(settings: Settings, record: Record) -> Iterator[duckdb.DuckDBPyConnection]:
    """The candidate of a record, open for reading, with a schema `published` over the record's own marts.

    It is computed once and kept for the next question; the oldest of those that are kept goes.
    """
    database = _kept(settings, record)
    with published_marts(settings, record) as connection:
        connection.execute(f"attach {quote(str(database))} as candidate (read_only); use candidate")
        yield connection


@contextmanager
def published_marts(settings: Settings, record: Record) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a schema `published` over the marts of a record."""
    import duckdb

    with duckdb.connect(":memory:", config={"threads": settings.threads}) as connection:
        connection.execute(f"set memory_limit = {quote(settings.memory_limit)}; set enable_progress_bar = false")
        connection.execute("create schema published")
        for mart in sorted(record.data.glob("*.parquet")):
            connection.execute(f"create view published.{mart.stem} as from read_parquet({quote(str(mart))})")
        yield connection


def _kept(settings: Settings, record: Record) -> Path:
    method, _ = method_of(settings, record)
    from publishing.provenance import folder_hash

    state = json.dumps(record.provenance, sort_keys=True) + folder_hash(method / "dbt")
    shelf = settings.cache / "asked"
    folder = shelf / hashlib.sha256(state.encode()).hexdigest()[:16]
    database = folder / "candidate.duckdb"
    shelf.mkdir(parents=True, exist_ok=True)
    with FileLock(shelf / "lock"):
        if database.exists():
            database.touch()
            return database
        for unfinished in shelf.glob("*/home"):
            if not (unfinished.parent / database.name).exists():
                shutil.rmtree(unfinished.parent)
        with side_candidate(settings, "asked") as made:
            build_recorded(
                settings, record, made, _ASKED, home=folder / "home", variables={"cases_are_asked_for": True}
            )
            made.rename(database)
        waiting = sorted(shelf.glob("*/candidate.duckdb"), key=lambda path: path.stat().st_mtime_ns)
        for oldest in waiting[:-_KEPT]:
            shutil.rmtree(oldest.parent)
    return database


# --- what was asked for


def _code(connection: duckdb.DuckDBPyConnection, mart: str, key: str, given: str) -> str:
    """The code of what is named by its code or its Chinese name."""
    found = connection.execute(
        f"select {key} from {mart} where {key} = $given or name_zh = $given order by {key} <> $given", {"given": given}
    ).fetchall()
    if found:
        return str(found[0][0])
    listed = connection.execute(f"select {key} || ' ' || name_zh from {mart} order by {key} limit 12").fetchall()
    examples = "、".join(row[0] for row in listed)
    raise NothingToExplain(f"没有 {given}。可用编号或中文名，例如：{examples}。")


def _cell(
    connection: duckdb.DuckDBPyConnection, record: Record, place: Place, registry: Mapping[str, Any]
) -> dict[str, Any]:
    """The published cell; that the candidate comes to the same is the first thing that must hold."""
    where = "where hospital_id = ? and specialty_code = ? and attribution = ? and window_id = ? and indicator_id = ?"
    key = [place.hospital_id, place.specialty_code, place.attribution, place.window_id, registry["indicator_id"]]
    found = [
        rows_of(connection, f"from {mart} {where}", key) for mart in ("memory.published.fct_indicator", "fct_indicator")
    ]
    if not found[0]:
        raise NothingToExplain(
            f"{record.name} 没有 {' / '.join(key)} 这一格：机构在该专科与窗口没有出院病例，或不在其范围之内。"
        )
    published, computed = found[0][0], (found[1] or [{}])[0]
    for column, title in (("numerator", "分子"), ("denominator", "分母"), ("value", "数值")):
        if published[column] != computed.get(column):
            raise DoesNotAddUp(
                f"{record.name} 公布的{title}为 {shown(published[column])}，由其输入重算为"
                f" {shown(computed.get(column))}。请先运行 zhuanke rebuild {record.name}。"
            )
    return published


def _parts(connection: duckdb.DuckDBPyConnection, registry: Mapping[str, Any], cell: Mapping[str, Any]) -> list[Part]:
    of_cases, of_groups = columns_of(connection, "int_case_measure"), columns_of(connection, "int_group_measure")
    parts = []
    for role, column in (("分子", "numerator"), ("分母", "denominator")):
        measure = registry[f"{column}_measure"]
        if measure is None:
            continue
        [row] = rows_of(connection, "from measures where measure_id = ?", [measure])
        by_group = measure in of_groups and (row["unit"] == "ratio" or not row["is_additive"])
        made_of = "DRG 组" if by_group else "病例" if measure in of_cases else "其他构成"
        amount = cell[column] if cell[column] is not None else Decimal(0)
        parts.append(Part(role, measure, row["name_zh"], row["definition_zh"], amount, made_of))
    return parts


def _names(connection: duckdb.DuckDBPyConnection, schema: str, hospital: str, specialty: str) -> dict[str, str]:
    [names] = rows_of(
        connection,
        f"select hospital.name_zh as hospital, specialty.name_zh as specialty from {schema}dim_hospital as hospital, "
        f"{schema}dim_specialty as specialty where hospital_id = ? and specialty_code = ?",
        [hospital, specialty],
    )
    return names


def _switches(record: Record, registry: Mapping[str, Any]) -> list[dict[str, str]]:
    named = [name for name in (registry["switches"] or "").split(";") if name]
    known = record.provenance["switches"]
    return [{"switch_id": name, **known[name]} for name in named if name in known]


# --- the proof


def check(connection: duckdb.DuckDBPyConnection, place: Place, parts: Sequence[Part]) -> None:
    """What is listed adds up to what is published, and groups to their cases; raises DoesNotAddUp."""
    for part in parts:
        if part.made_of == "病例":
            listed = one_of(connection, f"select sum({part.measure_id}) from asked")
        elif part.made_of == "DRG 组":
            listed = one_of(
                connection, f"select sum({part.measure_id}) from int_group_measure as measure where {AT}", vars(place)
            )
            _check_groups(connection, place)
        else:
            listed = one_of(
                connection,
                f"select sum(amount) from int_measure_part as measure where measure_id = $measure_id and {AT}",
                {**vars(place), "measure_id": part.measure_id},
            )
        if _as_published(listed) != part.amount:
            raise DoesNotAddUp(
                f"{part.role} {part.name_zh}：公布为 {shown(part.amount)}，列出的{part.made_of}合计为 {shown(listed)}。"
                "请保留本次输出并报告。"
            )


def _check_groups(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """The cases of each group are as many, cost as much and stayed as long as the group."""
    different = connection.execute(
        f"""
        with listed as (
            select drg_code, scheme_edition, count(*) as cases, sum(total_fee_fen) as cost,
                   sum(length_of_stay_days) as stay
            from int_discharge
            where is_grouped and {_place_of_discharge(place)}
            group by drg_code, scheme_edition
        )
        select coalesce(listed.drg_code, measure.drg_code)
        from listed full join (from int_group as measure where {AT}) as measure
            on listed.drg_code = measure.drg_code and listed.scheme_edition is not distinct from measure.scheme_edition
        where (cases, cost, stay) is distinct from (grouped_count, grouped_cost_fen, grouped_stay_days)
        """,
        vars(place),
    ).fetchall()
    if different:
        raise DoesNotAddUp(f"DRG 组 {different[0][0]} 的病例数、费用或住院天数与其病例不符。请保留本次输出并报告。")


def _place_of_discharge(place: Place) -> str:
    window = "discharge_month between (select first_month from int_window where window_id = $window_id) and "
    window += "(select last_month from int_window where window_id = $window_id)"
    hospital = f"($hospital_id = '{REGION}' or organisation_id = $hospital_id)"
    column = "specialty_code" if place.attribution == "department" else "mdc_specialty_code"
    # every parameter is used, whichever column tells the specialty
    return f"{window} and {hospital} and ($specialty_code = '{ALL}' or {column} = $specialty_code)"


def _as_published(amount: Decimal | int | None) -> Decimal:
    from decimal import ROUND_HALF_UP

    return Decimal(amount or 0).quantize(Decimal("1E-8"), rounding=ROUND_HALF_UP)
