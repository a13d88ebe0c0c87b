"""Landing: one pass from a received file to typed, de-identified Parquet, a quarantine file and a receipt.

Belongs here: the SQL that a contract turns into, what quarantines a row, what replaces what.  Does not belong here:
judging values that can be counted (``expectations/``) and anything that looks at more than one file's rows.

A file is landed once.  Its output is a pure function of its bytes, its name's month, the contracts and the key:
Parquet files named by the source's hash, and last the receipt, which makes the file count.  A run that dies before
the receipt leaves files that the next run writes again with the same bytes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sources import hqms
from sources.connectors import FileRefused, open_carrier
from sources.connectors.carrier import month_in_name
from sources.contract import REFERENCE_DIR, Contract, ContractField, contracts_digest, contracts_of, datasets, load_contracts
from sources.intake import InboxFile, read_journal
from sources.privacy import key_id, pseudonymiser
from sources.residence import head_sql, load_division_tables, postcode_sql, resolve_heads

if TYPE_CHECKING:
    import duckdb

DATASETS: tuple[str, ...] = datasets()

_REFUSED_SHARE = 0.5  # of the rows outside the month of the file's name: above it the name is wrong, not the rows
_MAX_LINE_BYTES = 16 << 20
_BATCH_FILES = 40
_BATCH_BYTES = 96 << 20


@dataclass
class LandingReport:
    """Counts of one landing step; ``messages`` (Chinese) name refused files and what to do."""

    dataset: str
    files_read: int = 0
    files_refused: int = 0
    rows_read: int = 0
    rows_landed: int = 0
    rows_quarantined: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Batch:
    """Files of one layout that are landed by the same SQL: planning 642 columns costs more than 400 rows."""

    home: Path
    files: list[InboxFile]
    key: bytes
    threads: int
    memory_limit: str


# ---------------------------------------------------------------------------------------------- what is to be done


def method_of(key: bytes) -> str:
    """What decides a file's landed form besides its bytes: contracts and landing code, and the pseudonym key."""
    return f"{contracts_digest()[:16]}-{key_id(key)}"


def receipt_path(home: Path, sha256: str) -> Path:
    return home / "receipts" / f"{sha256}.json"


def read_receipts(home: Path) -> list[dict[str, Any]]:
    """All receipts of files that are in the journal, in order of arrival."""
    receipts = []
    for item in read_journal(home):
        path = receipt_path(home, item.sha256)
        if item.dataset and path.exists():
            receipts.append(json.loads(path.read_text("utf-8")))
    return receipts


def pending(home: Path, key: bytes, dataset: str | None = None) -> list[InboxFile]:
    """Recognised files whose receipt is missing or was made by another method (contracts, code or key)."""
    method = method_of(key)
    result = []
    for item in read_journal(home):
        if item.dataset is None or (dataset is not None and item.dataset != dataset):
            continue
        path = receipt_path(home, item.sha256)
        if not path.exists() or json.loads(path.read_text("utf-8"))["method"] != method:
            result.append(item)
    return result


def land(
    home: Path,
    dataset: str,
    *,
    key: bytes,
    workers: int = 1,
    threads: int = 1,
    memory_limit: str = "2GB",
    on_file: Callable[[str], None] | None = None,
) -> LandingReport:
    """Land every pending file of one dataset; a file that cannot be landed does not stop the others."""
    started = time.monotonic()
    report = LandingReport(dataset)
    batches = [
        _Batch(home, files, key, threads, memory_limit) for files in _batches(pending(home, key, dataset), workers)
    ]
    for batch, receipts in zip(batches, _run(batches, workers), strict=True):
        for item, receipt in zip(batch.files, receipts, strict=True):
            _count(report, item, receipt)
            if on_file:
                on_file(item.path)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def _batches(files: list[InboxFile], workers: int) -> Iterator[list[InboxFile]]:
    """Split into runs of one layout that are small enough to share the work and to bound memory."""
    most_files = max(1, min(_BATCH_FILES, -(-len(files) // max(workers, 1))))
    batch: list[InboxFile] = []
    for item in files:
        too_big = sum(f.bytes for f in batch) + item.bytes > _BATCH_BYTES or len(batch) >= most_files
        if batch and (too_big or batch[0].layout != item.layout):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _run(batches: list[_Batch], workers: int) -> Iterable[list[dict[str, Any]]]:
    if workers < 2 or len(batches) < 2:
        yield from map(_land_batch, batches)
        return
    # spawn: the caller may be a Dagster process with threads, which must not be forked
    with ProcessPoolExecutor(min(workers, len(batches)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_land_batch, batches)


def _count(report: LandingReport, item: InboxFile, receipt: dict[str, Any]) -> None:
    report.bytes_read += item.bytes
    if refused := receipt["refused"]:
        report.files_refused += 1
        report.messages.append(f"{item.path}：{refused['message']}")
        return
    rows = receipt["rows"]
    report.files_read += 1
    report.rows_read += rows["read"]
    report.rows_landed += rows["landed"]
    report.rows_quarantined += rows["quarantined"]
    if rows["quarantined"]:
        report.messages.append(f"{item.path}：{describe_quarantine(receipt)}")


def describe_quarantine(receipt: dict[str, Any], most: int = 3) -> str:
    """One Chinese sentence: how many rows were held back, the commonest faults, and what to do."""
    faults = sorted(receipt["quarantine"], key=lambda f: (-f["rows"], f["field"], f["reason"]))
    parts = [
        f"{f['field'] or '整行'} {REASONS_ZH[f['reason']]} {f['rows']} 行（首见第 {f['first_row']} 行）" for f in faults[:most]
    ]
    more = f"，另有 {len(faults) - most} 类" if len(faults) > most else ""
    return f"{receipt['rows']['quarantined']} 行隔离：{'；'.join(parts)}{more}。请按隔离清单修正后重新报送整月。"


REASONS_ZH = {
    "required_missing": "必填项为空",
    "not_integer": "不是整数",
    "not_decimal": "不是数值",
    "not_amount": "不是金额（元，至多两位小数）",
    "not_datetime": "不是日期时间",
    "not_date": "不是日期",
    "not_year": "不是年度",
    "not_month": "不是月份",
    "not_flag": "不是“是/否”",
    "not_in_code_list": "不在值域内",
    "too_long": "超长",
    "duplicate_key": "主键重复",
    "outside_file_month": "出院月份与文件名不符",
    "ragged_row": "列数与表头不符",
    "bad_encoding": "含无法解码的字符",
}


# ---------------------------------------------------------------------------------------------- one batch


@dataclass
class _Member:
    """One file of a batch on its way: the CSV it became, what was found, its receipt."""

    file: InboxFile
    receipt: dict[str, Any]
    number: int = 0
    csv_path: Path = Path()
    header: list[str] = field(default_factory=list)
    bad_lines: list[int] = field(default_factory=list)
    month: str | None = None

    def refuse(self, refusal: FileRefused) -> None:
        self.receipt["refused"] = {"code": refusal.code, "message": refusal.message}


def _land_batch(batch: _Batch) -> list[dict[str, Any]]:
    """Land the files of a batch; each gets a receipt, a refused one too."""
    work = batch.home / "work"
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work, prefix="landing-") as folder:
        members = [_decode(batch, item, number, Path(folder)) for number, item in enumerate(batch.files)]
        by_header: dict[tuple[str, ...], list[_Member]] = {}
        for member in members:
            if not member.receipt["refused"]:
                by_header.setdefault(tuple(member.header), []).append(member)
        for alike in by_header.values():
            _convert(batch, alike, Path(folder))
    for member in members:
        write_json(receipt_path(batch.home, member.file.sha256), member.receipt)
    return [member.receipt for member in members]


def _decode(batch: _Batch, item: InboxFile, number: int, folder: Path) -> _Member:
    source = {"path": item.path, "bytes": item.bytes, "sha256": item.sha256, "sm3": item.sm3}
    method = method_of(batch.key)
    receipt = {"dataset": item.dataset, "layout": item.layout, "method": method, "source": source, "refused": None}
    member = _Member(item, receipt, number, folder / f"{number}.csv")
    contract = load_contracts()[str(item.layout)]
    path = batch.home / "inbox" / item.path
    try:
        carrier = open_carrier(path)
        facts = carrier.write_csv(member.csv_path)
    except FileRefused as refusal:
        member.refuse(refusal)
        return member
    member.header, member.bad_lines = carrier.header, facts.bad_lines
    member.month = month_in_name(contract.file_month, path.name)
    receipt |= {
        "carrier": facts.carrier,
        "encoding": facts.encoding,
        "columns_unknown": sorted(_unknown_columns(contract, carrier.header)),
        "file_month": member.month,
    }
    return member


def _convert(batch: _Batch, members: list[_Member], work: Path) -> None:
    import duckdb

    contract = load_contracts()[str(members[0].file.layout)]
    con = duckdb.connect(
        config={"threads": batch.threads, "memory_limit": batch.memory_limit, "temp_directory": str(work / "spill")}
    )
    try:
        _register_pseudonyms(con, batch.key)
        _register_members(con, members)
        _parse_rows(con, contract, members)
        _number_lines(con)
        _stage(con, contract)
        _split(con, contract)
        for member in members:
            try:
                _write_outputs(con, batch.home, contract, member)
            except FileRefused as refusal:
                member.refuse(refusal)
    finally:
        con.close()


def _unknown_columns(contract: Contract, header: list[str]) -> set[str]:
    known = {f.source.upper() for f in contract.fields} | {(f.hour or "").upper() for f in contract.fields}
    for group in contract.lists:
        known |= {name.upper() for slot in group.slot_columns for name in slot.values()}
        known |= {name.upper() for name in group.dropped}
    return {name for name in header if name.upper() not in known}


def _register_pseudonyms(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """SQL functions ``patient_pseudonym`` and ``person_pseudonym``, evaluated a vector of rows at a time."""
    import pyarrow as pa

    def vectorised(domain: str) -> Callable[[Any], Any]:
        pseudonyms = pseudonymiser(key, domain)
        return lambda texts: pa.array(pseudonyms(texts.to_pylist()), pa.string())

    for domain in ("patient", "person"):
        con.create_function(f"{domain}_pseudonym", vectorised(domain), ["VARCHAR"], "VARCHAR", type="arrow")


# ---------------------------------------------------------------------------------------------- contract → SQL


@dataclass(frozen=True)
class _Parsed:
    """A field as SQL: the cleaned text, the typed value, and the faults as (reason, condition)."""

    field: ContractField
    text: str
    value: str
    faults: list[tuple[str, str]]


def _text(column: str | None) -> str:
    return f"nullif(nullif(trim({column}), ''), '-')" if column else "null::varchar"


def _parse(item: ContractField, columns: dict[str, str], prefix: str) -> _Parsed:
    """Conversion and faults of one field; ``prefix`` names the cleaned text column in scope."""
    text = f"{prefix}{_column(columns, item.source)}" if _column(columns, item.source) else "null::varchar"
    value, reason = _conversion(item, text, columns, prefix)
    faults: list[tuple[str, str]] = []
    if item.required:
        faults.append(("required_missing", f"{text} is null"))
    if reason:
        faults.append((reason, f"{text} is not null and {value} is null"))
    elif item.type in ("text", "code", "icd", "department"):
        faults.append(("too_long", f"length({text}) > {item.max_length}"))
        if item.checked and item.code_list:
            codes = ", ".join(_quote(code) for code in code_list(item.code_list))
            faults.append(("not_in_code_list", f"{text} not in ({codes})"))
    return _Parsed(item, text, value, faults)


def _conversion(item: ContractField, text: str, columns: dict[str, str], prefix: str) -> tuple[str, str | None]:
    if item.map:
        whens = " ".join(f"when {_quote(k)} then {_quote(v)}" for k, v in item.map.items())
        known = ", ".join(_quote(v) for v in dict.fromkeys(item.map.values()))
        return f"case {text} {whens} else case when {text} in ({known}) then {text} end end", "not_in_code_list"
    decimal = f"try_cast({text} as decimal(14, 4))"
    match item.type:
        case "integer" | "year":
            whole = f"case when {decimal} % 1 = 0 then try_cast({decimal} as integer) end"
            if item.type == "integer":
                return whole, "not_integer"
            return f"case when {decimal} between 1900 and 2199 then {whole} end", "not_year"
        case "decimal":
            return f"try_cast({text} as {item.sql_type})", "not_decimal"
        case "amount_yuan":
            return f"case when ({decimal} * 100) % 1 = 0 then ({decimal} * 100)::bigint end", "not_amount"
        case "datetime":
            moment = _datetime(text)
            if item.hour and (hour := _column(columns, item.hour)):
                moment = f"({moment} + to_hours(coalesce(try_cast({prefix}{hour} as integer), 0)))"
            return moment, "not_datetime"
        case "date":
            return f"{_datetime(text)}::date", "not_date"
        case "month":
            parsed = f"try_strptime({text}, ['%Y-%m', '%Y%m', '%Y/%m', '%Y年%m月', '%Y-%m-%d'])"
            return f"strftime({parsed}, '%Y-%m')", "not_month"
        case "flag":
            return (
                f"case when upper({text}) in ('1', '是', '有', 'Y', 'TRUE') then true "
                f"when upper({text}) in ('0', '否', '无', 'N', 'FALSE') then false end",
                "not_flag",
            )
        case "code_set":
            parts = f"list_transform(regexp_split_to_array({text}, '[；;、,，|]'), lambda x: trim(x))"
            return f"list_filter({parts}, lambda x: x <> '')", None
        case "department":
            return _department(text), None
        case "icd":
            return _icd(text), None
    return text, None


def _datetime(text: str) -> str:
    formats = "['%Y%m%d', '%Y%m%d%H%M%S', '%Y%m%d%H%M', '%Y-%m-%d %H:%M', '%Y/%m/%d %H:%M', '%Y-%m-%d %H', '%Y年%m月%d日']"
    return f"coalesce(try_cast({text} as timestamp), try_strptime({text}, {formats}))"


def _icd(text: str) -> str:
    """A diagnosis or operation code in the national form: capitals, but a lower-case x inside (``I10.x00``)."""
    return f"(upper(left({text}, 1)) || replace(upper(substr({text}, 2)), 'X', 'x'))"


def _department(text: str) -> str:
    """Digits of a department code, leading zero restored: ``A03.04``, ``03.04`` and ``304`` are all ``0304``.

    A third-level code belongs to its second-level one; longer internal codes stay as they are and find no specialty.
    """
    digits = f"nullif(regexp_replace({text}, '[^0-9]', '', 'g'), '')"
    return (
        f"case length({digits}) when 1 then '0' || {digits} when 3 then '0' || {digits} "
        f"when 6 then left({digits}, 4) else coalesce({digits}, {text}) end"
    )


def _value_class(text: str) -> str:
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


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column(columns: dict[str, str], source: str) -> str | None:
    return columns.get(source.upper())


@cache
def code_list(list_id: str) -> tuple[str, ...]:
    """Codes of one list of ``sources/reference/code_lists.csv``, in file order."""
    import csv

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


def _register_members(con: duckdb.DuckDBPyConnection, members: list[_Member]) -> None:
    con.execute("create temp table member (file_no integer, path varchar, file_month varchar)")
    con.execute("create temp table bad_line (file_no integer, source_row integer)")
    con.executemany("insert into member values (?, ?, ?)", [[m.number, str(m.csv_path), m.month] for m in members])
    if bad := [[m.number, line] for m in members for line in m.bad_lines]:
        con.executemany("insert into bad_line values (?, ?)", bad)


def _parse_rows(con: duckdb.DuckDBPyConnection, contract: Contract, members: list[_Member]) -> None:
    """Temp table ``parsed``: one typed row per row read, in reading order ``rn``, with its ``faults`` if any.

    Addresses are kept as heads only (:func:`sources.residence.head_sql`); all other identifiers end here.
    """
    header = members[0].header
    columns = {name.upper(): f"c{n}" for n, name in enumerate(header, 1) if name}  # safe in SQL whatever the header
    head = [_parse(item, columns, "s_") for item in contract.fields if item.use != "drop" or item.role]
    list_sql, list_values = _list_columns(contract, columns)
    used = {p.field.source.upper() for p in head} | {(p.field.hour or "").upper() for p in head}
    cleaned = [f"{_text(columns[name])} as s_{columns[name]}" for name in sorted(used) if name in columns]
    typed = [f"{p.value} as {p.field.name}" for p in head if p.field.use == "keep"]
    if number := contract.pseudonymised:
        text = next(p.text for p in head if p.field is number)
        typed.append(f"patient_pseudonym({_keyed(contract, columns)} || '|' || {text}) as patient_id")
    roles = [p for p in head if p.field.role]
    typed += [f"{p.value if p.field.type == 'datetime' else p.text} as role_{p.field.role}" for p in roles]
    any_fault, details = _faults(contract, head)
    types = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(1, len(header) + 1))
    paths = ", ".join(_quote(str(member.csv_path)) for member in members)
    con.execute(
        f"""
        create temp table parsed as
        with
        source as (
            select row_number() over () as rn, *
            from read_csv([{paths}], columns = {{{types}}}, header = true, auto_detect = false, filename = true,
                          delim = ',', quote = '"', escape = '"', nullstr = ['', '-'], strict_mode = true,
                          null_padding = false, max_line_size = {_MAX_LINE_BYTES}, store_rejects = true,
                          rejects_limit = 0)
        ),
        cleaned as (
            select {', '.join(['rn', 'file_no', 'file_month', *cleaned, *list_sql])}
            from source join member on source.filename = member.path
        ),
        typed as (select {', '.join(['*', *typed, *list_values])} from cleaned)
        select
            {', '.join(['rn', 'file_no', *_own_columns(contract), *_heads(contract)])},
            case when {any_fault} then list_filter([{', '.join(details)}], lambda x: x is not null) end as faults
        from typed
        """
    )


def _own_columns(contract: Contract) -> list[str]:
    derived = hqms.derived_sql() if contract.dataset == "hqms_front_page" else {}
    own = contract.landed_types()
    return [
        f"({derived.get(name, name)})::{kind} as {name}"
        for name, kind in landed_types(contract.dataset).items()
        if name in own or name in derived
    ]


def _heads(contract: Contract) -> list[str]:
    if contract.dataset != "hqms_front_page":
        return []
    heads = [f"{head_sql(f'role_{role}')} as head_{role}" for role in hqms.ADDRESS_ROLES]
    return [*heads, "left(role_postcode, 6) as postcode"]


def _number_lines(con: duckdb.DuckDBPyConnection) -> None:
    """View ``numbered``: ``parsed`` with ``source_row``, the line in the received file (the header is line 1).

    Rows whose width differs from the header's are not read but listed in ``reject`` (file_no, line); the i-th of a
    file stands behind the (line - 1 - i)-th row that was read and shifts the lines after it.
    """
    con.execute(
        """
        create temp table reject as
        select distinct file_no, line::bigint as line
        from reject_errors e join reject_scans s using (scan_id, file_id) join member on member.path = s.file_path;

        create temp table shift as
        select file_no, row_number() over w as shift, line - 1 - row_number() over w as after_nth
        from reject window w as (partition by file_no order by line);

        create temp table line as
        select p.rn, p.file_no, (nth + 1 + coalesce(shift, 0))::integer as source_row
        from (select rn, file_no, row_number() over (partition by file_no order by rn) as nth from parsed) p
        asof left join shift s on p.file_no = s.file_no and p.nth > s.after_nth;

        create temp view numbered as
        select parsed.*, source_row from parsed join line using (rn, file_no)
        """
    )


def _stage(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """View ``stage``: the numbered rows with all landed columns, each head resolved once."""
    select = ["file_no", "source_row", f"{_quote(contract.layout)} as layout", "faults"]
    joins, divisions = "", {}
    if contract.dataset == "hqms_front_page":
        load_division_tables(con)
        heads = " union all ".join(f"select head_{role} as head from parsed" for role in hqms.ADDRESS_ROLES)
        resolve_heads(con, heads, "division_of")
        con.execute(
            "create temp table postcode_of as "
            f"select postcode, {postcode_sql('postcode')} as division from (select distinct postcode from parsed)"
        )
        joins = " ".join(
            f"left join division_of as d_{role} on d_{role}.head = head_{role}" for role in hqms.ADDRESS_ROLES
        )
        joins += " left join postcode_of using (postcode)"
        divisions = hqms.division_sql()
        for role in hqms.ADDRESS_ROLES:
            divisions = {n: e.replace(f"division_{role}", f"d_{role}.division") for n, e in divisions.items()}
        divisions = {n: e.replace("postcode_division", "postcode_of.division") for n, e in divisions.items()}
    own = contract.landed_types() | (dict.fromkeys(hqms.derived_sql()) if divisions else {})
    for name, kind in landed_types(contract.dataset).items():
        if name not in ("source_id", "source_row", "layout"):
            select.append(f"({divisions.get(name, name if name in own else 'null')})::{kind} as {name}")
    con.execute(f"create temp view stage as select {', '.join(select)} from numbered {joins}")


def _faults(contract: Contract, head: list[_Parsed]) -> tuple[str, list[str]]:
    """The condition that a row has any fault, and one expression per possible fault for the rows that have."""
    faults = [(p, reason, condition) for p in head if p.field.use != "drop" for reason, condition in p.faults]
    conditions = [condition for _, _, condition in faults]
    details = [
        f"case when {condition} then {_fault(p.field.source, reason, _value_class(p.text))} end"
        for p, reason, condition in faults
    ]
    if contract.partition:
        source = next(f.source for f in contract.fields if f.name == contract.partition)
        outside = f"strftime({contract.partition}, '%Y-%m') <> file_month"
        conditions.append(outside)
        details.append(f"case when {outside} then {_fault(source, 'outside_file_month', _quote('date_like'))} end")
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions), details


def _keyed(contract: Contract, columns: dict[str, str]) -> str:
    organisation = next(f for f in contract.fields if f.name == "organisation_id")
    return f"s_{columns[organisation.source.upper()]}"


def _fault(source: str, reason: str, value_class: str) -> str:
    return f"{{'field': {_quote(source)}, 'reason': {_quote(reason)}, 'value_class': {value_class}}}"


_SLOT, _PART = "\x1e", "\x1f"  # the decoder removes both from every text


def _list_columns(contract: Contract, columns: dict[str, str]) -> tuple[list[str], list[str]]:
    """Per repeated group: the filled slots as one list of texts, and from it the parallel landed lists.

    Joining the slots into one text and splitting it again skips empty slots at a quarter of the cost of a list of
    structs: forty of forty-one slots are usually empty.
    """
    filled, values = [], []
    for group in contract.lists:
        present = [slot for slot in group.slot_columns if slot["code"].upper() in columns]
        keys = [key for key in group.columns if any(slot.get(key, "").upper() in columns for slot in present)]
        slots = [_slot_text(slot, keys, columns) for slot in present]
        if group.principal and present and present[0] == group.slot_columns[0]:
            others = f"concat_ws('{_SLOT}', {', '.join(slots[1:] or ['null'])})"
            empty = _quote(_PART * (len(keys) - 1))
            slots[0] = f"case when {columns[present[0]['code'].upper()]} is null and {others} <> '' then {empty} else {slots[0]} end"
        text = f"concat_ws('{_SLOT}', {', '.join(slots or ['null'])})"
        parts = f"list_transform(string_split(nullif({text}, ''), '{_SLOT}'), lambda x: string_split(x, '{_PART}'))"
        filled.append(f"{parts} as {group.name}")
        for key, column in group.columns.items():
            position = keys.index(key) + 1 if key in keys else 0
            values.append(f"coalesce({_list_value(group.name, position, column.type)}, []) as {column.name}")
    return filled, values


def _slot_text(slot: dict[str, str], keys: list[str], columns: dict[str, str]) -> str:
    """One slot as text: NULL where its code is empty, else code and attributes with separators between."""
    attributes = [f"coalesce({columns.get(slot.get(key, '').upper(), 'null')}, '')" for key in keys[1:]]
    return f" || '{_PART}' || ".join([columns[slot["code"].upper()], *attributes])


def _list_value(group: str, position: int, kind: str) -> str:
    if not position:
        return f"list_transform({group}, lambda x: null)"
    element = f"nullif(nullif(trim(x[{position}]), ''), '-')"
    match kind:
        case "date":
            element = f"{_datetime(element)}::date"
        case "presence":
            element = f"{element} is not null"
        case "flag":
            element = f"case when upper({element}) in ('1', '是', 'Y') then true when upper({element}) in ('0', '否', 'N') then false end"
        case "icd":
            element = _icd(element)
    return f"list_transform({group}, lambda x: {element})"


# ---------------------------------------------------------------------------------------------- outputs


def _split(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """From ``stage`` the table ``fault`` (one row per fault of a row) and the view ``good`` (what lands).

    No value of a quarantined row is kept: the row is found again by its line in the received file.
    """
    landed = landed_types(contract.dataset)
    organisation = "coalesce(organisation_id, '')" if "organisation_id" in landed else "''"
    month = f"strftime({contract.partition}, '%Y-%m')" if contract.partition else "null::varchar"
    pseudonym = contract.pseudonymised
    key_source = next(f.source for f in contract.fields if f.name == contract.key[0] or (
        contract.key[0] == "patient_id" and f is pseudonym))
    con.execute(
        f"""
        create temp table duplicate as
        select file_no, source_row from (
            select file_no, source_row,
                   row_number() over (partition by {', '.join(['file_no', *contract.key])} order by source_row) as nth
            from stage anti join bad_line using (file_no, source_row) where faults is null
        ) where nth > 1;

        create temp view good as
        select stage.* exclude (faults), coalesce({month}, 'all') as landed_month
        from stage anti join duplicate using (file_no, source_row) anti join bad_line using (file_no, source_row)
        where faults is null;

        create temp table fault as
        select file_no, source_row, {organisation} as organisation_id, coalesce({month}, '') as month,
               f.field, f.reason, f.value_class, nth
        from (select *, unnest(faults) as f, generate_subscripts(faults, 1) as nth from stage where faults is not null)
        union all
        select file_no, source_row, {organisation}, coalesce({month}, ''), {_quote(key_source)}, 'duplicate_key',
               'other', 1
        from stage semi join duplicate using (file_no, source_row)
        union all
        select file_no, source_row, '', '', '', 'bad_encoding', 'other', 0 from bad_line
        union all
        select file_no, line::integer, '', '', '', 'ragged_row', 'other', 1 from reject
        """
    )


def _write_outputs(con: duckdb.DuckDBPyConnection, home: Path, contract: Contract, member: _Member) -> None:
    """Parquet files, quarantine file and the counts of the receipt, for one file of the batch."""
    mine, source = f"file_no = {member.number}", member.file.source_id
    months = con.execute(f"select landed_month, count(*) from good where {mine} group by 1 order by 1").fetchall()
    quarantined = _scalar(con, f"select count(distinct source_row) from fault where {mine}")
    landed = sum(rows for _, rows in months)
    if not landed and not quarantined:
        raise FileRefused("empty_file", "文件只有表头，没有数据行。若该月确无数据，请勿上传空文件。")
    _refuse_wrong_month(con, member, landed + quarantined)
    outputs = []
    for name, rows in months:
        target = home / "landing" / contract.dataset / f"month={name}" / f"{source}.parquet"
        _copy(
            con,
            f"select {_quote(source)} as source_id, * exclude (file_no, landed_month) from good "
            f"where {mine} and landed_month = {_quote(name)} order by {', '.join(contract.key)}, source_row",
            target,
        )
        outputs.append({"path": target.relative_to(home).as_posix(), "rows": rows})
    quarantine = home / "quarantine" / contract.dataset / f"{source}.parquet"
    quarantine.unlink(missing_ok=True)
    if quarantined:
        _copy(
            con,
            f"select {_quote(source)} as source_id, source_row, organisation_id, month, field, reason, value_class "
            f"from fault where {mine} order by source_row, nth",
            quarantine,
        )
        quarantine.chmod(0o600)
    member.receipt |= {
        "rows": {"read": landed + quarantined, "landed": landed, "quarantined": quarantined},
        "quarantine": _records(
            con,
            "select field, reason, value_class, count(*)::integer as rows, min(source_row) as first_row "
            f"from fault where {mine} group by all order by field, reason, value_class",
        ),
        "quarantine_rows": _records(
            con,
            "select organisation_id, month, field, reason, count(*)::integer as rows from ("
            "select min_by(organisation_id, nth) as organisation_id, min_by(month, nth) as month, "
            "min_by(field, nth) as field, min_by(reason, nth) as reason "
            f"from fault where {mine} group by source_row) group by all order by all",
        ),
        "slices": _slices(con, contract, mine),
        "outputs": outputs,
    }


def _refuse_wrong_month(con: duckdb.DuckDBPyConnection, member: _Member, rows: int) -> None:
    outside = _scalar(
        con, f"select count(*) from fault where file_no = {member.number} and reason = 'outside_file_month'"
    )
    if outside > _REFUSED_SHARE * rows:
        raise FileRefused(
            "month_mismatch",
            f"文件名的月份是 {member.month}，但 {rows} 行中有 {outside} 行的出院时间不在该月。请核对文件名或导出的时间范围。",
        )


def _slices(con: duckdb.DuckDBPyConnection, contract: Contract, mine: str) -> list[dict[str, Any]]:
    """The slices of readers' data that this file supplies: for each, the values of ``replaces_by`` and the rows."""
    columns = [
        "landed_month" if name == "month" and contract.partition else f"coalesce({name}::varchar, '')"
        for name in contract.replaces_by
    ]
    organisation = "organisation_id" if "organisation_id" in landed_types(contract.dataset) else "''"
    month = "landed_month" if contract.partition else "''"
    rows = con.execute(
        f"select [{', '.join(columns)}]::varchar[] as slice, coalesce({organisation}, '') as organisation_id, "
        f"{month} as month, count(*)::integer as rows from good where {mine} group by all order by all"
    ).fetchall()
    return [{"slice": s, "organisation_id": o, "month": m, "rows": n} for s, o, m, n in rows]


def _copy(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    con.execute(f"copy ({query}) to {_quote(str(temporary))} (format parquet, compression zstd)")
    temporary.replace(target)


def _scalar(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def _records(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all: to a neighbour first, flushed, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, sort_keys=True, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
