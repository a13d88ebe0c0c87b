"""A package as received: a folder, or a zip of one, of CSV files; read into typed tables of a DuckDB in memory.

Belongs here: files, encodings, headers, and the tables that all else works on.  Does not belong here: whether values
and references make sense (:mod:`sources.scheme.checks`).

Each file becomes a table of text (``received.mdc``) and a typed one (``mdc``); both keep the row's number as a
spreadsheet shows it, so that a fault can be found again.  A cell that does not read as its type is NULL in the latter.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from sources.connectors import FileRefused
from sources.connectors.text import detect_encoding
from sources.expressions import flag
from sources.scheme.tables import DIAGNOSIS_ROLES, PACKAGE, PROCEDURE_ROLES, SQL_TYPES, Column, File

if TYPE_CHECKING:
    import duckdb

_LARGEST = 1 << 30  # bytes of a whole package; official editions have some ten million
_SHOWN = 5


class SchemeProblem(Exception):
    """A package or an edition cannot be used; the message (Chinese) says why and what to do."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one column: every row that has it, some of the values, and how to mend it."""

    level: Literal["error", "warning"]
    file: str
    text: str
    remedy: str
    field: str = ""
    rows: tuple[int, ...] = ()
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = self.file
        if self.rows:
            more = f" 等 {len(self.rows):,} 行" if len(self.rows) > _SHOWN else " 行"
            where += f" 第 {'、'.join(map(str, self.rows[:_SHOWN]))}{more}"
        if self.field:
            where += f" {self.field}"
        examples = list(dict.fromkeys(self.values))
        shown = "、".join(examples[:_SHOWN]) + ("……" if len(examples) > _SHOWN else "")
        return f"{where}：{self.text}{f'（{shown}）' if shown else ''}。{self.remedy}。"


@dataclass(frozen=True)
class Package:
    """A package that was read: its tables, its files by size and hashes, and what kept it from being read."""

    con: duckdb.DuckDBPyConnection
    files: dict[str, dict[str, str | int]]
    faults: list[Fault] = field(default_factory=list)


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Read a package; raises SchemeProblem where there is none at this path."""
    import duckdb

    contents = _contents(path)
    with duckdb.connect() as con:
        con.execute("create schema received")
        known = {file.name for file in PACKAGE}
        faults = [
            Fault("error", name, "不是方案包的文件", "请核对文件名，或移出文件夹")
            for name in sorted(contents.keys() - known)
        ]
        for file in PACKAGE:
            rows, problems = _read(file, contents.get(file.name))
            faults += problems
            _store(con, file, rows)
        con.execute(_VIEWS)
        yield Package(con, {name: _hashes(contents[name]) for name in sorted(contents)}, faults)


def _contents(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir() if _is_table(file.name)}
    if path.suffix.lower() != ".zip" or not path.is_file():
        raise SchemeProblem(f"{path} 不是文件夹，也不是 zip。请指向方案包的文件夹。")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {m: PurePosixPath(m.filename) for m in archive.infolist() if _is_table(m.filename)}
            if len({name.parent for name in members.values()}) > 1:
                raise SchemeProblem(f"{path} 内有多个文件夹的 CSV，不知道用哪一个。请只压缩一个方案包的文件夹。")
            if sum(member.file_size for member in members) > _LARGEST:
                raise SchemeProblem(f"{path} 解开后超过 1 GB，不是方案包。")
            return {name.name: archive.read(member) for member, name in members.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise SchemeProblem(f"{path} 损坏、不完整或加了密码。请重新压缩，不加密码。") from error


def _is_table(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = path.name.startswith(".") or path.parts[0] == "__MACOSX"
    return path.suffix.lower() == ".csv" and not hidden


def _hashes(content: bytes) -> dict[str, str | int]:
    sha256, sm3 = hashlib.sha256(content).hexdigest(), hashlib.new("sm3", content).hexdigest()
    return {"bytes": len(content), "sha256": sha256, "sm3": sm3}


Rows = list[tuple[int, list[str]]]


def _read(file: File, content: bytes | None) -> tuple[Rows, list[Fault]]:
    """The rows of one file in the order of the format's columns, or what keeps it from being read."""
    names = [column.name for column in file.columns]
    if content is None:
        missing = Fault("error", file.name, "缺少此文件", f"请补上，表头为 {','.join(names)}")
        return [], [] if file.optional else [missing]
    try:
        encoding = detect_encoding(content)
        text = content.decode(encoding)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        rows = [(number, row) for number, row in enumerate(reader, 2) if any(row)]
    except FileRefused as refusal:
        return [], [Fault("error", file.name, refusal.message.rstrip("。"), "请以 UTF-8 重新导出")]
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        return [], [Fault("error", file.name, f"不能按 {encoding} 解码", "请整份以 UTF-8 重新导出", rows=(row,))]
    except csv.Error:
        row = reader.line_num
        return [], [Fault("error", file.name, "引号没有闭合", "请改正引号", rows=(row,))]
    problems = [
        *((name, "缺少此列", "请补上此列") for name in names if name not in header),
        *((name or "（无列名）", "多出的列", "请删去此列或改正列名") for name in header if name not in names),
        *((name, "此列出现多次", "请只留一列") for name in names if header.count(name) > 1),
    ]
    if problems:
        return [], [Fault("error", file.name, text, remedy, field=name) for name, text, remedy in problems]
    if ragged := tuple(number for number, row in rows if len(row) != len(header)):
        text = f"列数不是表头的 {len(header)} 列"
        return [], [Fault("error", file.name, text, "请补齐或删去多余的逗号", rows=ragged)]
    order = [header.index(name) for name in names]
    return [(number, [row[place] for place in order]) for number, row in rows], []


def _store(con: duckdb.DuckDBPyConnection, file: File, rows: Rows) -> None:
    import pyarrow as pa

    cells: Sequence[tuple[str, ...]] = list(zip(*(row for _, row in rows), strict=True)) or [()] * len(file.columns)
    columns = {"row": pa.array([number for number, _ in rows], pa.int32())}
    columns |= {column.name: pa.array(texts, pa.string()) for column, texts in zip(file.columns, cells, strict=True)}
    con.register("batch", pa.table(columns))
    cleaned = ", ".join(f"nullif(trim({column.name}, ' \t\r\n　'), '') as {column.name}" for column in file.columns)
    con.execute(f"create table received.{file.table} as select row, {cleaned} from batch")
    con.unregister("batch")
    typed = ", ".join(f"{typed_sql(column)} as {column.name}" for column in file.columns)
    con.execute(f"create table main.{file.table} as select row, {typed} from received.{file.table}")


_FORMS = {
    "name": "[A-Za-z0-9][A-Za-z0-9._]*",
    "whole": "[0-9]{1,9}",
    "decimal": "[0-9]{1,9}([.][0-9]{1,8})?",
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
}


def typed_sql(column: Column) -> str:
    """The typed value of a received text, NULL where it does not read as the column's type."""
    name = column.name
    if column.kind == "flag":
        return flag(name)
    if column.choices:
        choices = ", ".join(f"'{choice}'" for choice in column.choices)
        return f"case when {name} in ({choices}) then {name} end"
    form = _FORMS.get(column.kind)
    value = f"try_cast({name} as {SQL_TYPES[column.kind]})"
    return f"case when regexp_full_match({name}, '{form}') then {value} end" if form else name


def _in_roles(roles: tuple[str, ...]) -> str:
    names = ", ".join(f"'{role}'" for role in roles)
    return f"(select list_id from adrg_condition where role in ({names}))"


# rows of the crosswalk that lead to this scheme's editions, and the codes that the scheme knows: those of its two
# editions or, where a package does not list them, every code that it names
_VIEWS = f"""
create view used_map as
select code_map.*
from code_map
inner join scheme
    on code_map.to_edition
    = case code_map.kind when 'diagnosis' then scheme.diagnosis_edition else scheme.procedure_edition end;

create view named_code as
select 'diagnosis' as kind, code from mdc_diagnosis
union select 'diagnosis', code from code_list where list_id in {_in_roles(DIAGNOSIS_ROLES)}
union select 'diagnosis', code from mcc
union select 'diagnosis', code from cc
union select 'diagnosis', principal_code from exclusion
union select 'procedure', code from valid_procedure
union select 'procedure', code from code_list where list_id in {_in_roles(PROCEDURE_ROLES)}
union select kind, to_code from used_map;

create view known_code as
select kind, code, name_zh from edition_code
union all
select kind, code, null from named_code
where kind is not null and code is not null and (select count(*) = 0 from edition_code);
"""
