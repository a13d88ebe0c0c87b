"""What must hold of a package before it is imported, and what its owner should look at.

Belongs here: one check per kind of fault, as a query over the tables of a package that gives row and value.  Does not
belong here: reading (:mod:`sources.scheme.package`).

An error would make the grouping wrong or undecided; a warning is something that an owner can mean, but rarely does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sources.expressions import icd
from sources.scheme.package import Fault, Package
from sources.scheme.tables import (
    CODE_KINDS,
    DIAGNOSIS_ROLES,
    LIST_ROLES,
    OTHER_ROLES,
    PACKAGE,
    PROCEDURE_ROLES,
    Column,
    File,
)


@dataclass(frozen=True)
class Check:
    """``query`` gives (row, value) per fault; ``fault`` and ``remedy`` are Chinese sentences without their stop."""

    level: Literal["error", "warning"]
    table: str
    field: str
    query: str
    fault: str
    remedy: str


def find_faults(package: Package) -> list[Fault]:
    """Every fault of a package, errors first, each group in the order of the format's files.

    A package that cannot be read as its format says is judged no further: all else would follow from that.
    """
    if package.faults:
        return package.faults
    faults = [fault for check in _checks() if (fault := _run(package, check))]
    place = {file.name: number for number, file in enumerate(PACKAGE)}
    return sorted(faults, key=lambda fault: (fault.level, place[fault.file]))


def _run(package: Package, check: Check) -> Fault | None:
    found = package.con.execute(f"select row, value from ({check.query}) order by all").fetchall()
    if not found:
        return None
    return Fault(
        check.level,
        f"{check.table}.csv",
        check.fault,
        check.remedy,
        check.field,
        tuple(row for row, _ in found if row is not None),
        tuple(str(value) for _, value in found if value is not None),
    )


def _checks() -> Iterator[Check]:
    for file in PACKAGE:
        for column in file.columns:
            yield from _column_checks(file, column)
        if file.key:
            yield _key_check(file)
    yield from _REFERENCES
    yield from _RULES


# --------------------------------------------------------------------------------------------- cells, keys, references

_TYPES_ZH = {
    "name": "只能用字母、数字、点和下划线，以字母或数字开头",
    "whole": "应为不带符号的整数",
    "decimal": "应为十进制数，至多八位小数",
    "date": "应为 YYYY-MM-DD 的日期",
    "flag": "应为 1 或 0",
}


def _column_checks(file: File, column: Column) -> Iterator[Check]:
    table, name = file.table, column.name
    if column.required:
        query = f"select row, null as value from received.{table} where {name} is null"
        yield Check("error", table, name, query, "必填项为空", "请填写")
    if column.choices or column.kind in _TYPES_ZH:
        query = (
            f"select row, received.{name} as value from received.{table} as received"
            f" inner join main.{table} as typed using (row) where received.{name} is not null and typed.{name} is null"
        )
        expected = f"只能是 {'、'.join(column.choices)}" if column.choices else _TYPES_ZH[column.kind]
        yield Check("error", table, name, query, expected, "请改正")
    if column.least:
        query = f"select row, {name} as value from main.{table} where {name} < {column.least}"
        yield Check("error", table, name, query, f"应不小于 {column.least}", "请改正")
    if column.most is not None:
        query = f"select row, {name} as value from main.{table} where {name} > {column.most}"
        yield Check("error", table, name, query, f"应不大于 {column.most}", "请改正，或清空以不设上下限")
    if column.kind == "code":
        # codes are compared as text with those of the front pages, which landing brings into the national form
        query = (
            f"select row, {name} as value from main.{table}"
            f" where {name} <> {icd(name)} or not regexp_full_match({name}, '[!-~]+')"
        )
        yield Check(
            "warning",
            table,
            name,
            query,
            "编码写法与病案首页不同，永远不会匹配",
            "请用大写字母和小写 x，不含空格和全角字符，如 I10.x00",
        )


def _key_check(file: File) -> Check:
    key = ", ".join(file.key)
    values = " || ' ' || ".join(file.key)
    query = (
        f"select row, {values} as value from main.{file.table}"
        f" qualify count(*) over (partition by {key}) > 1 and {values} is not null"
    )
    return Check("error", file.table, key, query, "重复", "请只留一行")


def _without(table: str, key: str, other: str, other_key: str = "") -> str:
    """Rows whose key the other table does not have; NULL is no key, and `not in` must not meet one on either side."""
    other_key = other_key or key
    there = f"select {other_key} from {other} where {other_key} <> ''"
    return f"select row, {key} as value from {table} where {key} <> '' and {key} not in ({there})"


def _reference(table: str, key: str, to_table: str) -> Check:
    query = _without(table, key, to_table)
    return Check("error", table, key, query, f"不在 {to_table}.csv 中", f"请改正，或在 {to_table}.csv 补上")


_REFERENCES = (
    _reference("mdc_diagnosis", "mdc", "mdc"),
    _reference("adrg", "mdc", "mdc"),
    _reference("adrg_condition", "adrg", "adrg"),
    _reference("adrg_condition", "list_id", "code_list"),
    _reference("drg", "adrg", "adrg"),
    _reference("weight", "drg", "drg"),
)


# ------------------------------------------------------------------------------------------------------------ the rules


def _among(texts: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{text}'" for text in texts) + ")"


def _tie(table: str, within: str) -> str:
    return (
        f"select row, concat_ws(' ', {within}) as value from {table}"
        f" qualify count(*) over (partition by {within}) > 1 and priority is not null"
    )


# the DRGs of an ADRG by what they are for; a level takes the first that exists: mcc → mcc, cc, any; cc → cc, any;
# none → none, any
_SEVERITIES = """
select
    adrg,
    min(row) as row,
    bool_or(severity = 'mcc') as mcc,
    bool_or(severity = 'cc') as cc,
    bool_or(severity = 'none') as none,
    bool_or(severity = 'any') as "any",
    min(row) filter (where severity = 'any') as any_row
from drg
group by adrg
"""

# alternatives of one row without bounds: whatever meets such a row never reaches a later ADRG of the MDC that asks
# for the same with a list that is no wider
_SHADOWED = """
with condition as (
    select
        adrg.row,
        adrg.mdc,
        adrg.adrg,
        adrg.priority,
        adrg_condition.alternative,
        adrg_condition.role,
        adrg_condition.list_id,
        count(*) over (partition by adrg.adrg, adrg_condition.alternative) = 1
        and coalesce(
            adrg_condition.age_days_max, adrg_condition.weight_g_min, adrg_condition.weight_g_below
        ) is null as is_wide
    from adrg_condition
    inner join adrg on adrg_condition.adrg = adrg.adrg
),

pair as (
    select
        late.row,
        late.adrg,
        late.alternative,
        early.adrg as early_adrg,
        early.role,
        late.list_id,
        early.list_id as early_list_id
    from condition as late
    inner join condition as early
        on
            late.mdc = early.mdc and late.priority > early.priority and early.is_wide
            and early.role in (late.role, replace(late.role, 'principal_', 'any_'), 'none')
),

list_pair as (
    select distinct list_id, early_list_id from pair where early_list_id is not null and list_id <> early_list_id
),

member as (select distinct list_id, code from code_list where code is not null),

narrower as (
    select list_pair.list_id, list_pair.early_list_id
    from list_pair
    inner join member on list_pair.list_id = member.list_id
    left join member as early_member
        on list_pair.early_list_id = early_member.list_id and member.code = early_member.code
    group by all
    having count(*) = count(early_member.code)
),

shadowed as (
    select pair.row, pair.adrg, pair.alternative, min(pair.early_adrg) as early_adrg
    from pair
    left join narrower on pair.list_id = narrower.list_id and pair.early_list_id = narrower.early_list_id
    where pair.early_list_id is null or pair.list_id = pair.early_list_id or narrower.list_id is not null
    group by all
)

select row, adrg || ' 被 ' || string_agg(distinct early_adrg, '、' order by early_adrg) || ' 挡住' as value
from shadowed
group by row, adrg
having count(*) = (
    select count(distinct adrg_condition.alternative) from adrg_condition where adrg_condition.adrg = shadowed.adrg
)
"""


def _outside(table: str, field: str, kind: str, condition: str = "true") -> Check:
    """Codes that the edition's own code table does not have, where the package brings one."""
    source = "used_map" if table == "code_map" else table
    known = f"(from edition_code where kind = '{kind}')"
    query = f"{_without(source, field, known, 'code')} and {condition} and (select count(*) > 0 from edition_code)"
    word = "诊断" if kind == "diagnosis" else "手术操作"
    remedy = "请核对编码的版本；病案里不会有这样的编码"
    return Check("warning", table, field, query, f"不在本方案{word}编码版本（edition_code.csv）中", remedy)


def _lists_of(roles: tuple[str, ...]) -> str:
    return f"list_id in (select list_id from adrg_condition where role in {_among(roles)})"


_RULES = (
    Check(
        "error",
        "scheme",
        "",
        "select null as row, count(*) as value from scheme having count(*) <> 1",
        "应恰有一行",
        "一个方案包是一个版本，请分开存放",
    ),
    Check(
        "error",
        "scheme",
        "effective_to",
        "select row, effective_to as value from scheme where effective_to <= effective_from",
        "失效日期不晚于生效日期",
        "失效日期是不再使用的第一天，请改正或留空",
    ),
    *(
        Check(
            "error",
            table,
            "",
            f"select null as row, null as value from {table} having count(*) = 0",
            "没有数据行",
            "请补上",
        )
        for table in ("mdc", "adrg", "drg")
    ),
    Check("error", "mdc", "priority", _tie("mdc", "priority"), "优先级相同，先后不定", "请给每个 MDC 不同的优先级"),
    Check(
        "error",
        "adrg",
        "priority",
        _tie("adrg", "mdc, priority"),
        "同一 MDC 内优先级相同，先后不定",
        "请给每个 ADRG 不同的优先级",
    ),
    Check(
        "error",
        "adrg",
        "adrg",
        _without("adrg", "adrg", "adrg_condition"),
        "没有任何入组条件，永远不会入组",
        "请在 adrg_condition.csv 补上",
    ),
    Check(
        "error",
        "adrg",
        "adrg",
        _without("adrg", "adrg", "drg"),
        "没有 DRG，其病例全部不能入组",
        "请在 drg.csv 补上",
    ),
    Check(
        "error",
        "adrg_condition",
        "list_id",
        f"select row, role as value from adrg_condition where role in {_among(LIST_ROLES)} and list_id is null",
        "此 role 须有列表",
        "请填写 list_id",
    ),
    Check(
        "error",
        "adrg_condition",
        "list_id",
        f"select row, role as value from adrg_condition where role in {_among(OTHER_ROLES)} and list_id is not null",
        "此 role 不用列表",
        "请清空 list_id，或改正 role",
    ),
    Check(
        "error",
        "adrg_condition",
        "weight_g_below",
        "select row, weight_g_below as value from adrg_condition where weight_g_min >= weight_g_below",
        "体重上限不大于下限，永远不成立",
        "请改正；下限含，上限不含",
    ),
    Check(
        "error",
        "drg",
        "severity",
        "select row, adrg || ' ' || severity as value from drg"
        " qualify count(*) over (partition by adrg, severity) > 1 and severity is not null and adrg is not null",
        "同一 ADRG 的同一严重程度有多个 DRG",
        "请只留一个",
    ),
    Check(
        "error",
        "drg",
        "severity",
        f'select any_row as row, adrg as value from ({_SEVERITIES}) where "any" and cc and none',
        "any 永远轮不到：cc 和 none 已包括全部病例",
        "请删去，或改正 severity",
    ),
    Check(
        "error",
        "weight",
        "weight",
        "select row, weight::varchar as value from weight where weight <= 0",
        "权重应大于零",
        "请改正",
    ),
    Check(
        "error",
        "code_map",
        "from_code",
        "select row, kind || ' ' || from_code as value from used_map"
        " qualify min(to_code) over (partition by kind, from_code) <> max(to_code) over (partition by kind, from_code)",
        "一个旧代码对应多个新代码",
        "请只留一个；多对一可以，一对多不可以",
    ),
    Check(
        "error",
        "edition_code",
        "kind",
        f"select null as row, unnest({list(CODE_KINDS)}) as value where (select count(*) > 0 from edition_code)"
        " except select null, kind from edition_code",
        "缺少这一类编码",
        "请列出两个编码版本的全部编码，或不交此文件",
    ),
    # --- warnings: gaps and what is never reached
    Check(
        "warning",
        "drg",
        "severity",
        f"""
        select
            row,
            adrg || ' 缺 ' || concat_ws('、',
                case when not (mcc or cc or "any") then 'mcc' end,
                case when not (cc or "any") then 'cc' end,
                case when not (none or "any") then 'none' end
            ) as value
        from ({_SEVERITIES})
        where not "any" and not (cc and none)
        """,
        "严重程度有缺口，落在其中的病例不能入组",
        "请确认是否有意",
    ),
    Check(
        "warning",
        "mdc",
        "mdc",
        _without("mdc", "mdc", "adrg"),
        "没有 ADRG",
        "请确认是否漏了",
    ),
    Check(
        "warning",
        "mdc",
        "min_body_regions",
        "select row, mdc as value from mdc where min_body_regions > ("
        "select count(distinct body_region) from mdc_diagnosis where mdc_diagnosis.mdc = mdc.mdc)",
        "mdc_diagnosis.csv 中此 MDC 的部位不够多，永远不会进入",
        "请补上 body_region，或改正",
    ),
    Check(
        "warning",
        "code_list",
        "list_id",
        "select min(row) as row, list_id as value from code_list group by list_id having count(code) = 0",
        "列表没有成员，用到它的条件永远不成立",
        "请确认是否有意",
    ),
    Check(
        "warning",
        "code_list",
        "list_id",
        f"select min(row) as row, value from ({_without('code_list', 'list_id', 'adrg_condition')}) group by value",
        "没有条件用到此列表",
        "请确认是否漏了条件",
    ),
    Check(
        "warning",
        "adrg_condition",
        "list_id",
        """
        select adrg_condition.row, adrg.adrg || ' 第 ' || alternative || ' 组' as value
        from adrg_condition
        inner join adrg on adrg_condition.adrg = adrg.adrg
        where
            role = 'principal_diagnosis'
            and adrg.mdc in (select mdc from mdc_diagnosis)
            and list_id in (select list_id from code_list where code is not null)
            and not exists (
                select * from code_list
                inner join mdc_diagnosis on code_list.code = mdc_diagnosis.code
                where code_list.list_id = adrg_condition.list_id and mdc_diagnosis.mdc = adrg.mdc
            )
        """,
        "列表中没有一个诊断能进入此 ADRG 的 MDC，此组条件永远不成立",
        "请核对列表或 MDC",
    ),
    Check(
        "warning",
        "adrg",
        "adrg",
        _SHADOWED,
        "凡符合其条件的病例都先归入同一 MDC 的另一 ADRG",
        "请核对优先级和列表",
    ),
    # --- warnings: complications and exclusions
    Check(
        "warning",
        "cc",
        "code",
        "select row, code as value from cc where code in (select code from mcc)",
        "同时在 mcc.csv 中，两行各自计算",
        "请确认是否有意",
    ),
    *(
        Check(
            "warning",
            table,
            "exclusion_table",
            _without(table, "exclusion_table", "exclusion"),
            "排除表在 exclusion.csv 中没有内容，永远不会排除",
            "请补上，或清空",
        )
        for table in ("mcc", "cc")
    ),
    Check(
        "warning",
        "exclusion",
        "exclusion_table",
        _without("exclusion", "exclusion_table", "(from mcc union all from cc)"),
        "mcc.csv 和 cc.csv 都没有用到此排除表",
        "请核对表号",
    ),
    Check(
        "warning",
        "exclusion",
        "principal_code",
        _without("exclusion", "principal_code", "mdc_diagnosis", "code"),
        "此主要诊断不能进入任何 MDC，永远不会用到",
        "请核对编码",
    ),
    # --- warnings: the crosswalk, and codes outside the editions
    Check(
        "warning",
        "code_map",
        "to_edition",
        "select row, to_edition as value from code_map where row not in (select row from used_map)",
        "不是本方案的编码版本，此行不会用到",
        "请核对版本名称",
    ),
    Check(
        "warning",
        "code_map",
        "from_code",
        "select row, from_code as value from used_map where (kind, from_code) in (select kind, code from known_code)",
        "方案已认识此代码，不会再对照",
        "请确认是否有意",
    ),
    _outside("mdc_diagnosis", "code", "diagnosis"),
    _outside("code_list", "code", "diagnosis", _lists_of(DIAGNOSIS_ROLES)),
    _outside("mcc", "code", "diagnosis"),
    _outside("cc", "code", "diagnosis"),
    _outside("exclusion", "principal_code", "diagnosis"),
    _outside("code_map", "to_code", "diagnosis", "kind = 'diagnosis'"),
    _outside("code_list", "code", "procedure", _lists_of(PROCEDURE_ROLES)),
    _outside("valid_procedure", "code", "procedure"),
    _outside("code_map", "to_code", "procedure", "kind = 'procedure'"),
    Check(
        "warning",
        "code_list",
        "code",
        f"{_without('code_list', 'code', 'valid_procedure')} and {_lists_of(PROCEDURE_ROLES)}",
        "列表中的手术操作不在 valid_procedure.csv 中",
        "请确认是否有意：它能符合条件，却不算有效手术操作",
    ),
)
