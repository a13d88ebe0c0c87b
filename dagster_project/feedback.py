"""Which faults go back to which sender: quarantined rows, and landed rows that a row rule objects to.

Belongs here: finding the faulty rows of a hospital's month, comparing them with the version that it replaces, and the
counts that place a hospital among the others. Does not belong here: the workbook (`publishing.feedback`), the rules
(`expectations`), anything that changes what is published.

The rules are evaluated again over the landed files, row by row, because the warehouse keeps counts only; pages that
contradict each other are found by `repeats`. A rule over a month or a year has no line to point to; its counts are
taken from the published `fct_dq_result`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.decisions import decisions_in_force, held_back_months
from dagster_project.repeats import RULE_IDS, find_repeats, repeats_of
from dagster_project.settings import Settings
from expectations.checks import Rule, load_rules
from expectations.decisions import Decisions
from expectations.verdict import RULES
from publishing.feedback import Fault, Feedback, Standing, Total, write_feedback, write_refused
from sources.candidate import HeldBack, outstanding, prepare, slices_in_force
from sources.contract import load_contracts
from sources.expressions import landed_types, quote, row_key
from sources.intake import read_journal
from sources.landing import REASONS_ZH, read_receipts
from sources.titles import column_titles, expectations_of, is_derived, source_titles
from sources.versions import DATASET, page_versions

if TYPE_CHECKING:
    import duckdb

RELATION = f"stg_{DATASET}"
_NAMED_FIELDS = 4  # of a rule; the sum of twenty-three fees is not explained by naming them all
_CLASSES = {
    "empty": "空",
    "digits": "数字",
    "negative": "负数",
    "decimal": "小数",
    "date_like": "日期形式",
    "text": "文字",
    "too_long": "过长",
    "other": "其他",
}


@dataclass(frozen=True)
class Written:
    """What a call of `zhuanke feedback` left: workbooks, and the faults in them."""

    folder: Path
    workbooks: int
    faults: int
    refused: int


def deadline(issued: date, working_days: int) -> date:
    """The working day, Monday to Friday, so many days after the issue."""
    day = issued
    while working_days > 0:
        day += timedelta(days=1)
        working_days -= day.weekday() < 5
    return day


def write_all(
    settings: Settings, issued: date, *, organisation: str | None = None, month: str | None = None
) -> Written:
    """Write the workbook of every hospital's month that has a fault; `organisation` and `month` narrow it down."""
    import duckdb

    target = settings.home / "feedback"
    until = deadline(issued, settings.feedback_working_days)
    workbooks = faults = 0
    settings.cache.mkdir(parents=True, exist_ok=True)
    database = settings.cache / "feedback.duckdb"
    database.unlink(missing_ok=True)
    prepare(settings.home, database)
    try:
        with duckdb.connect(str(database), config={"threads": settings.threads}) as connection:
            connection.execute(f"set memory_limit = {quote(settings.memory_limit)}; set enable_progress_bar = false")
            _find_faults(connection, settings.home)
            find_repeats(connection, RELATION)
            repeats = repeats_of(connection)
            totals = _month_totals(connection, settings)
            standings = _standings(connection)
            decisions = decisions_in_force(settings)
            held = _held_back(settings, decisions)
            for place in _places(connection, [*held, *repeats], organisation, month):
                faulty = _feedback(connection, place, issued, until, standings, totals, held.get(place, []))
                found = replace(
                    faulty,
                    faults=[*faulty.faults, *repeats.get(place, [])],
                    notices=decisions.about(*place).sentences(),
                )
                write_feedback(target / place[0] / f"{place[1]}.xlsx", found)
                workbooks += 1
                faults += len(found.faults)
    finally:
        database.unlink(missing_ok=True)
    return Written(target, workbooks, faults, write_refused(target / "拒收文件.csv", _refused(settings.home)))


def _rules() -> list[Rule]:
    """The rules that look at one front page at a time."""
    return [rule for rule in load_rules(RULES) if rule.relation == RELATION]


# --- faulty rows


def _find_faults(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Table `fault`: one row per fault of a row, of the files in force and of those that they replaced."""
    versions = page_versions(home)
    connection.execute(
        "create temp table version (source_id varchar, organisation_id varchar, month varchar, is_current boolean, "
        "path varchar, layout varchar)"
    )
    values = [
        f"({', '.join(map(quote, (v.source_id, v.organisation_id, v.month)))}, {v.is_current}, "
        f"{quote(v.path)}, {quote(v.layout)})"
        for v in versions
    ]
    if values:
        connection.execute(f"insert into version values {', '.join(values)}")
    _create_pages(connection, sorted({str(home / v.landed) for v in versions if v.landed}))
    _create_violations(connection)
    quarantine = sorted(str(path) for path in (home / "quarantine" / DATASET).glob("*.parquet"))
    connection.execute(f"create temp view set_aside as {_quarantine(quarantine)}")
    connection.execute(
        """
        create temp table fault as
        select version.*, found.source_row, found.row_key, true as is_rule, found.rule_id as code, '' as field,
               found.found
        from violation as found join version using (source_id, organisation_id, month)
        union all
        select version.*, found.source_row, found.row_key, false, found.reason, found.field, found.value_class
        from set_aside as found join version using (source_id, organisation_id, month)
        """
    )


def _create_pages(connection: duckdb.DuckDBPyConnection, paths: list[str]) -> None:
    key = row_key(load_contracts()["hqms_abcd"])  # the same in all layouts
    if paths:
        listed = ", ".join(map(quote, paths))
        pages = (
            f"select {', '.join(landed_types(DATASET))}, strftime(discharge_time, '%Y-%m') as month, {key} as row_key "
            f"from read_parquet([{listed}], hive_partitioning = false)"
        )
    else:
        pages = f"select *, '' as month, '' as row_key from landing.{DATASET} where false"
    connection.execute(f"create temp view {RELATION} as {pages}")


def _create_violations(connection: duckdb.DuckDBPyConnection) -> None:
    types = landed_types(DATASET)
    cases = [
        f"case when ({rule.checked_sql}) and ({rule.violated_sql}) "
        f"then {{'rule_id': {quote(rule.rule_id)}, 'found': {_found(rule, types)}}} end"
        for rule in _rules()
    ]
    connection.execute(
        f"""
        create temp table violation as
        select source_id, source_row, organisation_id, month, coalesce(row_key, '') as row_key, one.rule_id, one.found
        from (
            select source_id, source_row, organisation_id, month, row_key,
                   unnest(list_filter([{", ".join(cases)}], lambda x: x is not null)) as one
            from {RELATION}
        )
        """
    )


def _found(rule: Rule, types: dict[str, str]) -> str:
    """SQL that tells of each field what kind of value it holds, never the value."""
    names = rule.fields.split(";")
    told = [name for name in names[:_NAMED_FIELDS] if name in types and not is_derived(name)]
    parts = [f"'{name}=' || {_class(name, types[name])}" for name in told]
    return f"concat_ws(';', {', '.join(parts)})" if parts else "''"


def _class(name: str, kind: str) -> str:
    if kind.endswith("[]"):
        return f"case when len({name}) > 0 then '已填' else '空' end"
    if kind in ("INTEGER", "BIGINT") or kind.startswith("DECIMAL"):
        return (
            f"case when {name} is null then '空' when {name} < 0 then '负数' when {name} = 0 then '零' else '正数' end"
        )
    filled = "日期" if kind in ("TIMESTAMP", "DATE") else "已填"
    return f"case when {name} is null then '空' else '{filled}' end"


def _quarantine(paths: list[str]) -> str:
    if not paths:
        return (
            "select '' as source_id, 0 as source_row, '' as row_key, '' as organisation_id, '' as month, "
            "'' as reason, '' as field, '' as value_class where false"
        )
    listed = ", ".join(map(quote, paths))
    # a row of which nothing can be read belongs to the hospital and month of the rest of its file, if that is one
    return f"""
        select found.source_id, source_row, row_key, reason, field, value_class,
               coalesce(nullif(found.organisation_id, ''), only_one.organisation_id) as organisation_id,
               coalesce(only_one.month, found.month) as month
        from read_parquet([{listed}], union_by_name = true) as found
        left join (
            select source_id, any_value(organisation_id) as organisation_id, any_value(month) as month
            from version group by source_id having count(distinct (organisation_id, month)) = 1
        ) as only_one on found.source_id = only_one.source_id
        """


# --- counts over hospitals and months


def _standings(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Standing]:
    """Per hospital and month: rows, faulty rows, and the rank by their share among the hospitals of that month."""
    rows = connection.execute(
        f"""
        with faulty as (
            select organisation_id, month, count(distinct (source_id, source_row)) as faulty,
                   count(distinct (source_id, source_row)) filter (where not is_rule) as set_aside
            from fault where is_current group by all
        ),
        landed as (
            select organisation_id, month, count(*) as landed
            from {RELATION} join version using (source_id, organisation_id, month) where is_current group by all
        ),
        share as (
            select organisation_id, month, landed + coalesce(set_aside, 0) as rows, coalesce(faulty, 0) as faulty
            from landed left join faulty using (organisation_id, month)
        )
        select organisation_id, month, rows, faulty,
               -- the share as it is compared: no rounding decides a rank
               rank() over (partition by month order by faulty::decimal(38, 18) / rows) as place,
               count(*) over (partition by month) as peers
        from share order by organisation_id, month
        """
    ).fetchall()
    return {(row[0], row[1]): Standing(*row[1:]) for row in rows}


def _month_totals(connection: duckdb.DuckDBPyConnection, settings: Settings) -> dict[tuple[str, str], list[Total]]:
    """Counts of the published rules that no single row breaks."""
    mart = settings.current / "data" / "fct_dq_result.parquet"
    by_row = {rule.rule_id for rule in _rules()} | set(RULE_IDS)
    titles = {rule.rule_id: rule for rule in load_rules(RULES) if rule.rule_id not in by_row}
    found: dict[tuple[str, str], list[Total]] = defaultdict(list)
    if mart.exists():
        rows = connection.execute(
            f"select organisation_id, month, rule_id, checked, violated from read_parquet({quote(str(mart))}) "
            "where violated > 0 order by all"
        ).fetchall()
        for organisation, month, rule_id, checked, violated in rows:
            if rule := titles.get(rule_id):
                found[organisation, month].append(Total(rule.title_zh, rule.remedy_zh, checked, violated))
    return found


def _held_back(settings: Settings, decisions: Decisions) -> dict[tuple[str, str], list[str]]:
    """Per hospital and month of front pages: why the last version is not used, and what is used instead."""
    held = held_back_months(settings, decisions)
    force = slices_in_force(settings.home, held)[DATASET]
    titles = {rule.rule_id: rule.title_zh for rule in load_rules(RULES)}
    paths = {receipt["source"]["sha256"]: receipt["source"]["path"] for receipt in read_receipts(settings.home)}

    def told(one: HeldBack) -> str:
        used = force.get(one.slice)
        instead = f"仍用 {paths[used]}" if used else "本月暂缺"
        return (
            f"{paths[one.sha256]}：{titles[one.rule_id]}，违反 {one.violated} / 检查 {one.checked}，"
            f"单独暂缓的阈值 {one.threshold:.0%}；{instead}"
        )

    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in outstanding(settings.home, held):
        if one.dataset == DATASET:
            found[one.slice[0], one.slice[1]].append(told(one))
    return found


def _places(
    connection: duckdb.DuckDBPyConnection,
    held: Iterable[tuple[str, str]],
    organisation: str | None,
    month: str | None,
) -> list[tuple[str, str]]:
    faulty = connection.execute("select distinct organisation_id, month from fault").fetchall()
    return sorted(
        place
        for place in {*faulty, *held}
        if all(place) and organisation in (None, place[0]) and month in (None, place[1])
    )


# --- one hospital's month


def _feedback(
    connection: duckdb.DuckDBPyConnection,
    place: tuple[str, str],
    issued: date,
    until: date,
    standings: dict[tuple[str, str], Standing],
    totals: dict[tuple[str, str], list[Total]],
    held_back: list[str],
) -> Feedback:
    organisation, month = place
    rows = connection.execute(
        "select is_current, path, layout, source_row, row_key, is_rule, code, field, found from fault "
        f"where organisation_id = {quote(organisation)} and month = {quote(month)} "
        "order by is_current desc, path, source_row, is_rule, code, field"
    ).fetchall()
    rules = {rule.rule_id: rule for rule in _rules()}
    faults = {current: list(_told(rows, rules, current)) for current in (True, False)}
    replaced = connection.execute(
        f"select distinct path from version where organisation_id = {quote(organisation)} "
        f"and month = {quote(month)} and not is_current order by 1"
    ).fetchall()
    return Feedback(
        organisation_id=organisation,
        month=month,
        issued=issued,
        deadline=until,
        faults=faults[True],
        replaced=[path for (path,) in replaced],
        earlier=faults[False],
        trend=[standing for (hospital, _), standing in standings.items() if hospital == organisation],
        totals=totals.get(place, []),
        held_back=held_back,
    )


def _told(rows: list[Any], rules: dict[str, Rule], current: bool) -> Iterator[Fault]:
    for is_current, path, layout, line, key, is_rule, code, field, found in rows:
        if is_current != current:
            continue
        if is_rule:
            rule = rules[code]
            titles = column_titles(layout)
            named = [titles.get(name, name) for name in rule.fields.split(";")]
            more = f"；等 {len(named)} 项" if len(named) > _NAMED_FIELDS else ""
            shown = "；".join(dict.fromkeys(named[:_NAMED_FIELDS])) + more
            kinds = [part.partition("=") for part in found.split(";") if part]
            classes = (
                "；".join(f"{titles.get(name, name).split(' ')[0]} {kind}" for name, _, kind in kinds) or "与规则不符"
            )
            yield Fault(path, line, key, code, shown, rule.title_zh, classes, rule.title_zh, rule.remedy_zh)
        else:
            title = source_titles(layout).get(field, "")
            expected = expectations_of(layout).get(field, "列数与表头一致、可解码的一行")
            fault = REASONS_ZH[code]
            kind = _CLASSES.get(found, found) if field else "整行"
            shown = f"{field} {title}".strip() or "整行"
            yield Fault(path, line, key, f"{code}.{field}", shown, fault, kind, expected, "按接口更正后重新报送整月")


def _refused(home: Path) -> list[tuple[str, str]]:
    """Files that were refused as a whole and that no later file of the same path replaced."""
    latest = {item.path: item for item in read_journal(home)}
    problems = {item.path: item.problem[1] for item in latest.values() if item.problem}
    for receipt in read_receipts(home):
        path = receipt["source"]["path"]
        if receipt["refused"] and latest[path].sha256 == receipt["source"]["sha256"]:
            problems[path] = receipt["refused"]["message"]
    return sorted(problems.items())
