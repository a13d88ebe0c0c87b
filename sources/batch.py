"""One batch of files of one layout, from carriers to Parquet, quarantine files and receipts.

Belongs here: the steps that DuckDB runs for a batch.  Does not belong here: which files are due
(:mod:`sources.landing`), what a column means (:mod:`sources.expressions`).

Files are landed in batches because planning 642 columns costs more than landing 400 rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sources import hqms
from sources.connectors import FileRefused, open_carrier
from sources.connectors.carrier import month_in_name
from sources.connectors.cells import Cells, Slots, fixed_texts, record_batch
from sources.contract import Contract, contracts_digest, load_contracts
from sources.databases import journal as pulls
from sources.expressions import (
    OUTSIDE,
    Faults,
    address_heads,
    faults_sql,
    landed_types,
    list_values,
    organisation_text,
    own_columns,
    parse,
    quote,
    row_key,
    slots,
    typed_query,
    value_class,
)
from sources.intake import InboxFile
from sources.outputs import Member, receipt_path, write_json, write_outputs
from sources.privacy import PSEUDONYM_DIGITS, key_id, pseudonymiser
from sources.residence import load_division_tables, postcode_sql, resolve_heads

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_INSERTED = 1_000  # lines in one statement


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


def land_batch(batch: Batch) -> list[dict[str, Any]]:
    """Land the files of a batch; each gets a receipt, a refused one too."""
    members = [_open(batch, item, number) for number, item in enumerate(batch.files)]
    by_header: dict[tuple[str, ...], list[Member]] = {}
    for member in members:
        if member.carrier:
            by_header.setdefault(tuple(member.carrier.header), []).append(member)
    for alike in by_header.values():
        _convert(batch, alike)
    for member in members:
        write_json(receipt_path(batch.home, member.file.sha256), member.receipt)
    return [member.receipt for member in members]


def _open(batch: Batch, item: InboxFile, number: int) -> Member:
    source = {"path": item.path, "bytes": item.bytes, "sha256": item.sha256, "sm3": item.sm3}
    receipt: dict[str, Any] = {
        "dataset": item.dataset,
        "layout": item.layout,
        "method": method_of(batch.key),
        "source": source,
        "refused": None,
    }
    member = Member(item, number, receipt)
    contract = load_contracts()[str(item.layout)]
    path = batch.home / "inbox" / item.path
    try:
        member.carrier = open_carrier(path)
    except FileRefused as refusal:
        member.refuse(refusal)
        return member
    member.month = month_in_name(contract.file_month, path.name)
    if member.carrier.kind == "parquet":
        receipt["pull"] = pulls.find(batch.home, item.sha256)
    receipt |= {
        "carrier": member.carrier.kind,
        "encoding": member.carrier.encoding,
        "columns_unknown": sorted(_unknown_columns(contract, member.carrier.header)),
        "columns_missing": _missing_columns(contract, member.carrier.header),
        "file_month": member.month,
    }
    return member


def _convert(batch: Batch, members: list[Member]) -> None:
    import duckdb

    contract = load_contracts()[str(members[0].file.layout)]
    work = batch.home / "work"
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work, prefix="landing-") as spill:
        con = duckdb.connect(
            config={"threads": batch.threads, "memory_limit": batch.memory_limit, "temp_directory": spill}
        )
        try:
            con.execute("set enable_progress_bar = false")  # it would draw into logs and pipes
            faults = _parse_rows(con, contract, members, batch.key)
            _find_faults(con, contract, members, faults)
            _stage(con, contract)
            write_outputs(con, batch.home, contract, members)
        finally:
            con.close()


def _unknown_columns(contract: Contract, header: list[str]) -> set[str]:
    known = {f.source.upper() for f in contract.fields} | {(f.hour or "").upper() for f in contract.fields}
    for group in contract.lists:
        known |= {name.upper() for slot in group.slot_columns for name in slot.values()}
        known |= {name.upper() for name in group.dropped}
    return {name for name in header if name.upper() not in known}


def _missing_columns(contract: Contract, header: list[str]) -> list[str]:
    """Columns that the interface has and the file has not: their values are taken as empty, which must be said."""
    present = {name.upper() for name in header}
    expected = [f.source for f in contract.fields if (f.use != "drop" or f.role) and not f.extension]
    for group in contract.lists:
        wanted = [key for key, column in group.columns.items() if not column.extension]
        numbered = group.slot_columns
        # a file may have fewer slots than the interface allows, but none with a gap before it
        last = max((n for n, slot in enumerate(numbered, 1) if slot["code"].upper() in present), default=1)
        expected += [slot[key] for slot in numbered[:last] for key in wanted if key in slot]
    return [name for name in expected if name.upper() not in present]


def _parse_rows(con: duckdb.DuckDBPyConnection, contract: Contract, members: list[Member], key: bytes) -> Faults:
    """Temp table ``parsed``: one typed row per record, with its ``cells`` if it has a fault; how to ask those for it.

    Asking every row which faults it has, not only whether, would cost as much as all else.  Cells are a list, which
    takes no room where there is none; a structure would take sixteen bytes a column.

    Addresses are kept as heads only (:func:`sources.residence.head_sql`); all other identifiers end here.
    """
    position = {name.upper(): n for n, name in enumerate(_header(members)) if name}
    head = [item for item in contract.fields if item.use != "drop" or item.role]
    used = {name.upper() for item in head for name in (item.source, item.hour) if name}
    columns = {name: f"c{position[name]}" for name in sorted(used & position.keys())}  # safe in SQL whatever the header
    parsed = [parse(item, columns) for item in head]
    more = ["patient_pseudonym as patient_id"] if contract.pseudonymised else []
    roles = [p for p in parsed if p.field.role]
    more += [f"{p.value if p.field.type == 'datetime' else p.text} as role_{p.field.role}" for p in roles]
    faults = faults_sql(contract, parsed, columns)
    records = _Records(
        members,
        {column: position[name] for name, column in columns.items()},
        slots(contract, position),
        _pseudonyms(contract, columns, key),
    )
    con.register("record", records.stream())
    con.execute(
        f"""
        create temp table parsed as
        with typed as ({typed_query(parsed, "record", [*more, *list_values(contract)])})
        select
            {", ".join(["file_no", "source_row", *own_columns(contract), *address_heads(contract)])},
            {f"strftime({contract.partition}, '%Y-%m')" if contract.partition else "null::varchar"} as landed_month,
            file_month, case when {faults.any} then {faults.cells} end as cells
        from typed
        """
    )
    con.unregister("record")
    if records.failure:
        raise records.failure
    return faults


def _pseudonyms(
    contract: Contract, columns: dict[str, str], key: bytes
) -> dict[str, Callable[[pa.RecordBatch], pa.Array]]:
    """Columns ``patient_pseudonym`` and ``person_pseudonym``, where the layout has what they are made of."""
    roles = {role: columns.get(item.source.upper()) for role, item in contract.roles().items()}

    def texts(batch: pa.RecordBatch, column: str | None) -> list[str | None]:
        return batch[column].to_pylist() if column else [None] * batch.num_rows

    def patient(batch: pa.RecordBatch) -> pa.Array:
        known = zip(texts(batch, organisation), texts(batch, record), strict=True)
        return fixed_texts(of_patient([f"{o}|{r}" if o and r else None for o, r in known]), PSEUDONYM_DIGITS)

    def person(batch: pa.RecordBatch) -> pa.Array:
        numbers = texts(batch, roles.get("identity_number"))
        return fixed_texts(of_person(map(hqms.person_text, numbers)), PSEUDONYM_DIGITS)

    found: dict[str, Callable[[pa.RecordBatch], pa.Array]] = {}
    if number := contract.pseudonymised:
        of_patient = pseudonymiser(key, "patient")
        organisation, record = organisation_text(contract, columns), columns.get(number.source.upper())
        found["patient_pseudonym"] = patient
    if contract.dataset == "hqms_front_page":
        of_person = pseudonymiser(key, "person")
        found["person_pseudonym"] = person
    return found


def _header(members: list[Member]) -> list[str]:
    assert members[0].carrier
    return members[0].carrier.header


@dataclass
class _Records:
    """The records of all files, read while DuckDB asks for them; a file that is refused on the way stops there.

    DuckDB reads the bare Arrow stream in its own threads, all else through the threads of another library.
    """

    members: list[Member]
    columns: dict[str, int]
    groups: list[Slots]
    pseudonyms: dict[str, Callable[[pa.RecordBatch], pa.Array]]
    failure: Exception | None = None

    def stream(self) -> object:
        import pyarrow as pa

        # what no file gives has the same columns
        schema = self._batch(Cells.none(), 0, None).schema
        return pa.RecordBatchReader.from_batches(schema, self._batches()).__arrow_c_stream__()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for member in self.members:
            try:
                for cells in member.carrier.cells() if member.carrier else ():
                    member.unread += cells.unread
                    yield self._batch(cells, member.number, member.month)
            except FileRefused as refusal:
                member.refuse(refusal)
            except Exception as error:  # DuckDB would make it one of its own, with its text
                self.failure = error
                return

    def _batch(self, cells: Cells, number: int, month: str | None) -> pa.RecordBatch:
        constants = {"file_no": number, "file_month": int(month.replace("-", "")) if month else 0}
        found = record_batch(cells, self.columns, self.groups, constants)
        for name, of in self.pseudonyms.items():
            found = found.append_column(name, of(found))
        return found


def _find_faults(con: duckdb.DuckDBPyConnection, contract: Contract, members: list[Member], faults: Faults) -> None:
    """Tables ``duplicate`` and ``fault``, one row per fault of a row.

    No value of a quarantined row is kept: the row is found again by its line in the received file.
    """
    organisation = "coalesce(organisation_id, '')" if "organisation_id" in contract.landed_types() else "''"
    # what tells the rows of an organisation apart
    told_apart = contract.key[min(1, len(contract.key) - 1)]
    key_source = next(
        f.source for f in contract.fields if told_apart in (f.name, f.use == "pseudonymise" and "patient_id")
    )
    key = f"coalesce({row_key(contract)}, '')"
    con.execute("create temp table unread (file_no integer, source_row integer, reason varchar)")
    lost = [f"({m.number}, {line}, {quote(reason)})" for m in members for line, reason in m.unread]
    for some in range(0, len(lost), _INSERTED):
        con.execute(f"insert into unread values {', '.join(lost[some : some + _INSERTED])}")
    con.execute(
        f"""
        create temp table duplicate as
        select file_no, source_row from (
            select file_no, source_row,
                   row_number() over (partition by {", ".join(["file_no", *contract.key])} order by source_row) as nth
            from parsed where cells is null
        ) where nth > 1;

        create temp table faulty as
        select file_no, source_row, {organisation} as organisation, coalesce(landed_month, '') as month, cells,
               {key} as row_key, list_filter([{faults.numbers}], lambda x: x is not null) as numbers
        from (select *, {faults.texts} from parsed where cells is not null);

        create temp table fault as
        select file_no, source_row, organisation as organisation_id, month, field, reason,
               case when reason = '{OUTSIDE}' then 'date_like' else {value_class("text")} end as value_class,
               nth, row_key
        from (
            select *, cells[cell] as text
            from (select *, unnest(numbers) as number, generate_subscripts(numbers, 1) as nth from faulty)
            join (values {faults.meanings}) meaning (number, field, reason, cell) using (number)
        )
        union all
        select file_no, source_row, {organisation}, coalesce(landed_month, ''), {quote(key_source)}, 'duplicate_key',
               'other', 1, {key}
        from parsed semi join duplicate using (file_no, source_row)
        union all
        select file_no, source_row, '', '', '', reason, 'other', 1, '' from unread
        """
    )


def _stage(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Views ``fit``, the rows that land, and ``good``, the same with all landed columns, each head resolved once."""
    select = ["file_no", "landed_month"]
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
    constants = {"source_row": "source_row", "layout": quote(contract.layout)}
    for name, kind in landed_types(contract.dataset).items():
        if name != "source_id":
            value = constants.get(name) or divisions.get(name, name if name in own else "null")
            select.append(f"({value})::{kind} as {name}")
    con.execute(
        f"""
        create temp view fit as
        select * exclude (file_month, cells) replace (coalesce(landed_month, 'all') as landed_month)
        from parsed anti join duplicate using (file_no, source_row) where cells is null;

        create temp view good as select {", ".join(select)} from fit {joins}
        """
    )
