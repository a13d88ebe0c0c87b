"""The grouper as a reader of the scheme would do it: one record at a time, each rule where the format names it.

A second opinion, written from the description of the format alone; the product groups all records at once in SQL and
must come to the same results. Belongs here: a scheme's tables as they stand in its files, and what becomes of one case.
Not here: checks of a scheme, or the drawing of schemes and cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Tables = Mapping[str, Sequence[Mapping[str, str]]]

REASONS = {
    "principal_outside_scheme": "主要诊断不在分组方案内",
    "sex_conflict": "性别与主要诊断所属 MDC 不符",
    "age_conflict": "年龄与分组条件不符",
    "weight_conflict": "体重与分组条件不符",
    "no_adrg": "没有符合条件的 ADRG",
    "no_drg": "所属 ADRG 没有对应此严重程度的 DRG",
}
# which DRGs of an ADRG a record may fall into, the first that exists; None: the ADRG is not divided
CHOICES = {"mcc": ("mcc", "cc", "any"), "cc": ("cc", "any"), "none": ("none", "any"), None: ("any",)}


@dataclass(frozen=True)
class Case:
    """What a front page tells the grouper."""

    diagnoses: Sequence[str | None] | None
    operations: Sequence[str | None] | None = ()
    sex: str | None = None
    age_years: int | None = None
    age_days: int | None = None
    weight_g: int | None = None


@dataclass(frozen=True)
class Result:
    """What the grouper answers, with the sentence that explains it."""

    mdc: str | None = None
    adrg: str | None = None
    alternative: int | None = None
    drg_code: str | None = None
    complication_level: str | None = None
    complication_code: str | None = None
    excluded_codes: tuple[str, ...] = ()
    ungrouped_reason: str | None = None
    trace_zh: str = ""


# ------------------------------------------------------------------------------------------------ scheme


@dataclass(frozen=True)
class Condition:
    """One row of an alternative."""

    role: str
    codes: frozenset[str]
    age_days_max: int | None
    weight_g_min: int | None
    weight_g_below: int | None


@dataclass(frozen=True)
class Adrg:
    adrg: str
    name: str
    alternatives: Mapping[int, Sequence[Condition]]
    drgs: Mapping[str, tuple[str, str]]
    """severity -> (DRG, its name)"""

    @property
    def is_divided(self) -> bool:
        return not self.drgs.keys().isdisjoint(("mcc", "cc", "none"))


@dataclass(frozen=True)
class Mdc:
    mdc: str
    name: str
    sex: str
    age_days_max: int | None
    age_years_max: int | None
    min_body_regions: int | None
    requires_valid_procedure: bool
    regions: Mapping[str, frozenset[str]]
    """diagnosis that opens the MDC -> its regions of the body"""
    adrgs: Sequence[Adrg]


@dataclass(frozen=True)
class Scheme:
    """An edition of a scheme, everything in the order in which it is evaluated."""

    mdcs: Sequence[Mdc]
    valid_procedures: frozenset[str]
    complications: Mapping[str, Mapping[str, str]]
    """level -> code -> its exclusion table"""
    exclusions: frozenset[tuple[str, str]]
    """(principal diagnosis, exclusion table)"""
    crosswalk: Mapping[str, Mapping[str, str]]
    """kind -> code unknown to the edition -> the code that it is read as"""

    @staticmethod
    def from_tables(tables: Tables) -> Scheme:
        """From the rows of the package's files, as text."""
        regions: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in tables.get("mdc_diagnosis", []):
            regions[row["mdc"]][row["code"]].update({row["body_region"]} - {""})
        adrgs = defaultdict(list)
        for row, adrg in _adrgs(tables):
            adrgs[row["mdc"]].append(adrg)
        return Scheme(
            mdcs=[
                Mdc(
                    mdc=row["mdc"],
                    name=row["name_zh"],
                    sex=row["sex"],
                    age_days_max=_number(row["age_days_max"]),
                    age_years_max=_number(row["age_years_max"]),
                    min_body_regions=_number(row["min_body_regions"]),
                    requires_valid_procedure=row["requires_valid_procedure"] == "1",
                    regions={code: frozenset(found) for code, found in regions[row["mdc"]].items()},
                    adrgs=adrgs[row["mdc"]],
                )
                for row in _by_priority(tables["mdc"])
            ],
            valid_procedures=frozenset(row["code"] for row in tables.get("valid_procedure", [])),
            complications={
                level: {row["code"]: row["exclusion_table"] for row in tables.get(level, [])} for level in ("mcc", "cc")
            },
            exclusions=frozenset(
                (row["principal_code"], row["exclusion_table"]) for row in tables.get("exclusion", [])
            ),
            crosswalk=_crosswalk(tables),
        )


def _number(text: str) -> int | None:
    return int(text) if text else None


def _by_priority(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    return sorted(rows, key=lambda row: int(row["priority"]))


def _adrgs(tables: Tables) -> list[tuple[Mapping[str, str], Adrg]]:
    """Each row of adrg.csv by ascending priority, with its conditions and groups."""
    lists = defaultdict(set)
    for row in tables.get("code_list", []):
        lists[row["list_id"]].add(row["code"])
    alternatives: dict[str, dict[int, list[Condition]]] = defaultdict(lambda: defaultdict(list))
    for row in sorted(tables["adrg_condition"], key=lambda row: int(row["alternative"])):
        alternatives[row["adrg"]][int(row["alternative"])].append(
            Condition(
                role=row["role"],
                codes=frozenset(lists[row["list_id"]]),
                age_days_max=_number(row["age_days_max"]),
                weight_g_min=_number(row["weight_g_min"]),
                weight_g_below=_number(row["weight_g_below"]),
            )
        )
    drgs: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for row in tables["drg"]:
        drgs[row["adrg"]][row["severity"]] = (row["drg"], row["name_zh"])
    return [
        (row, Adrg(row["adrg"], row["name_zh"], alternatives[row["adrg"]], drgs[row["adrg"]]))
        for row in _by_priority(tables["adrg"])
    ]


def _crosswalk(tables: Tables) -> dict[str, dict[str, str]]:
    """How codes that the edition does not know are read, by kind."""
    code_map, edition_code = tables.get("code_map", []), tables.get("edition_code", [])
    named = {
        row[column]
        for table, column in (
            *(("mdc_diagnosis", "code"), ("code_list", "code"), ("valid_procedure", "code"), ("mcc", "code")),
            *(("cc", "code"), ("exclusion", "principal_code"), ("code_map", "to_code")),
        )
        for row in tables.get(table, [])
    }
    (scheme,) = tables["scheme"]
    crosswalk = {}
    for kind in ("diagnosis", "procedure"):
        known = {row["code"] for row in edition_code if row["kind"] == kind} if edition_code else named
        crosswalk[kind] = {
            row["from_code"]: row["to_code"]
            for row in code_map
            if row["kind"] == kind and row["to_edition"] == scheme[f"{kind}_edition"] and row["from_code"] not in known
        }
    return crosswalk


# ------------------------------------------------------------------------------------------------ case


@dataclass(frozen=True)
class Reading:
    """A case with its principal diagnosis and procedure told from the others, in the codes of the edition."""

    case: Case
    principal: str
    secondary: Sequence[str]
    """distinct, by first position, without the principal diagnosis"""
    first_procedure: str | None
    procedures: frozenset[str]
    diagnoses: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "diagnoses", frozenset((self.principal, *self.secondary)))


def _read(scheme: Scheme, case: Case) -> Reading | None:
    """None where the principal diagnosis is missing; elsewhere an empty element is no element."""
    if not case.diagnoses or not case.diagnoses[0]:
        return None
    diagnoses, procedures = (
        [scheme.crosswalk[kind].get(code, code) for code in codes if code]
        for kind, codes in (("diagnosis", case.diagnoses), ("procedure", case.operations or ()))
    )
    principal = diagnoses[0]
    return Reading(
        case=case,
        principal=principal,
        secondary=[code for code in dict.fromkeys(diagnoses) if code != principal],
        first_procedure=procedures[0] if procedures else None,
        procedures=frozenset(procedures),
    )


def _age_in_days_holds(case: Case, most: int | None) -> bool:
    return most is None or (not case.age_years and case.age_days is not None and case.age_days <= most)


def _age_in_years_holds(case: Case, most: int | None) -> bool:
    if most is None:
        return True
    # an age in days is an age below one year
    return case.age_days is not None if case.age_years is None else case.age_years <= most


def _weight_holds(case: Case, least: int | None, below: int | None) -> bool:
    if least is None and below is None:
        return True
    if case.weight_g is None:
        return False
    return (least is None or least <= case.weight_g) and (below is None or case.weight_g < below)


# ------------------------------------------------------------------------------------------------ grouping


def _lists(mdc: Mdc, reading: Reading) -> bool:
    return reading.principal in mdc.regions


def _sex_holds(mdc: Mdc, reading: Reading) -> bool:
    return mdc.sex in ("", reading.case.sex)


def _age_holds(mdc: Mdc, reading: Reading) -> bool:
    return _age_in_days_holds(reading.case, mdc.age_days_max) and _age_in_years_holds(reading.case, mdc.age_years_max)


def _opens(scheme: Scheme, mdc: Mdc, reading: Reading) -> bool:
    if mdc.regions and not _lists(mdc, reading):
        return False
    if not _sex_holds(mdc, reading) or not _age_holds(mdc, reading):
        return False
    if mdc.requires_valid_procedure and reading.procedures.isdisjoint(scheme.valid_procedures):
        return False
    if mdc.min_body_regions is None:
        return True
    regions = {region for code in reading.diagnoses for region in mdc.regions.get(code, ())}
    return len(regions) >= mdc.min_body_regions


def _role_holds(scheme: Scheme, condition: Condition, reading: Reading) -> bool:
    match condition.role:
        case "principal_diagnosis":
            return reading.principal in condition.codes
        case "any_diagnosis":
            return not reading.diagnoses.isdisjoint(condition.codes)
        case "principal_procedure":
            return reading.first_procedure in condition.codes
        case "any_procedure":
            return not reading.procedures.isdisjoint(condition.codes)
        case "any_valid_procedure":
            return not reading.procedures.isdisjoint(scheme.valid_procedures)
        case "first_valid_procedure":
            return reading.first_procedure in scheme.valid_procedures
        case "no_valid_procedure":
            return reading.procedures.isdisjoint(scheme.valid_procedures)
        case "none":
            return True
    raise ValueError(condition.role)


def _roles_hold(scheme: Scheme, conditions: Sequence[Condition], reading: Reading) -> bool:
    return all(_role_holds(scheme, condition, reading) for condition in conditions)


def _weights_hold(conditions: Sequence[Condition], reading: Reading) -> bool:
    return all(_weight_holds(reading.case, each.weight_g_min, each.weight_g_below) for each in conditions)


def _ages_hold(conditions: Sequence[Condition], reading: Reading) -> bool:
    return all(_age_in_days_holds(reading.case, each.age_days_max) for each in conditions)


def _complication(scheme: Scheme, reading: Reading) -> tuple[str, str | None, tuple[str, ...]]:
    """(level, the diagnosis that decides it, diagnoses with a row that the principal diagnosis excludes)."""
    first: dict[str, str] = {}
    excluded: dict[str, None] = {}
    for code in reading.secondary:
        for level, tables in scheme.complications.items():
            if code in tables:
                if (reading.principal, tables[code]) in scheme.exclusions:
                    excluded[code] = None
                else:
                    first.setdefault(level, code)
    level = "mcc" if "mcc" in first else "cc" if "cc" in first else "none"
    return level, first.get(level), tuple(excluded)


def _reason_without_adrg(scheme: Scheme, opened: Sequence[Mdc], reading: Reading) -> str:
    listing = [mdc for mdc in scheme.mdcs if _lists(mdc, reading)]
    if not listing:
        return "principal_outside_scheme"
    if not any(_lists(mdc, reading) for mdc in opened):
        if not all(_sex_holds(mdc, reading) for mdc in listing):
            return "sex_conflict"
        return "no_adrg" if all(_age_holds(mdc, reading) for mdc in listing) else "age_conflict"
    near = [
        conditions
        for mdc in opened
        for adrg in mdc.adrgs
        for conditions in adrg.alternatives.values()
        if _roles_hold(scheme, conditions, reading)
    ]
    if not all(_weights_hold(conditions, reading) for conditions in near):
        return "weight_conflict"
    return "no_adrg" if all(_ages_hold(conditions, reading) for conditions in near) else "age_conflict"


def group(scheme: Scheme, case: Case) -> Result:
    """The group of one case, or why it has none."""
    reading = _read(scheme, case)
    if reading is None:
        return Result(ungrouped_reason="principal_missing", trace_zh="缺主要诊断，不能入组。")
    opened = [mdc for mdc in scheme.mdcs if _opens(scheme, mdc, reading)]
    for mdc in opened:
        for adrg in mdc.adrgs:
            for alternative, conditions in adrg.alternatives.items():
                if (
                    _roles_hold(scheme, conditions, reading)
                    and _weights_hold(conditions, reading)
                    and _ages_hold(conditions, reading)
                ):
                    return _in_adrg(scheme, mdc, adrg, alternative, reading)
    return _without_adrg(scheme, opened, reading)


def _in_adrg(scheme: Scheme, mdc: Mdc, adrg: Adrg, alternative: int, reading: Reading) -> Result:
    level, deciding, excluded = _complication(scheme, reading) if adrg.is_divided else (None, None, ())
    drg, drg_name = next((adrg.drgs[severity] for severity in CHOICES[level] if severity in adrg.drgs), (None, ""))
    reason = "no_drg" if drg is None else None
    trace = [
        f"主要诊断 {reading.principal} 进入 MDC{mdc.mdc}{_in_brackets(mdc.name)}",
        f"符合 ADRG {adrg.adrg}{_in_brackets(adrg.name)}第 {alternative} 组条件",
    ]
    if level == "mcc":
        trace.append(f"次要诊断 {deciding} 为严重并发症或合并症")
    elif level == "cc":
        trace.append(f"次要诊断 {deciding} 为一般并发症或合并症")
    elif level == "none":
        trace.append("无计入的并发症或合并症")
    if excluded:
        trace.append(f"因主要诊断排除 {'、'.join(excluded)}")
    trace.append(f"未入组：{REASONS[reason]}" if reason else f"归入 DRG {drg}{_in_brackets(drg_name)}")
    return Result(mdc.mdc, adrg.adrg, alternative, drg, level, deciding, excluded, reason, _sentence(trace))


def _without_adrg(scheme: Scheme, opened: Sequence[Mdc], reading: Reading) -> Result:
    reason = _reason_without_adrg(scheme, opened, reading)
    mdc = next((mdc for mdc in opened if _lists(mdc, reading)), None)
    entry = f"进入 MDC{mdc.mdc}{_in_brackets(mdc.name)}" if mdc else "不能进入任何 MDC"
    trace = [f"主要诊断 {reading.principal} {entry}", f"未入组：{REASONS[reason]}"]
    return Result(mdc=mdc.mdc if mdc else None, ungrouped_reason=reason, trace_zh=_sentence(trace))


def _in_brackets(name: str) -> str:
    return f"（{name}）" if name else ""


def _sentence(parts: Sequence[str]) -> str:
    return "；".join(parts) + "。"
