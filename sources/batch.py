"""One batch of files of one layout, from carriers to Parquet, quarantine files and receipts.

Belongs here: the steps that DuckDB runs for a batch.  Does not belong here: which files are due
(:mod:`sources.landing`), what a column means (:mod:`sources.expressions`).

Files are landed in batches because planning 642 columns costs more than landing 400 rows.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sources import hqms
from sources.connectors import CsvFacts, FileRefused, open_carrier
from sources.connectors.carrier import month_in_name
from sources.contract import Contract, contracts_digest, load_contracts
from sources.expressions import (
    address_heads,
    faults_sql,
    landed_types,
    list_columns,
    organisation_text,
    own_columns,
    parse,
    quote,
    text_of,
)
from sources.intake import InboxFile
from sources.privacy import key_id, pseudonymiser
from sources.residence import load_division_tables, postcode_sql, resolve_heads

if TYPE_CHECKING:
    import duckdb

_REFUSED_SHARE = 0.5  # of the rows outside the month of the file's name: above it the name is wrong, not the rows
_MAX_LINE_BYTES = 16 << 20


@dataclass(frozen=True)
class Batch:
    """Files of one layout that are landed by the same SQL: planning 642 columns costs more than 400 rows."""

    home: Path
    files: list[InboxFile]
    key: bytes
    threads: int
    memory_limit: str


def method_of(key: bytes) -> str:
    """What decides a file's landed form besides its bytes: contracts and landing code, and the pseudonym key."""
    return f"{contracts_digest()[:16]}-{key_id(key)}"


def receipt_path(home: Path, sha256: str) -> Path:
    return home / "receipts" / f"{sha256}.json"


@dataclass
class _Member:
    """One file of a batch on its way: the CSV it became (or the Parquet it is), what was found, its receipt."""

    file: InboxFile
    receipt: dict[str, Any]
    number: int = 0
    table: Path = Path()
    header: list[str] = field(default_factory=list)
    bad_lines: list[int] = field(default_factory=list)
    month: str | None = None

    @property
    def is_parquet(self) -> bool:
        return self.receipt.get("carrier") == "parquet"

    def refuse(self, refusal: FileRefused) -> None:
        self.receipt["refused"] = {"code": refusal.code, "message": refusal.message}


def land_batch(batch: Batch) -> list[dict[str, Any]]:
    """Land the files of a batch; each gets a receipt, a refused one too."""
    work = batch.home / "work"
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work, prefix="landing-") as folder:
        members = [_decode(batch, item, number, Path(folder)) for number, item in enumerate(batch.files)]
        by_form: dict[tuple[bool, *tuple[str, ...]], list[_Member]] = {}
        for member in members:
            if not member.receipt["refused"]:
                by_form.setdefault((member.is_parquet, *member.header), []).append(member)
        for alike in by_form.values():
            _convert_apart(batch, alike, Path(folder))
    for member in members:
        write_json(receipt_path(batch.home, member.file.sha256), member.receipt)
    return [member.receipt for member in members]


def _decode(batch: Batch, item: InboxFile, number: int, folder: Path) -> _Member:
    source = {"path": item.path, "bytes": item.bytes, "sha256": item.sha256, "sm3": item.sm3}
    method = method_of(batch.key)
    receipt: dict[str, Any] = {
        "dataset": item.dataset,
        "layout": item.layout,
        "method": method,
        "source": source,
        "refused": None,
    }
    member = _Member(item, receipt, number, folder / f"{number}.csv")
    contract = load_contracts()[str(item.layout)]
    path = batch.home / "inbox" / item.path
    try:
        carrier = open_carrier(path)
        if carrier.write_csv is None:
            facts, member.table = CsvFacts("utf-8", "parquet"), path
        else:
            facts = carrier.write_csv(member.table)
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


def _convert_apart(batch: Batch, members: list[_Member], work: Path) -> None:
    """Land files together; where DuckDB cannot read one of them, each alone, so that the others go on."""
    import duckdb

    try:
        _convert(batch, members, work)
    except duckdb.InvalidInputException:
        # its text quotes the line that it stumbled over, so none of it is passed on
        if len(members) == 1:
            members[0].refuse(FileRefused("unreadable_rows", "文件无法按 CSV 解析（引号或换行错乱）。请重新导出。"))
            return
        for member in members:
            _convert_apart(batch, [member], work)


def _convert(batch: Batch, members: list[_Member], work: Path) -> None:
    import duckdb

    contract = load_contracts()[str(members[0].file.layout)]
    con = duckdb.connect(
        config={
            "threads": batch.threads,
            "memory_limit": batch.memory_limit,
            "temp_directory": str(work / "spill"),
        }
    )
    try:
        con.execute("set enable_progress_bar = false")  # it would draw into logs and pipes
        _register_pseudonyms(con, batch.key)
        _register_members(con, members)
        _parse_rows(con, contract, members)
        _number_lines(con, members)
        _stage(con, contract)
        _split(con, contract)
        _write_outputs(con, batch.home, contract, members)
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
    from duckdb.func import PythonUDFType

    def vectorised(domain: str) -> Callable[[Any], Any]:
        pseudonyms = pseudonymiser(key, domain)
        return lambda texts: pa.array(pseudonyms(texts.to_pylist()), pa.string())

    for domain in ("patient", "person"):
        con.create_function(f"{domain}_pseudonym", vectorised(domain), ["VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW)


def _register_members(con: duckdb.DuckDBPyConnection, members: list[_Member]) -> None:
    con.execute("create temp table member (file_no integer, path varchar, file_month varchar)")
    con.execute("create temp table bad_line (file_no integer, source_row integer)")
    # literals: binding parameters makes DuckDB import pandas, two seconds for every worker
    rows = [f"({m.number}, {quote(str(m.table))}, {quote(m.month) if m.month else 'null'})" for m in members]
    con.execute(f"insert into member values {', '.join(rows)}")
    if bad := [f"({m.number}, {line})" for m in members for line in m.bad_lines if line > 1]:
        con.execute(f"insert into bad_line values {', '.join(bad)}")


def _parse_rows(con: duckdb.DuckDBPyConnection, contract: Contract, members: list[_Member]) -> None:
    """Temp table ``parsed``: one typed row per row read, in reading order ``rn``, with its ``faults`` if any.

    Addresses are kept as heads only (:func:`sources.residence.head_sql`); all other identifiers end here.
    """
    header = members[0].header
    columns = {name.upper(): f"c{n}" for n, name in enumerate(header, 1) if name}  # safe in SQL whatever the header
    head = [parse(item, columns, "s_") for item in contract.fields if item.use != "drop" or item.role]
    list_sql, list_values = list_columns(contract, columns)
    used = {p.field.source.upper() for p in head} | {(p.field.hour or "").upper() for p in head}
    cleaned = [f"{text_of(columns[name])} as s_{columns[name]}" for name in sorted(used) if name in columns]
    typed = [f"{p.value} as {p.field.name}" for p in head if p.field.use == "keep"]
    if number := contract.pseudonymised:
        text = next(p.text for p in head if p.field is number)
        typed.append(f"patient_pseudonym({organisation_text(contract, columns)} || '|' || {text}) as patient_id")
    roles = [p for p in head if p.field.role]
    typed += [f"{p.value if p.field.type == 'datetime' else p.text} as role_{p.field.role}" for p in roles]
    any_fault, details = faults_sql(contract, head)
    con.execute(
        f"""
        create temp table parsed as
        with
        source as (select row_number() over () as rn, * from {_reader(members)}),
        cleaned as (
            select {", ".join(["rn", "file_no", "file_month", *cleaned, *list_sql])}
            from source join member on source.filename = member.path
        ),
        typed as (select {", ".join(["*", *typed, *list_values])} from cleaned)
        select
            {", ".join(["rn", "file_no", *own_columns(contract), *address_heads(contract)])},
            case when {any_fault} then list_filter([{", ".join(details)}], lambda x: x is not null) end as faults
        from typed
        """
    )


def _reader(members: list[_Member]) -> str:
    """The files as one relation: a text column ``c1`` … for each column of the header, and ``filename``."""
    header = members[0].header
    paths = ", ".join(quote(str(member.table)) for member in members)
    if members[0].is_parquet:
        names = ", ".join([f"c{n}" for n in range(1, len(header) + 1)] + ["filename"])
        return f"read_parquet([{paths}], filename = true, hive_partitioning = false) as file ({names})"
    types = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(1, len(header) + 1))
    return (
        f"read_csv([{paths}], columns = {{{types}}}, header = true, auto_detect = false, filename = true, "
        "delim = ',', quote = '\"', escape = '\"', nullstr = ['', '-'], strict_mode = true, null_padding = false, "
        f"max_line_size = {_MAX_LINE_BYTES}, store_rejects = true, rejects_limit = 0)"
    )


def _number_lines(con: duckdb.DuckDBPyConnection, members: list[_Member]) -> None:
    """View ``numbered``: ``parsed`` with ``source_row``, the line in the received file (the header is line 1).

    Rows whose width differs from the header's are not read but listed in ``reject`` (file_no, line); the i-th of a
    file stands behind the (line - 1 - i)-th row that was read and shifts the lines after it.
    """
    rejects = "reject_errors e join reject_scans s using (scan_id, file_id) join member on member.path = s.file_path"
    if members[0].is_parquet:  # its rows cannot be ragged, and DuckDB has no such tables then
        rejects = "(select 0 as file_no, 0 as line limit 0)"
    con.execute(
        f"""
        create temp table reject as
        select distinct file_no, line::bigint as line from {rejects};

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
    select = ["file_no", "source_row", f"{quote(contract.layout)} as layout", "faults"]
    joins, divisions = "", {}
    if contract.dataset == "hqms_front_page":
        load_division_tables(con)
        texts = " union all ".join(f"select head_{role} as head from parsed" for role in hqms.ADDRESS_ROLES)
        resolve_heads(con, texts, "division_of")
        con.execute(
            "create temp table postcode_of as "
            f"select postcode, {postcode_sql('postcode')} as division from (select distinct postcode from parsed)"
        )
        joins = " ".join(
            f"left join division_of as {role}_of on {role}_of.head = head_{role}" for role in hqms.ADDRESS_ROLES
        )
        joins += " left join postcode_of using (postcode)"
        divisions = hqms.division_sql()
    own = contract.landed_types() | (dict.fromkeys(hqms.derived_sql()) if divisions else {})
    for name, kind in landed_types(contract.dataset).items():
        if name not in ("source_id", "source_row", "layout"):
            select.append(f"({divisions.get(name, name if name in own else 'null')})::{kind} as {name}")
    con.execute(f"create temp view stage as select {', '.join(select)} from numbered {joins}")


def _split(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """From ``stage`` the table ``fault`` (one row per fault of a row) and the table ``good`` (what lands).

    No value of a quarantined row is kept: the row is found again by its line in the received file.
    """
    landed = landed_types(contract.dataset)
    organisation = "coalesce(organisation_id, '')" if "organisation_id" in landed else "''"
    month = f"strftime({contract.partition}, '%Y-%m')" if contract.partition else "null::varchar"
    pseudonym = contract.pseudonymised
    key_source = next(
        f.source
        for f in contract.fields
        if f.name == contract.key[0] or (contract.key[0] == "patient_id" and f is pseudonym)
    )
    con.execute(
        f"""
        create temp table duplicate as
        select file_no, source_row from (
            select file_no, source_row,
                   row_number() over (partition by {", ".join(["file_no", *contract.key])} order by source_row) as nth
            from stage anti join bad_line using (file_no, source_row) where faults is null
        ) where nth > 1;

        create temp table good as
        select stage.* exclude (faults), coalesce({month}, 'all') as landed_month
        from stage anti join duplicate using (file_no, source_row) anti join bad_line using (file_no, source_row)
        where faults is null;

        create temp table fault as
        select file_no, source_row, {organisation} as organisation_id, coalesce({month}, '') as month,
               f.field, f.reason, f.value_class, nth
        from (select *, unnest(faults) as f, generate_subscripts(faults, 1) as nth from stage where faults is not null)
        union all
        select file_no, source_row, {organisation}, coalesce({month}, ''), {quote(key_source)}, 'duplicate_key',
               'other', 1
        from stage semi join duplicate using (file_no, source_row)
        union all
        select file_no, source_row, '', '', '', 'bad_encoding', 'other', 0 from bad_line
        union all
        select file_no, line::integer, '', '', '', 'ragged_row', 'other', 1 from reject
        """
    )


def _write_outputs(con: duckdb.DuckDBPyConnection, home: Path, contract: Contract, members: list[_Member]) -> None:
    """Parquet files, quarantine files and the counts of the receipts.

    Counts are taken for the whole batch at once; only the files themselves are written one by one.
    """
    slices = _by_file(con, _slices_query(contract))
    faults = _by_file(
        con,
        "select file_no, field, reason, value_class, count(*)::integer as rows, min(source_row) as first_row "
        "from fault group by all order by all",
    )
    quarantined = _by_file(
        con,
        "select file_no, organisation_id, month, field, reason, count(*)::integer as rows from ("
        "select file_no, source_row, min_by(organisation_id, nth) as organisation_id, min_by(month, nth) as month, "
        "min_by(field, nth) as field, min_by(reason, nth) as reason from fault group by all) group by all order by all",
    )
    for member in members:
        landed = _sum_rows(slices[member.number])
        held_back = _sum_rows(quarantined[member.number])
        try:
            _refuse_unfit(member, landed + held_back, faults[member.number])
        except FileRefused as refusal:
            member.refuse(refusal)
            continue
        outputs = _write_landed(
            con, home, contract, member, sorted({item.pop("landed_month") for item in slices[member.number]})
        )
        _write_quarantine(con, home, contract, member, held_back)
        member.receipt |= {
            "rows": {"read": landed + held_back, "landed": landed, "quarantined": held_back},
            "quarantine": faults[member.number],
            "quarantine_rows": quarantined[member.number],
            "slices": slices[member.number],
            "outputs": outputs,
        }


def _refuse_unfit(member: _Member, rows: int, faults: list[dict[str, Any]]) -> None:
    if not rows:
        raise FileRefused("empty_file", "文件只有表头，没有数据行。若该月确无数据，请勿上传空文件。")
    outside = _sum_rows([fault for fault in faults if fault["reason"] == "outside_file_month"])
    if outside > _REFUSED_SHARE * rows:
        raise FileRefused(
            "month_mismatch",
            f"文件名的月份是 {member.month}，但 {rows} 行中有 {outside} 行的出院时间不在该月。"
            "请核对文件名或导出的时间范围。",
        )


def _write_landed(
    con: duckdb.DuckDBPyConnection, home: Path, contract: Contract, member: _Member, months: list[str]
) -> list[dict[str, Any]]:
    outputs = []
    source = member.file.source_id
    for month in months:
        target = home / "landing" / contract.dataset / f"month={month}" / f"{source}.parquet"
        _copy(
            con,
            f"select {quote(source)} as source_id, * exclude (file_no, landed_month) from good "
            f"where file_no = {member.number} and landed_month = {quote(month)} "
            f"order by {', '.join(contract.key)}, source_row",
            target,
        )
        outputs.append({"path": target.relative_to(home).as_posix()})
    return outputs


def _write_quarantine(
    con: duckdb.DuckDBPyConnection, home: Path, contract: Contract, member: _Member, held_back: int
) -> None:
    target = home / "quarantine" / contract.dataset / f"{member.file.source_id}.parquet"
    (home / "quarantine").mkdir(mode=0o700, exist_ok=True)
    if not held_back:
        target.unlink(missing_ok=True)
        return
    _copy(
        con,
        f"select {quote(member.file.source_id)} as source_id, source_row, organisation_id, month, field, reason, "
        f"value_class from fault where file_no = {member.number} order by source_row, nth",
        target,
    )
    target.chmod(0o600)


def _slices_query(contract: Contract) -> str:
    """The slices of readers' data that each file supplies: the values of ``replaces_by``, and the rows."""
    columns = [
        "landed_month" if name == "month" and contract.partition else f"coalesce({name}::varchar, '')"
        for name in contract.replaces_by
    ]
    organisation = "organisation_id" if "organisation_id" in landed_types(contract.dataset) else "''"
    month = "landed_month" if contract.partition else "''"
    return (
        f"select file_no, [{', '.join(columns)}]::varchar[] as slice, coalesce({organisation}, '') as organisation_id, "
        f"{month} as month, landed_month, count(*)::integer as rows from good group by all order by all"
    )


def _by_file(con: duckdb.DuckDBPyConnection, query: str) -> defaultdict[int, list[dict[str, Any]]]:
    """Rows of a query as dictionaries, by their first column ``file_no``."""
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description or []][1:]
    result: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for number, *row in cursor.fetchall():
        result[number].append(dict(zip(names, row, strict=True)))
    return result


def _sum_rows(items: list[dict[str, Any]]) -> int:
    return sum(int(item["rows"]) for item in items)


def _copy(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    con.execute(f"copy ({query}) to {quote(str(temporary))} (format parquet, compression zstd)")
    with temporary.open("rb") as file:
        os.fsync(file.fileno())  # the receipt, which makes it count, is durable too
    temporary.replace(target)


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all: to a neighbour first, flushed, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, sort_keys=True, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
