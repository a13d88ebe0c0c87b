"""Front pages that repeat or contradict each other, as groups: which rows belong together, for their senders.

Belongs here: the groups behind the rules over several pages, and the words that name the other rows of a group. Does
not belong here: what the rules count (`int_repeated_page`; a test holds the two together), single pages (`feedback`).

A row of another hospital is counted and not named: no sender learns where else its patients were.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

from expectations.checks import load_rules
from expectations.verdict import RULES
from publishing.feedback import Fault

RULE_IDS = (
    "hqms_18_identical_page",
    "hqms_18_repeat_admission",
    "hqms_18_overlapping_stay",
    "hqms_18_count_reset",
)
_CONTENT = (
    *("organisation_id", "sex", "age_years", "admission_time", "discharge_time", "diagnoses", "operations"),
    *("total_fee_fen", "self_paid_fen", *(f"fee_d{item}_fen" for item in range(11, 35))),
)
_LIKENESS = ("organisation_id", "admission_time", "discharge_time", "total_fee_fen")
_KEPT = ("source_id", "source_row", "organisation_id", "month", "path", "layout")


def find_repeats(connection: duckdb.DuckDBPyConnection, pages: str) -> None:
    """Table `repeat`: every row of every group, by rule, of the versions in force; is_violating as the gate counts it.

    `pages` is a relation of front pages; the table `version` says which of them are in force.
    """
    kept, content = ", ".join(_KEPT), ", ".join(_CONTENT)
    order = "admission_time, discharge_time, source_id, source_row"
    connection.execute(
        f"""
        create temp view page_in_force as
        select page.*, version.path, version.layout
        from {pages} as page join version using (source_id, organisation_id, month) where version.is_current;

        create temp table page_repeat as
        with candidate as (
            select * from page_in_force
            where hash({", ".join(_LIKENESS)}) in (
                select hash({", ".join(_LIKENESS)}) from page_in_force group by 1 having count(*) > 1
            )
        ),
        twin as (
            select {kept}, 'hqms_18_identical_page' as rule_id,
                   row_number() over (partition by {content} order by source_id, source_row) as place,
                   count(*) over (partition by {content}) as size,
                   min(source_id || ' ' || source_row) over (partition by {content}) as group_id
            from candidate
        ),
        admission as (
            select {kept}, 'hqms_18_repeat_admission' as rule_id,
                   row_number() over (
                       partition by patient_id, admission_count order by discharge_time, source_id, source_row
                   ) as place,
                   count(*) over (partition by patient_id, admission_count) as size,
                   min(source_id || ' ' || source_row) over (partition by patient_id, admission_count) as group_id
            from page_in_force where patient_id is not null and admission_count is not null
        )
        select {kept}, rule_id, group_id, place > 1 as is_violating from twin where size > 1
        union all
        select {kept}, rule_id, group_id, place > 1 as is_violating from admission where size > 1;

        create temp table person_repeat as
        with stay as (
            select {kept}, person_id, admission_count, admission_time, discharge_time,
                   coalesce(admission_time < max(discharge_time) over (
                       partition by person_id order by {order} rows between unbounded preceding and 1 preceding
                   ), false) as is_overlapping,
                   row_number() over (partition by person_id, organisation_id order by {order}) as place
            from page_in_force where person_id is not null and discharge_time >= admission_time
        ),
        told as (
            select stay.*, repeated.source_id is not null as is_told,
                   sum(case when is_overlapping then 0 else 1 end) over (
                       partition by person_id
                       order by admission_time, discharge_time, stay.source_id, stay.source_row
                   ) as island
            from stay
            left join (select distinct source_id, source_row from page_repeat where is_violating) as repeated
                on stay.source_id = repeated.source_id and stay.source_row = repeated.source_row
        ),
        overlap as (
            select {kept}, 'hqms_18_overlapping_stay' as rule_id, is_overlapping and not is_told as is_violating,
                   bool_or(is_overlapping and not is_told) over (partition by person_id, island) as is_group,
                   min(source_id || ' ' || source_row) over (partition by person_id, island) as group_id
            from told
        ),
        reset as (
            select {kept}, 'hqms_18_count_reset' as rule_id,
                   place > 1 and admission_count = 1 and not is_told as is_violating,
                   bool_or(place > 1 and admission_count = 1 and not is_told) over (
                       partition by person_id, organisation_id
                   ) as is_group,
                   min(source_id || ' ' || source_row) over (partition by person_id, organisation_id) as group_id
            from told
        )
        select {kept}, rule_id, group_id, is_violating from overlap where is_group
        union all
        select {kept}, rule_id, group_id, is_violating from reset where is_group;

        create temp table repeat as
        select * from page_repeat union all select * from person_repeat
        """
    )


def repeats_of(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[Fault]]:
    """Per hospital and month: each of its rows in a group, with the group's number and the other rows of it."""
    groups: dict[tuple[str, str], list[tuple[str, str, str, str, int]]] = defaultdict(list)
    rows = connection.execute(
        "select rule_id, group_id, organisation_id, month, path, layout, source_row from repeat "
        "order by rule_id, group_id, organisation_id, path, source_row"
    ).fetchall()
    for rule_id, group_id, *row in rows:
        groups[rule_id, group_id].append(tuple(row))
    rules = {rule.rule_id: rule for rule in load_rules(RULES)}
    found: dict[tuple[str, str], list[Fault]] = defaultdict(list)
    numbers: dict[str, int] = defaultdict(int)
    for (rule_id, _), members in groups.items():
        rule = rules[rule_id]
        for hospital in dict.fromkeys(member[0] for member in members):
            numbers[hospital] += 1
            for organisation_id, month, path, _, line in members:
                if organisation_id == hospital:
                    told = _others(members, hospital)
                    fault = Fault(path, line, "", rule_id, "整行", rule.title_zh, told, rule.title_zh, rule.remedy_zh)
                    found[hospital, month].append(fault.in_group(numbers[hospital]))
    return found


def _others(members: list[tuple[str, str, str, str, int]], hospital: str) -> str:
    own = [f"{path} 第 {line} 行" for organisation_id, _, path, _, line in members if organisation_id == hospital]
    elsewhere = len(members) - len(own)
    return "；".join([f"共 {len(members)} 行", *own, *([f"其他机构 {elsewhere} 行"] if elsewhere else [])])
