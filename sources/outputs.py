"""What a batch leaves behind: a Parquet file per source file and month, quarantine files, the counts of receipts.

Belongs here: names, order and writing of these files, and refusing a file for what was counted in it.  Does not belong
here: how rows are read and judged (:mod:`sources.batch`).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources.connectors import Carrier, FileRefused
from sources.contract import Contract
from sources.expressions import OUTSIDE, landed_types, quote
from sources.intake import InboxFile

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_REFUSED_SHARE = 0.5  # of the rows outside the month of the file's name: above it the name is wrong, not the rows
_ROW_GROUP = 122_880  # what DuckDB reads at once
_UNIQUE = {"patient_id", "person_id"}  # a dictionary of them would be as long as they are
_FILTERED = ["organisation_id", "discharge_time"]  # least and greatest of other columns would help nobody


@dataclass
class Member:
    """One file of a batch on its way: how it is read, what was found, its receipt."""

    file: InboxFile
    number: int
    receipt: dict[str, Any]
    carrier: Carrier | None = None
    month: str | None = None
    unread: list[tuple[int, str]] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return self.receipt["refused"] is not None

    def refuse(self, refusal: FileRefused) -> None:
        self.receipt["refused"] = {"code": refusal.code, "message": refusal.message}


def receipt_path(home: Path, sha256: str) -> Path:
    return home / "receipts" / f"{sha256}.json"


def write_outputs(con: duckdb.DuckDBPyConnection, home: Path, contract: Contract, members: list[Member]) -> None:
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
    for member in (m for m in members if not m.refused):
        landed = _sum_rows(slices[member.number])
        held_back = _sum_rows(quarantined[member.number])
        try:
            _refuse_unfit(member, landed + held_back, faults[member.number])
        except FileRefused as refusal:
            member.refuse(refusal)
            continue
        _write_quarantine(con, home, contract, member, held_back)
        member.receipt |= {
            "rows": {"read": landed + held_back, "landed": landed, "quarantined": held_back},
            "quarantine": faults[member.number],
            "quarantine_rows": quarantined[member.number],
            "slices": slices[member.number],
        }
    _write_landed(con, home, contract, [member for member in members if not member.refused])


def _refuse_unfit(member: Member, rows: int, faults: list[dict[str, Any]]) -> None:
    if not rows and not member.receipt.get("pull"):  # a month of a database may have become empty
        raise FileRefused("empty_file", "文件只有表头，没有数据行。若该月确无数据，请勿上传空文件。")
    outside = _sum_rows([fault for fault in faults if fault["reason"] == OUTSIDE])
    if outside > _REFUSED_SHARE * rows:
        raise FileRefused(
            "month_mismatch",
            f"文件名的月份是 {member.month}，但 {rows} 行中有 {outside} 行的出院时间不在该月。"
            "请核对文件名或导出的时间范围。",
        )


def _write_landed(con: duckdb.DuckDBPyConnection, home: Path, contract: Contract, members: list[Member]) -> None:
    """All files of the batch from one ordered query: planning it costs more than a small file."""
    sources = ", ".join(f"({member.number}, {quote(member.file.source_id)})" for member in members)
    if not sources:
        return
    rows: defaultdict[tuple[int, str], int] = defaultdict(int)
    for member in members:
        for item in member.receipt["slices"]:
            rows[member.number, item.pop("landed_month")] += item["rows"]
    stream = _Stream(
        con.execute(
            f"""
            select source_id, good.* exclude (file_no, landed_month)
            from good join (values {sources}) source (file_no, source_id) using (file_no)
            order by file_no, landed_month, {", ".join(contract.key)}, source_row
            """
        ).to_arrow_reader(_ROW_GROUP)
    )
    by_number = {member.number: member for member in members}
    for member in members:
        member.receipt["outputs"] = []
    for (number, month), count in sorted(rows.items()):
        member = by_number[number]
        target = home / "landing" / contract.dataset / f"month={month}" / f"{member.file.source_id}.parquet"
        _write_parquet(stream.schema, stream.take(count), target)
        member.receipt["outputs"].append({"path": target.relative_to(home).as_posix()})


class _Stream:
    """Record batches of any size, taken in numbers of rows that somebody else decides."""

    def __init__(self, reader: pa.RecordBatchReader):
        self.schema = reader.schema
        self._reader = reader
        self._rest: list[pa.RecordBatch] = []

    def take(self, rows: int) -> Iterator[pa.Table]:
        """The next rows, at most a row group at a time."""
        import pyarrow as pa

        while rows:
            wanted = min(rows, _ROW_GROUP)
            while sum(batch.num_rows for batch in self._rest) < wanted:
                self._rest.append(self._reader.read_next_batch())
            table = pa.Table.from_batches(self._rest)
            self._rest = table.slice(wanted).to_batches()
            yield table.slice(0, wanted)
            rows -= wanted


def _write_parquet(schema: pa.Schema, tables: Iterable[pa.Table], target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    repeating = [f"{item.name}.list.element" for item in schema if pa.types.is_list(item.type)]
    repeating += [item.name for item in schema if pa.types.is_string(item.type) and item.name not in _UNIQUE]
    with (
        _whole(target) as temporary,
        pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            use_dictionary=repeating,
            write_statistics=_FILTERED,
            store_schema=False,
        ) as out,
    ):
        for table in tables:
            out.write_table(table, row_group_size=_ROW_GROUP)


def _write_quarantine(
    con: duckdb.DuckDBPyConnection, home: Path, contract: Contract, member: Member, held_back: int
) -> None:
    target = home / "quarantine" / contract.dataset / f"{member.file.source_id}.parquet"
    (home / "quarantine").mkdir(mode=0o700, exist_ok=True)
    if not held_back:
        target.unlink(missing_ok=True)
        return
    faults = con.execute(
        f"select {quote(member.file.source_id)} as source_id, source_row, organisation_id, month, field, reason, "
        f"value_class, row_key from fault where file_no = {member.number} order by source_row, nth"
    ).to_arrow_table()
    _write_parquet(faults.schema, [faults], target)
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
        f"{month} as month, landed_month, count(*)::integer as rows from fit group by all order by all"
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


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A file that is there whole or not at all: written beside its place, flushed, then renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    yield temporary
    with temporary.open("rb") as file:
        os.fsync(file.fileno())  # the receipt, which makes it count, is durable too
    temporary.replace(target)


def write_json(path: Path, content: object) -> None:
    """Write JSON whole or not at all."""
    with _whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, sort_keys=True, indent=1)
