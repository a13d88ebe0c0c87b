"""Grouping on demand: a file of cases, or all landed discharges under two editions of a scheme, side by side.

Belongs here: questions that people ask the grouper outside the nightly. Nothing here touches a release.
Does not belong here: the grouper (dbt), reading files of cases (sources.cases), what a terminal shows (views).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.dbt_command import build_aside, side_candidate
from dagster_project.decisions import prepare_candidate
from dagster_project.grouping import grouping_choice
from dagster_project.settings import Settings, SettingsError
from sources.expressions import quote

if TYPE_CHECKING:
    import duckdb

TRACE_TITLE = "分组过程"
# what a comparison reads, with everything before it
_COMPARED = [
    f"+{model}" for model in ("int_drg_case", "fct_indicator", "dim_hospital", "dim_specialty", "dim_indicator")
]
# title in Chinese -> expression over the answer; the order of the columns that a person reads
_ANSWER = {
    "编号": "coalesce(asked.case_id, cast(asked.source_row as varchar))",
    "MDC": "answer.mdc",
    "ADRG": "answer.adrg",
    "DRG": "answer.drg_code",
    "DRG 名称": "drg.name_zh",
    "权重": "cast(weight.weight as decimal(12, 4))",
    "未入组原因": "reason.title_zh",
}


@dataclass(frozen=True)
class Grouped:
    """The answer for a file of cases: column titles, and rows in the order of the file."""

    edition: str
    titles: list[str]
    rows: list[tuple[object, ...]]


def edition_for(settings: Settings, edition: str | None) -> str:
    """The edition that was asked for, else the one that groups today's discharges; raises SettingsError."""
    from datetime import date

    from sources.scheme.store import in_use, installed

    schemes = installed(settings.home)
    names = [scheme["edition_id"] for scheme in schemes]
    chosen = edition or in_use(schemes, grouping_choice(settings).drg_edition, date.today())
    if chosen is None or chosen not in names:
        raise SettingsError(
            f"没有可用的分组方案版本{f' {edition}' if edition else ''}（已导入：{'、'.join(names) or '无'}）。"
            "请先运行 zhuanke scheme import。"
        )
    return chosen


def group_file(settings: Settings, path: Path, edition: str | None = None, *, trace: bool = False) -> Grouped:
    """Group the cases of a file; with `trace`, a sentence tells how each came to its group.

    Raises SettingsError without a usable edition, FileRefused for a file that holds no cases.
    """
    import duckdb

    from sources.cases import read_cases

    chosen = edition_for(settings, edition)
    with side_candidate(settings, "cases") as database:
        with duckdb.connect(str(database)) as connection:
            read_cases(path, connection, chosen)
            _show_schemes(connection, settings.home)
        build_aside(settings, database, ["+int_drg_trace"], {"cases": "file"})
        titles = [*_ANSWER, *([TRACE_TITLE] if trace else [])]
        columns = [*_ANSWER.values(), *(["answer.trace_zh"] if trace else [])]
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute(
                f"""
                select {", ".join(columns)}
                from landing.grouping_case as asked
                join int_drg_trace as answer using (source_row)
                left join scheme.drg as drg on answer.scheme_edition = drg.edition_id and answer.drg_code = drg.drg
                left join scheme.weight as weight
                    on answer.scheme_edition = weight.edition_id and answer.drg_code = weight.drg
                left join ungrouped_reasons as reason on answer.ungrouped_reason = reason.ungrouped_reason
                order by asked.source_row
                """
            ).fetchall()
    return Grouped(chosen, titles, rows)


def _show_schemes(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    from sources.scheme.store import views

    connection.execute("create schema scheme")
    for table, query in views(home).items():
        connection.execute(f"create view scheme.{table} as {query}")


def compare_editions(settings: Settings, earlier: str, later: str, target: Path) -> dict[str, int]:
    """Group all landed discharges under both editions and write what moves into `target`; the counts of it.

    `groups.parquet`: DRG under the one and the other edition, cases. `indicators.parquet`: every indicator, its value
    and rank under both. `regroup.xlsx`: the same for a reader.
    """
    import duckdb

    if earlier == later:
        raise SettingsError("两个方案版本相同，无可比较。")
    with ExitStack() as stack:
        databases = {}
        for side, edition in (("earlier", edition_for(settings, earlier)), ("later", edition_for(settings, later))):
            database = stack.enter_context(side_candidate(settings, side))
            prepare_candidate(settings, database)
            variables = {"drg_source": "own", "drg_edition": edition}
            build_aside(settings, database, _COMPARED, variables)
            _keep_groups(database)
            databases[side] = database
        target.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"set threads = {settings.threads}")
            for side, database in databases.items():
                connection.execute(f"attach {quote(str(database))} as {side} (read_only)")
            _compare(connection, target)
            counts = _counts(connection)
            _write_workbook(connection, target / "regroup.xlsx", earlier, later)
    return counts


def _keep_groups(database: Path) -> None:
    """The groups as a table: a view names the database in which it was made, and is unknown beside another."""
    import duckdb

    with duckdb.connect(str(database)) as connection:
        connection.execute("create table compared as select source_id, source_row, drg_code from int_drg_case")


def _compare(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    connection.execute(
        """
        create table groups as
        select coalesce(a.drg_code, '未入组') as earlier_drg, coalesce(b.drg_code, '未入组') as later_drg,
               count(*) as case_count
        from earlier.compared as a join later.compared as b using (source_id, source_row)
        group by all order by all
        """
    )
    connection.execute(
        f"""
        create table indicators as
        with ranked as (
            select hospital_id, specialty_code, attribution, window_id, indicator_id,
                   a.value as earlier_value, b.value as later_value, registry.direction,
                   hospital_id <> 'REGION' as is_ranked
            from earlier.fct_indicator as a
            full join later.fct_indicator as b
                using (hospital_id, specialty_code, attribution, window_id, indicator_id)
            join earlier.dim_indicator as registry using (indicator_id)
        )
        select * exclude (direction, is_ranked), later_value - earlier_value as change,
               {_rank("earlier_value")} as earlier_rank, {_rank("later_value")} as later_rank
        from ranked order by hospital_id, specialty_code, attribution, window_id, indicator_id
        """
    )
    for table in ("groups", "indicators"):
        connection.execute(f"copy {table} to {quote(str(target / f'{table}.parquet'))} (format parquet)")


def _rank(value: str) -> str:
    """Competition rank among the hospitals of a specialty and window, the best first; none without a value."""
    return (
        f"case when is_ranked and {value} is not null then rank() over ("
        "partition by is_ranked, specialty_code, attribution, window_id, indicator_id "
        f"order by case direction when 'lower' then {value} else -{value} end nulls last) end"
    )


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    names = ["cases", "cases_moved", "values", "values_moved", "ranks_moved"]
    row = connection.execute(
        """
        select (select coalesce(sum(case_count), 0) from groups),
               (select coalesce(sum(case_count), 0) from groups where earlier_drg <> later_drg),
               (select count(*) from indicators),
               (select count(*) from indicators where earlier_value is distinct from later_value),
               (select count(*) from indicators where earlier_rank is distinct from later_rank)
        """
    ).fetchall()[0]
    return dict(zip(names, map(int, row), strict=True))


def _write_workbook(connection: duckdb.DuckDBPyConnection, path: Path, earlier: str, later: str) -> None:
    """The moves for a reader: groups by size, the values of whole hospitals and specialties in the widest window."""
    import xlsxwriter

    groups = connection.execute("from groups order by case_count desc, earlier_drg, later_drg").fetchall()
    indicators = connection.execute(
        """
        select hospital.name_zh, specialty.name_zh, indicators.attribution, window_id, registry.name_zh,
               earlier_value, later_value, change, earlier_rank, later_rank
        from indicators
        join earlier.dim_hospital as hospital using (hospital_id)
        join earlier.dim_specialty as specialty using (specialty_code)
        join earlier.dim_indicator as registry using (indicator_id)
        where earlier_value is distinct from later_value
        order by hospital_id, specialty_code, indicators.attribution, window_id, registry.serial
        """
    ).fetchall()
    sheets = {
        "分组去向": ([f"{earlier} 的 DRG", f"{later} 的 DRG", "病例数"], groups),
        "指标与名次": (
            ["机构", "专科", "归属口径", "窗口", "指标", f"{earlier}", f"{later}", "变化", "原名次", "新名次"],
            indicators,
        ),
    }
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        heading = book.add_format({"bold": True, "text_wrap": True, "bottom": 1})
        for name, (titles, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(titles) - 1, 18)
            sheet.write_row(0, 0, titles, heading)
            for number, row in enumerate(rows, 1):
                sheet.write_row(number, 0, [float(v) if hasattr(v, "as_tuple") else v for v in row])
