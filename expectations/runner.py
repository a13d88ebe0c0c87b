"""Great Expectations behind one function: marts in, verdict out.

Belongs here: loading marts, turning checks into expectations, reading results back as counts.
Does not belong here: what must hold (rules, suites), what follows from it (verdict).

Traps that this module is built around: data frames of a whole mart take gigabytes in a large province, so a large one
is read by portions of its columns; `success` of a validation is false even if only a warning failed, so
single results are read; an exception inside an expectation looks like a failure, so `exception_info` is read
first and its message, which may quote values, is never kept; DECIMAL arrives as `decimal.Decimal` and is
compared exactly.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.checks import Check, Condition, Rule, Suite, load_landing_rules, load_rules, load_suites
from expectations.content import DATA, content_hash
from expectations.data_docs import DataDocs
from expectations.decisions import NO_DECISIONS, Decisions
from expectations.frozen import Severity
from expectations.verdict import RULES, SUITES, Result, Status, Verdict, Worst, judged_by

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

DQ_MART = "fct_dq_result"
_MANY = 100_000  # rows; validating by portions costs a tenth of a second each, which small tables would feel


def judge(
    marts_dir: Path,
    *,
    rules: Path = RULES,
    suites: Path = SUITES,
    decisions: Decisions = NO_DECISIONS,
    docs: DataDocs | None = None,
) -> Verdict:
    """Judge an exported candidate: every row rule by its counts, every mart by its suite; `docs` takes the words."""
    import duckdb

    with duckdb.connect() as connection:
        for path in sorted((marts_dir / DATA).glob("*.parquet")):
            connection.read_parquet(str(path)).create_view(path.stem)
        results = _judge_rules(connection, decisions.apply(load_rules(rules)))
        for suite in load_suites(suites):
            reports: list[Any] = []
            found = _judge_suite(connection, suite, reports)
            if docs is not None:
                docs.add(suite, reports, found)
            results += found
    return Verdict.of(content_hash(marts_dir), judged_by(rules, suites, decisions), results, decisions)


# --- row rules


@dataclass(frozen=True)
class _Count:
    """What the marts say of one rule and dataset, summed over organisations and months."""

    rule_id: str
    dataset: str
    checked: int
    violated: int
    threshold: Decimal
    severity: Severity
    is_sound: bool
    worst: Worst

    @property
    def excess(self) -> int:
        """Violations beyond what the threshold allows, in whole rows; exact."""
        return self.violated - int(self.threshold * self.checked)


def _judge_rules(connection: duckdb.DuckDBPyConnection, rules: list[Rule]) -> list[Result]:
    counts = {(count.rule_id, count.dataset): count for count in _rule_counts(connection)}
    drafts: list[tuple[Result, _Count | None]] = []
    for rule in rules:
        count = counts.pop((rule.rule_id, rule.dataset), None)
        reason = _fault(count) or ("" if _agrees(rule, count) else "结果表的阈值或级别与规则表不一致")
        words = {"title_zh": rule.title_zh, "note": rule.threshold_note_zh, "remedy": rule.remedy_zh}
        words |= {"id": rule.rule_id, "dataset": rule.dataset, "clause": rule.clause}
        drafts.append((_draft(words, rule.severity, rule.threshold, reason, count), count))
    for landing_rule in load_landing_rules():
        mine = sorted(key for key in counts if key[0] == landing_rule.rule_id)
        for key in mine or [(landing_rule.rule_id, "")]:
            count = counts.pop(key, None)
            words = {"title_zh": landing_rule.title_zh, "note": landing_rule.note_zh}
            words |= {"remedy": landing_rule.remedy_zh, "clause": landing_rule.clause}
            words |= {"id": ".".join(key), "dataset": key[1]}
            severity, threshold = (count.severity, count.threshold) if count else (Severity.WARNING, None)
            drafts.append((_draft(words, severity, threshold, _fault(count), count), count))
    for (rule_id, dataset), count in sorted(counts.items()):
        words = {"id": f"{rule_id}.{dataset}", "dataset": dataset, "title_zh": rule_id}
        drafts.append((_draft(words, count.severity, count.threshold, "规则未在规则表登记", count), count))
    return _compare_with_thresholds(drafts)


def _fault(count: _Count | None) -> str:
    if count is None:
        return f"{DQ_MART} 中没有该规则的计数"
    return "" if count.is_sound else "计数缺失、为负、违反数大于检查数，或阈值、级别不明"


def _agrees(rule: Rule, count: _Count | None) -> bool:
    return count is not None and (count.threshold, count.severity) == (rule.threshold, rule.severity)


def _draft(
    words: dict[str, Any], severity: Severity, threshold: Decimal | None, reason: str, count: _Count | None
) -> Result:
    """A result before Great Expectations has spoken: an error, or a failure until it passes."""
    checked, violated = (count.checked, count.violated) if count else (None, None)
    return Result(
        **words,
        severity=severity,
        status=Status.ERROR if reason else Status.FAILED if checked else Status.NOT_APPLICABLE,
        checked=checked,
        violated=violated,
        share=_share(checked, violated),
        threshold=threshold,
        worst=count.worst if count and count.violated else None,
        reason=reason,
    )


def _compare_with_thresholds(drafts: list[tuple[Result, _Count | None]]) -> list[Result]:
    import pandas as pd

    judged = {draft.id: count.excess for draft, count in drafts if count and draft.status is Status.FAILED}
    # a column per rule: with a row per rule, every expectation would have to look for its row
    frame = pd.DataFrame({name: [excess] for name, excess in judged.items()})
    checks = [
        Check(
            id=name,
            title_zh=name,
            type="ExpectColumnValuesToBeBetween",
            kwargs={"column": name, "max_value": 0},
            severity=Severity.INFO,
            note_zh="",
        )
        for name in judged
    ]
    outcomes = _validate(frame, checks, [])
    return [
        draft.model_copy(update={"status": outcomes[draft.id].status, "reason": outcomes[draft.id].reason})
        if draft.id in outcomes
        else draft
        for draft, _ in drafts
    ]


def _rule_counts(connection: duckdb.DuckDBPyConnection) -> list[_Count]:
    """The worst place is the organisation and month with most violations; the first of several."""
    import duckdb

    try:
        rows = connection.execute(
            f"""
            with cell as (
                select * replace (
                        coalesce(rule_id, '') as rule_id, coalesce(dataset, '') as dataset,
                        coalesce(organisation_id, '') as organisation_id, coalesce(month, '') as month
                    ),
                    row_number() over (
                        partition by rule_id, dataset order by violated desc, organisation_id, month
                    ) as place
                from {DQ_MART}
            )
            select rule_id, dataset, coalesce(sum(checked), 0), coalesce(sum(violated), 0),
                   coalesce(min(threshold), 0),
                   case when min(severity) in ('warning', 'info') then min(severity) else 'critical' end,
                   bool_and(coalesce(violated between 0 and checked, false))
                       and count(distinct threshold) = 1 and count(distinct severity) = 1
                       and count(*) = count(threshold) and count(*) = count(severity)
                       and min(severity) in ('critical', 'warning', 'info'),
                   max(organisation_id) filter (where place = 1), max(month) filter (where place = 1),
                   max(checked) filter (where place = 1), max(violated) filter (where place = 1)
            from cell
            group by rule_id, dataset
            """
        ).fetchall()
    except duckdb.Error:  # the mart or a column is missing: every rule then lacks its counts
        return []
    return [
        _Count(
            *(rule_id, dataset, int(checked), int(violated), threshold, Severity(severity), is_sound),
            Worst(organisation_id=place[0], month=place[1], checked=place[2] or 0, violated=place[3] or 0),
        )
        for rule_id, dataset, checked, violated, threshold, severity, is_sound, *place in rows
    ]


def _share(checked: int | None, violated: int | None) -> Decimal | None:
    """The share for readers; what decides is compared in whole rows."""
    if not checked or violated is None:
        return None
    return (Decimal(violated) / Decimal(checked)).quantize(Decimal("1e-8"))


# --- mart suites


def _judge_suite(connection: duckdb.DuckDBPyConnection, suite: Suite, reports: list[Any]) -> list[Result]:
    import duckdb

    try:
        applies = suite.applies_sql is None or bool(_column(connection, suite.applies_sql)[0])
        if not applies:
            return [_result(suite, check, _Outcome(Status.NOT_APPLICABLE)) for check in suite.expectations]
        checks, outcomes = _resolve(connection, suite.expectations)
        for portion in _portions(connection, suite, checks):
            outcomes |= _validate(_frame(connection, suite, portion), portion, reports)
    except duckdb.Error as error:
        fault = _Outcome(Status.ERROR, reason=f"{suite.mart} 缺失或列不全（{type(error).__name__}）")
        return [_result(suite, check, fault) for check in suite.expectations]
    return [_result(suite, check, outcomes[check.id]) for check in suite.expectations]


def _portions(connection: duckdb.DuckDBPyConnection, suite: Suite, checks: list[Check]) -> Iterator[list[Check]]:
    """The checks whose columns are in memory at the same time: all of a small table, of a large one those that read
    the same columns.
    """
    [(rows,)] = _relation(connection, suite).aggregate("count(*)").fetchall()
    if rows < _MANY:
        yield checks
        return
    portions: dict[frozenset[str], list[Check]] = {}
    for check in checks:
        portions.setdefault(frozenset(check.columns()), []).append(check)
    for portion in portions.values():
        yield portion
        gc.collect()  # the library's objects refer to one another, and to the frames before the last


def _relation(connection: duckdb.DuckDBPyConnection, suite: Suite) -> duckdb.DuckDBPyRelation:
    return connection.sql(suite.query or f"select * from {suite.mart}")


def _frame(connection: duckdb.DuckDBPyConnection, suite: Suite, checks: list[Check]) -> pd.DataFrame:
    """Only the columns that are read; a column that does not exist is left for the expectation to miss."""
    relation = _relation(connection, suite)
    wanted = set[str]().union(*(check.columns() for check in checks))
    names = [name for name in relation.columns if name in wanted] or relation.columns[:1]
    selection = ", ".join(f'"{name}"' for name in names)
    # through Arrow, DECIMAL becomes decimal.Decimal: exact, unlike the DOUBLE of DuckDB's own data frames
    frame: pd.DataFrame = relation.select(selection).to_arrow_table().to_pandas()
    return frame


def _resolve(connection: duckdb.DuckDBPyConnection, checks: Iterable[Check]) -> tuple[list[Check], dict[str, _Outcome]]:
    """Replace `{sql: ...}` keywords by what the query gives."""
    import duckdb

    ready, unreadable = [], {}
    for check in checks:
        try:
            kwargs = {key: _value(connection, value) for key, value in check.kwargs.items()}
        except duckdb.Error as error:
            reason = f"对照查询无法执行（{type(error).__name__}）"
            unreadable[check.id] = _Outcome(Status.ERROR, reason=reason)
        else:
            ready.append(check.model_copy(update={"kwargs": kwargs}))
    return ready, unreadable


def _value(connection: duckdb.DuckDBPyConnection, value: Any) -> Any:
    return _column(connection, value["sql"]) if isinstance(value, dict) else value


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    """The values in an order of their own: they are part of what the library says, and of equal bytes."""
    return sorted((row[0] for row in connection.execute(query).fetchall()), key=str)


def _result(suite: Suite, check: Check, outcome: _Outcome) -> Result:
    return Result(
        id=check.id,
        title_zh=check.title_zh,
        dataset=suite.mart,
        severity=check.severity,
        status=outcome.status,
        checked=outcome.checked,
        violated=outcome.violated,
        share=_share(outcome.checked, outcome.violated),
        threshold=1 - Decimal(str(check.kwargs.get("mostly", 1))),
        reason=outcome.reason,
        note=check.note_zh,
        remedy=check.remedy_zh,
        clause=check.clause,
    )


# --- Great Expectations


@dataclass(frozen=True)
class _Outcome:
    """What one expectation said, as counts."""

    status: Status
    checked: int | None = None
    violated: int | None = None
    reason: str = ""


@cache
def _batches() -> Any:
    """Where the library takes data frames in; made once, because it writes itself down as YAML each time."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return (
        context.data_sources.add_pandas("marts").add_dataframe_asset("mart").add_batch_definition_whole_dataframe("all")
    )


def _validate(frame: pd.DataFrame, checks: list[Check], reports: list[Any]) -> dict[str, _Outcome]:
    """Run the checks over one data frame; every check gets an outcome, whatever happens; `reports` the rest."""
    batches = _batches()
    import great_expectations as gx

    outcomes, expectations = {}, []
    for check in checks:
        try:
            expectations.append(_expectation(check))
        except Exception as error:
            outcomes[check.id] = _Outcome(Status.ERROR, reason=f"检查定义无效（{type(error).__name__}）")
    if not expectations:
        return outcomes
    report = batches.get_batch(batch_parameters={"dataframe": frame}).validate(
        gx.ExpectationSuite(name="gate", expectations=expectations),
        # counts only: no unexpected value leaves Great Expectations
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": 0},
    )
    reports.append(report)
    for item in report.results:
        outcomes[item.expectation_config.meta["id"]] = _outcome(item, len(frame))
    silent = _Outcome(Status.ERROR, reason="检查没有返回结果")
    return {check.id: outcomes.get(check.id, silent) for check in checks}


def _expectation(check: Check) -> Any:
    import great_expectations.expectations as gxe

    arguments = dict(check.kwargs)
    if check.row_condition:
        arguments |= {"row_condition": _condition(check.row_condition), "condition_parser": "pandas"}
    return getattr(gxe, check.type)(**arguments, severity=check.severity.value, meta={"id": check.id})


def _condition(condition: Condition) -> Any:
    from great_expectations.expectations.row_conditions import Column

    column, value = Column(condition.column), condition.value
    match condition.op:
        case "eq":
            return column == value
        case "ne":
            return column != value
        case "in":
            return column.is_in(value)
        case "not_in":
            return column.is_not_in(value)
        case "is_null":
            return column.is_null()
        case "not_null":
            return column.is_not_null()


def _outcome(item: Any, rows: int) -> _Outcome:
    if error := _exception(item.exception_info):
        return _Outcome(Status.ERROR, reason=f"检查无法执行（{error}）")
    counted = item.result or {}
    if "element_count" not in counted:  # speaks about the table as a whole
        return _Outcome(Status.PASSED if item.success else Status.FAILED, checked=rows)
    checked = counted["element_count"] - counted.get("missing_count", 0)
    violated = counted["unexpected_count"]
    status = Status.NOT_APPLICABLE if not checked else Status.PASSED if item.success else Status.FAILED
    return _Outcome(status, checked=checked, violated=violated)


def _exception(info: dict[str, Any]) -> str:
    """Class name of the exception inside an expectation, or nothing; messages may quote values."""
    parts = [info] if "raised_exception" in info else list(info.values())
    for part in parts:
        if part["raised_exception"]:
            last = (part["exception_traceback"] or "").strip().rpartition("\n")[2]
            return last.partition(":")[0].rpartition(".")[2] or "Exception"
    return ""
