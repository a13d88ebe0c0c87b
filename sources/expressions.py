"""A contract as SQL: how each source text becomes a typed value, and which texts are faults.

Belongs here: one SQL expression per field and per repeated group, nothing that runs.  Does not belong here: reading
files and writing Parquet (:mod:`sources.batch`), derivations from identifiers (:mod:`sources.hqms`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from sources import hqms
from sources.connectors.cells import ABSENT, Slots
from sources.contract import REFERENCE_DIR, Contract, ContractField, contracts_of
from sources.residence import head_sql

NO_CODE = "非编码"
OUTSIDE = "outside_file_month"
_LONGEST_ICD = 16  # bytes: A00.000x001 with marks behind it is shorter, an identity number is longer


@dataclass(frozen=True)
class Parsed:
    """A field as SQL: the cleaned text, what is read from it, the typed value, the faults as (reason, condition).

    The value names the reading, and the faults name the value, because DuckDB computes what stands inside a CASE or an
    OR as often as it is written there.
    """

    field: ContractField
    text: str
    reading: str | None
    value: str
    faults: list[tuple[str, str]]


def _reading_name(item: ContractField) -> str:
    return f"read_{item.name}"


def parse(item: ContractField, columns: Mapping[str, str]) -> Parsed:
    """Conversion and faults of one field; ``columns`` names the cleaned text in scope of each source column."""
    text = columns.get(item.source.upper(), "null::varchar")
    value, reason = _conversion(item, text, columns)
    faults: list[tuple[str, str]] = []
    if item.required:
        faults.append(("required_missing", f"{text} is null"))
    if reason:
        faults.append((reason, f"{text} is not null and {item.name} is null"))
    elif item.type in ("text", "code", "icd", "department"):
        # the number of bytes, which is known, keeps nearly all texts from being counted
        faults.append(("too_long", f"strlen({text}) > {item.max_length} and length({text}) > {item.max_length}"))
        if item.checked and item.code_list:
            codes = ", ".join(quote(code) for code in code_list(item.code_list))
            faults.append(("not_in_code_list", f"{text} not in ({codes})"))
    return Parsed(item, text, _reading(item, text), value, faults)


def typed_query(head: list[Parsed], relation: str, more: Iterable[str] = ()) -> str:
    """A query of all columns of a relation, the typed values of the fields, and ``more``."""
    readings = [f"{p.reading} as {_reading_name(p.field)}" for p in head if p.reading]
    values = [f"{p.value} as {p.field.name}" for p in head if p.field.use == "keep"]
    read = f"(select {', '.join(['*', *readings])} from {relation})"
    return f"select {', '.join(['*', *values, *more])} from {read}"


def _reading(item: ContractField, text: str) -> str | None:
    """What several parts of the value are made of."""
    if item.map:
        return None
    match item.type:
        case "integer" | "year" | "amount_yuan":
            return f"try_cast({_plain_number(text)} as decimal(14, 4))"
        case "department":
            return f"nullif(regexp_replace({text}, '[^0-9]', '', 'g'), '')"
    return None


def _conversion(item: ContractField, text: str, columns: Mapping[str, str]) -> tuple[str, str | None]:
    if item.map:
        whens = " ".join(f"when {quote(k)} then {quote(v)}" for k, v in item.map.items())
        known = ", ".join(quote(v) for v in dict.fromkeys(item.map.values()))
        return f"case {text} {whens} else case when {text} in ({known}) then {text} end end", "not_in_code_list"
    read = _reading_name(item)
    match item.type:
        case "integer" | "year":
            whole = f"case when {read} % 1 = 0 then try_cast({read} as integer) end"
            if item.type == "integer":
                return whole, "not_integer"
            return f"case when {read} between 1900 and 2199 then {whole} end", "not_year"
        case "decimal":
            return f"try_cast({_plain_number(text)} as {item.sql_type})", "not_decimal"
        case "amount_yuan":
            return f"case when ({read} * 100) % 1 = 0 then ({read} * 100)::bigint end", "not_amount"
        case "datetime":
            moment = _datetime(text)
            if item.hour and (hour := columns.get(item.hour.upper())):
                given = f"try_cast({hour} as integer)"
                added = f"case when {given} between 0 and 23 then {moment} + to_hours({given}) end"
                moment = f"case when {hour} is null then {moment} else {added} end"
            return moment, "not_datetime"
        case "date":
            return f"{_datetime(text)}::date", "not_date"
        case "month":
            parsed = f"try_strptime({text}, ['%Y-%m', '%Y%m', '%Y/%m', '%Y年%m月', '%Y-%m-%d'])"
            return f"strftime({parsed}, '%Y-%m')", "not_month"
        case "flag":
            return flag(text), "not_flag"
        case "code_set":
            parts = f"list_transform(regexp_split_to_array({text}, '[；;、,，|]'), lambda x: trim(x))"
            return f"list_filter({parts}, lambda x: x <> '')", None
        case "department":
            return _department(text, read), None
        case "icd":
            return icd(text), None
    return text, None


def _plain_number(text: str) -> str:
    """The text, or NULL where DuckDB would read a spreadsheet's 1.23E+05, whose digits are lost, or 1_000."""
    return f"case when not (contains({text}, 'E') or contains({text}, 'e') or contains({text}, '_')) then {text} end"


def _datetime(text: str) -> str:
    """A moment; the words that DuckDB takes for one (``epoch``, ``infinity``) are none: a date begins with a digit."""
    formats = (
        "['%Y%m%d', '%Y%m%d%H%M%S', '%Y%m%d%H%M', '%Y-%m-%d %H:%M', '%Y/%m/%d %H:%M', '%Y-%m-%d %H', '%Y年%m月%d日']"
    )
    moment = f"coalesce(try_cast({text} as timestamp), try_strptime({text}, {formats}))"
    return f"case when {text} between '0' and ':' then {moment} end"


def flag(text: str) -> str:
    """Yes and no in the spellings that occur; NULL for anything else."""
    return (
        f"case when upper({text}) in ('1', '是', '有', 'Y', 'TRUE') then true "
        f"when upper({text}) in ('0', '否', '无', 'N', 'FALSE') then false end"
    )


def icd(text: str) -> str:
    """A diagnosis or operation code in the national form: capitals, but a lower-case x inside (``I10.x00``).

    What cannot be a code, by its length or its script, might be a name: only that something stood there is kept.
    """
    code = f"(upper(left({text}, 1)) || replace(upper(substr({text}, 2)), 'X', 'x'))"
    is_wide = f"strlen({text}) <> length({text}) and not contains({text}, '†')"
    return f"case when strlen({text}) > {_LONGEST_ICD} or {is_wide} then '{NO_CODE}' else {code} end"


def _department(text: str, digits: str) -> str:
    """The digits of a department code, leading zero restored: ``A03.04``, ``03.04`` and ``304`` are all ``0304``.

    A third-level code belongs to its second-level one; longer internal codes stay as they are and find no specialty.
    """
    return (
        f"case length({digits}) when 1 then '0' || {digits} when 3 then '0' || {digits} "
        f"when 6 then left({digits}, 4) else coalesce({digits}, {text}) end"
    )


def value_class(text: str) -> str:
    """What kind of text was found, never the text itself."""
    return (
        f"case when {text} is null then 'empty' when length({text}) > 200 then 'too_long' "
        f"when regexp_full_match({text}, '[0-9]+') then 'digits' "
        f"when regexp_full_match({text}, '-[0-9.]+') then 'negative' "
        f"when regexp_full_match({text}, '[0-9]*[.][0-9]*') then 'decimal' "
        f"when regexp_full_match({text}, '[0-9]{{2,4}}[-/.年][0-9]{{1,2}}.*') then 'date_like' "
        f"when regexp_matches({text}, '[^ -~]') then 'text' when regexp_matches({text}, '[A-Za-z]') then 'text' "
        "else 'other' end"
    )


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@cache
def code_list(list_id: str) -> tuple[str, ...]:
    """Codes of one list of ``sources/reference/code_lists.csv``, in file order."""
    with (REFERENCE_DIR / "code_lists.csv").open(encoding="utf-8", newline="") as file:
        codes = tuple(row["code"] for row in csv.DictReader(file) if row["list_id"] == list_id)
    if not codes:
        raise ValueError(f"code list {list_id} is empty")
    return codes


def landed_types(dataset: str) -> dict[str, str]:
    """Landed columns of a dataset over all its layouts → DuckDB type, with ``source_id`` and ``source_row`` first."""
    types = {"source_id": "VARCHAR", "source_row": "INTEGER", "layout": "VARCHAR"}
    for contract in contracts_of(dataset):
        for name, sql_type in contract.landed_types().items():
            types.setdefault(name, sql_type)
    if dataset == "hqms_front_page":
        types.update(hqms.DERIVED)
    return types


@dataclass(frozen=True)
class Faults:
    """The faults of a layout as SQL: the condition that a row has any, and for the rows that have, which ones.

    ``numbers`` is the list of those a row has, ``meanings`` are the rows (number, field, reason, place of its cell),
    and ``texts`` names the cells, from which the numbers are found.
    """

    any: str
    cells: str
    texts: str
    numbers: str
    meanings: str


def faults_sql(contract: Contract, head: list[Parsed], columns: Mapping[str, str]) -> Faults:
    """The faults of all fields; ``columns`` names the cleaned text in scope of each source column."""
    found = [(p.field.source, *fault) for p in head for fault in p.faults if p.field.use != "drop"]
    if contract.partition:
        source = next(f.source for f in contract.fields if f.name == contract.partition)
        outside = f"year({contract.partition}) * 100 + month({contract.partition}) <> nullif(file_month, 0)"
        found.append((source, OUTSIDE, outside))
    place = {name: n for n, name in enumerate(columns, 1)}
    return Faults(
        any=" or ".join(f"({condition})" for *_, condition in found),
        cells=f"[{', '.join(columns.values())}]",
        texts=", ".join(f"cells[{place[name]}] as {column}" for name, column in columns.items()),
        numbers=", ".join(f"case when {condition} then {n} end" for n, (*_, condition) in enumerate(found)),
        meanings=", ".join(
            f"({n}, {quote(source)}, {quote(reason)}, {place.get(source.upper(), 'null')})"
            for n, (source, reason, _) in enumerate(found)
        ),
    )


def row_key(contract: Contract) -> str:
    """What tells a row from all others, whichever file it comes in; NULL where a part of its key is missing."""
    parts = [f"{name}::varchar" for name in contract.key]
    return "md5(" + " || '|' || ".join(parts) + ")"


def organisation_text(contract: Contract, columns: Mapping[str, str]) -> str:
    organisation = next(f for f in contract.fields if f.name == "organisation_id")
    return columns[organisation.source.upper()]


def raw(name: str) -> str:
    """The texts of which a landed list is made."""
    return f"raw_{name}"


def slots(contract: Contract, position: Mapping[str, int]) -> list[Slots]:
    """Where the slots of the repeated groups lie in a file; ``position`` is that of each source column."""
    result = []
    for group in contract.lists:
        present = [slot for slot in group.slot_columns if slot["code"].upper() in position]
        lists = {key: [position.get(slot.get(key, "").upper(), ABSENT) for slot in present] for key in group.columns}
        names = {key: raw(column.name) for key, column in group.columns.items()}
        shown = {key for key, column in group.columns.items() if column.type == "presence"}
        result.append(
            Slots(
                code=lists["code"],
                texts={names[key]: columns for key, columns in lists.items() if key not in shown},
                presence={names[key]: columns for key, columns in lists.items() if key in shown},
                principal=group.principal and bool(present) and present[0] == group.slot_columns[0],
            )
        )
    return result


def list_values(contract: Contract) -> list[str]:
    """The landed lists of the repeated groups."""
    values = []
    for group in contract.lists:
        for column in group.columns.values():
            element = _list_element(column.type)
            texts = raw(column.name)
            values.append(
                f"{texts if element == 'x' else f'list_transform({texts}, lambda x: {element})'} as {column.name}"
            )
    return values


def _list_element(kind: str) -> str:
    match kind:
        case "date":
            return f"{_datetime('x')}::date"
        case "flag":
            return flag("x")
        case "icd":
            return icd("x")
    return "x"


def own_columns(contract: Contract) -> list[str]:
    derived = hqms.derived_sql() if contract.dataset == "hqms_front_page" else {}
    own = contract.landed_types()
    return [
        f"({derived.get(name, name)})::{kind} as {name}"
        for name, kind in landed_types(contract.dataset).items()
        if name in own or name in derived
    ]


def address_heads(contract: Contract) -> list[str]:
    if contract.dataset != "hqms_front_page":
        return []
    texts = [f"{head_sql(f'role_{role}')} as head_{role}" for role in hqms.ADDRESS_ROLES]
    return [*texts, "left(role_postcode, 6) as postcode"]
