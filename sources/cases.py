"""Cases that somebody wants grouped on the spot: a CSV, workbook or Parquet file, or front pages as they are uploaded.

Belongs here: reading such a file into the table that the grouper reads.  Does not belong here: grouping (``dbt/``),
and anything that is kept: the cases are read, answered and forgotten.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sources.connectors.carrier import open_carrier
from sources.connectors.cells import text_table
from sources.connectors.problems import FileRefused
from sources.expressions import quote

if TYPE_CHECKING:
    import duckdb

# column of the grouper -> what a file may call it
COLUMNS = {
    "case_id": ("编号", "case_id"),
    "sex": ("性别", "sex"),
    "age_years": ("年龄", "age_years"),
    "age_days": ("天龄", "age_days"),
    "weight_g": ("体重", "weight_g"),
    "diagnoses": ("诊断", "diagnoses"),
    "operations": ("手术操作", "operations"),
}
_SEPARATORS = "[;；|,，、]"
_SEX = "case trim({0}) when '男' then '1' when '女' then '2' else trim({0}) end"


def read_cases(path: Path, connection: duckdb.DuckDBPyConnection, edition: str) -> int:
    """Write ``landing.grouping_case`` with every case of ``path``, all to be grouped by ``edition``; their number.

    A CSV or XLSX has one column each for the diagnoses and the operations, codes in order and separated by
    semicolons; a Parquet file may hold lists.  Front pages in a layout of the interface are recognised too.  Raises
    FileRefused where the file is neither, or holds an age or weight that is no whole number.
    """
    if path.suffix.lower() == ".parquet":
        _write(connection, f"read_parquet({quote(str(path))})", edition)
    else:
        with tempfile.TemporaryDirectory() as folder:
            carrier = open_carrier(path)
            if _titles(carrier.header):
                connection.register("received", text_table(carrier.header, carrier.cells()))
                _write(connection, "received", edition)
                connection.unregister("received")
            else:
                _write(connection, _front_pages(path, Path(folder)), edition)
    return int(connection.execute("select count(*) from landing.grouping_case").fetchall()[0][0])


def _titles(header: list[str]) -> dict[str, str]:
    """Column of the grouper → title in the file; empty where the header is not of this kind."""
    present = {title.lower(): title for title in header}
    found = {
        name: present[title.lower()] for name, titles in COLUMNS.items() for title in titles if title.lower() in present
    }
    return found if "diagnoses" in found else {}


def _write(connection: duckdb.DuckDBPyConnection, source: str, edition: str) -> None:
    described = connection.execute(f"describe select * from {source}").fetchall()
    kinds = {row[0]: row[1] for row in described}
    titles = _titles(list(kinds))
    if not titles:
        expected = "、".join(names[0] for names in COLUMNS.values())
        raise FileRefused("wrong_layout", f"文件缺少“诊断”列。列名应为：{expected}；或提交病案首页接口文件。")

    def text(name: str) -> str:
        return f'cast("{titles[name]}" as varchar)' if name in titles else "null"

    def whole(name: str) -> str:
        # a cast of text to INTEGER would round 30.5
        return f"case when regexp_full_match(trim({text(name)}), '[0-9]{{1,6}}') then cast({text(name)} as integer) end"

    def codes(name: str) -> str:
        if name not in titles:
            return "cast([] as varchar[])"
        if kinds[titles[name]].endswith("[]"):
            return f'list_transform("{titles[name]}", lambda code: trim(cast(code as varchar)))'
        parts = f"regexp_split_to_array(coalesce(nullif(trim({text(name)}), '-'), ''), '{_SEPARATORS}')"
        return f"list_transform({parts}, lambda code: trim(code))"

    connection.execute("create schema if not exists landing")
    for name in ("age_years", "age_days", "weight_g"):
        if name in titles:
            _refuse_text(connection, source, titles[name], whole(name))
    connection.execute(
        f"""
        create table landing.grouping_case as
        select 'cases' as source_id, cast(row_number() over () as integer) as source_row,
               {text("case_id")} as case_id, {quote(edition)} as scheme_edition, {_SEX.format(text("sex"))} as sex,
               {whole("age_years")} as age_years, {whole("age_days")} as age_days, {whole("weight_g")} as weight_g,
               {codes("diagnoses")} as diagnoses, {codes("operations")} as operations
        from {source}
        """
    )


def _refuse_text(connection: duckdb.DuckDBPyConnection, source: str, title: str, number: str) -> None:
    text = f"nullif(nullif(trim(cast(\"{title}\" as varchar)), ''), '-')"
    row = connection.execute(
        f"select min(row) from (select row_number() over () + 1 as row, * from {source}) where {text} is not null"
        f" and {number} is null"
    ).fetchall()[0][0]
    if row is not None:
        raise FileRefused("unreadable_rows", f"第 {row} 行“{title}”不是整数。请改为整数，或留空。")


def _front_pages(path: Path, scratch: Path) -> str:
    """Land one file of the interface under a key that nobody keeps; the query that gives its pages in file order."""
    from sources import intake
    from sources.landing import land, read_receipts

    inbox = scratch / "inbox" / "hqms"
    inbox.mkdir(parents=True)
    shutil.copy(path, inbox / path.name)
    intake.record(scratch, intake.scan(scratch))
    land(scratch, "hqms_front_page", key=secrets.token_bytes(32))
    receipts = read_receipts(scratch)
    refused = [item.problem for item in intake.read_journal(scratch) if item.problem]
    refused += [(r["refused"]["code"], r["refused"]["message"]) for r in receipts if r["refused"]]
    if refused:
        raise FileRefused(*refused[0])
    files = ", ".join(quote(str(scratch / output["path"])) for r in receipts for output in r["outputs"])
    return (
        "(select cast(source_row as varchar) as case_id, sex, age_years, age_days,"
        " coalesce(admission_weight_g, birth_weight_g) as weight_g, diagnoses, operations"
        f" from read_parquet([{files}], hive_partitioning = false) order by source_row)"
    )
