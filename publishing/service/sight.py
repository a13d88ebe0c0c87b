"""What a scope lets a reader see of a certificate: the one place where rows are let through or held back.

Belongs here: the tables that queries of the service may ask. Does not belong here: the queries.

Queries never name files. They ask a connection whose tables are views that are already limited to the scope, by the
same rule as in the mirrored database:

* a mart with an organisation: rows of the hospitals within the scope, and the province's totals;
* a mart without: whole, if the release declares it open to everyone, else only for who sees everything;
* `ranking`: totals and ranks of all hospitals, for everybody with a token. It is the only view that is not limited.

The connection can open no other file, and its settings cannot be changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from publishing.service.shelf import Certificate, package
from publishing.service.tokens import Scope
from publishing.targets.access import EVERYONE, ORGANISATION_COLUMNS, REGION

RANKING = """
create view ranking as
select
    s.programme_id, s.tier, s.window_id, s.specialty_code, s.hospital_id, h.name_zh, h.level, h.city_name,
    s.score, s.rank, s.rank_reason, s.coverage, r.rank_5, r.rank_95
from {fct_score} as s
inner join {dim_hospital} as h on s.hospital_id = h.hospital_id
left join {fct_rank_stability} as r
    on
        s.programme_id = r.programme_id and s.tier = r.tier and s.window_id = r.window_id
        and s.hospital_id = r.hospital_id and s.specialty_code = r.specialty_code
where s.level = 'total'
"""
CASES = "cases"


@dataclass(frozen=True)
class Sight:
    """A certificate as far as a scope reaches."""

    certificate: Certificate
    hospitals: frozenset[str]
    all_hospitals: frozenset[str]
    sees_all: bool
    connection: Any

    def rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """The rows of a query over the limited views, as dictionaries."""
        cursor = self.connection.cursor()
        cursor.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def has(self, table: str) -> bool:
        """Whether there is such a view for this scope."""
        return bool(self.rows("select 1 from duckdb_views() where view_name = $table and not internal", table=table))


@lru_cache(maxsize=32)
def sight(certificate: Certificate, scope: Scope) -> Sight:
    """Open a certificate for a scope. Bundles never change, so what was opened may be kept."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    connection.execute("set threads = 2")
    connection.execute("set memory_limit = '1GB'")
    hospitals = connection.execute(
        f"select hospital_id, division from {_file(certificate.data, 'dim_hospital')} where not is_region"
    ).fetchall()
    seen = frozenset(hospital for hospital, division in hospitals if scope.covers(hospital, division))
    sees_all = scope.kind == "all"
    connection.execute("create table seen (hospital_id varchar)")
    connection.executemany("insert into seen values (?)", [(hospital,) for hospital in (*sorted(seen), REGION)])
    for mart in (one for one in package(certificate.folder)["resources"] if one["path"].startswith("data/")):
        columns = [column["name"] for column in mart["schema"]["fields"]]
        where = "true" if sees_all or mart.get("access") == EVERYONE else _own_rows(columns)
        if where is not None:
            source = _file(certificate.data, mart["name"])
            connection.execute(f"create view {mart['name']} as select * from {source} where {where}")
    names = ("fct_score", "dim_hospital", "fct_rank_stability")
    connection.execute(RANKING.format(**{name: _file(certificate.data, name) for name in names}))
    folders = [f"'{_quoted(certificate.data)}/'"]
    if any(certificate.cases.glob("*.parquet")):
        where = "true" if sees_all else _own_rows(["hospital_id"])
        connection.execute(f"create view {CASES} as select * from {_file(certificate.cases, '*')} where {where}")
        folders.append(f"'{_quoted(certificate.cases)}/'")
    connection.execute(f"set allowed_directories = [{', '.join(folders)}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return Sight(certificate, seen, frozenset(hospital for hospital, _ in hospitals), sees_all, connection)


def _own_rows(columns: list[str]) -> str | None:
    organisation = next((name for name in ORGANISATION_COLUMNS if name in columns), None)
    return f"{organisation} in (select hospital_id from seen)" if organisation else None


def _file(folder: Path, name: str) -> str:
    return f"read_parquet('{_quoted(folder)}/{name}.parquet')"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
