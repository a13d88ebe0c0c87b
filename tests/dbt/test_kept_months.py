"""What is computed of a month is kept, and computed again when anything that it is made of changes: a project of a few
small models, the real materialization, and nights over landed front pages.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import DATABASE, REPOSITORY, run_dbt

from dagster_project.kept_months import offer, tidy
from dagster_project.settings import Settings
from sources import candidate, intake, landing
from sources.candidate import HeldBack
from tests.support.front_page import clean_front_page, front_page_csv, put

ONE = "12990102MB0000001L"
MODELS = {
    # a row for a page, whose month is found by the page; what the register says belongs to no month
    "by_page": """
        {{ config(materialized='kept_by_month') }}
        select page.source_id, page.source_row, page.total_fee_fen, '{{ var("drg_edition") }}' as edition
        from {{ source('landing', 'hqms_front_page') }} as page
        left join {{ source('landing', 'hospital') }} as hospital on page.organisation_id = hospital.organisation_id
        left join {{ source('scheme', 'mdc') }} as mdc on false
    """,
    # a row for a month, of another kept model
    "by_month": """
        {{ config(materialized='kept_by_month') }}
        select
            strftime(page.discharge_time, '%Y-%m') as month,
            count(*) as page_count,
            cast(sum(by_page.total_fee_fen) as bigint) as fee_fen
        from {{ source('landing', 'hqms_front_page') }} as page
        inner join {{ ref('by_page') }} as by_page
            on page.source_id = by_page.source_id and page.source_row = by_page.source_row
        group by all
    """,
    "astray": """
        {{ config(materialized='kept_by_month') }}
        select distinct '2019-12' as month from {{ source('landing', 'hqms_front_page') }}
    """,
    "inexact": """
        {{ config(materialized='kept_by_month') }}
        select strftime(discharge_time, '%Y-%m') as month, sum(total_fee_fen) as fee_fen
        from {{ source('landing', 'hqms_front_page') }} group by all
    """,
    "unknown": """
        {{ config(materialized='kept_by_month') }}
        select '2022-01' as month from {{ source('gate', 'threshold') }}
        union all select strftime(discharge_time, '%Y-%m') from {{ source('landing', 'hqms_front_page') }}
    """,
}
SOURCES = """
sources:
  - {name: landing, schema: landing, tables: [{name: hqms_front_page}, {name: hospital}]}
  - {name: scheme, schema: scheme, tables: [{name: mdc}]}
  - {name: gate, schema: gate, tables: [{name: threshold}]}
"""


class Nights:
    """A home that receives front pages, and the small project over it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.settings = Settings(home=self.home)
        self.database = folder / DATABASE
        self.project = folder / "dbt"
        (self.project / "models").mkdir(parents=True)
        for name in ("dbt_project.yml", "profiles.yml", "macros/materializations/kept_by_month.sql"):
            target = self.project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / "dbt" / name, target)
        (self.project / "dbt_project.yml").write_text("name: zhuanke\nversion: 1.0.0\nprofile: zhuanke\n")
        (self.project / "models" / "sources.yml").write_text(SOURCES)
        for name, query in MODELS.items():
            (self.project / "models" / f"{name}.sql").write_text(query)

    def arrive(self, name: str, *months_and_fees: tuple[int, int]) -> str:
        """A file of pages; its SHA-256."""
        rows = [
            clean_front_page(
                organisation=ONE,
                record=f"R{serial:05d}",
                admitted=datetime(2022, month, 5, 8),
                discharged=datetime(2022, month, 10, 10),
                department="0304",
                diagnosis="I21.001",
                serial=serial,
                cost_fen=fee,
            )
            for serial, (month, fee) in enumerate(months_and_fees)
        ]
        put(self.home / "inbox" / "hqms" / "h1" / name, front_page_csv(rows))
        intake.record(self.home, intake.scan(self.home))
        landing.land(self.home, "hqms_front_page", key=bytes(range(32)))
        return next(
            arrived[-1]
            for key, arrived in candidate.slice_versions(self.home)["hqms_front_page"].items()
            if key[1] == f"2022-{months_and_fees[0][0]:02d}"
        )

    def kept(self) -> set[str]:
        """Models and months as the names of the kept files tell them, each with its digest."""
        return {path.stem for path in (self.home / "cache" / "kept").glob("*.parquet")}

    def night(
        self, *statements: str, held: tuple[HeldBack, ...] = (), edition: str = "latest"
    ) -> tuple[set[str], list[tuple[Any, ...]]]:
        """What was computed tonight, and by_month, which always is what a look at the landed rows says."""
        self.database.unlink(missing_ok=True)
        pieces = candidate.month_pieces(self.home, held)
        candidate.prepare(self.home, self.database, held_back=held)
        offer(self.settings, self.database, pieces)
        before = self.kept()
        with duckdb.connect(str(self.database)) as connection:
            for statement in statements:
                connection.execute(statement)
        done = run_dbt(self.project, self.database, "run", "--select", "by_page", "by_month", drg_edition=edition)
        assert done.returncode == 0, done.stdout
        with duckdb.connect(str(self.database), read_only=True) as connection:
            rows = connection.execute("from by_month order by month").fetchall()
            whole = connection.execute(
                "select strftime(discharge_time, '%Y-%m'), count(*), sum(total_fee_fen)::bigint "
                "from landing.hqms_front_page group by all order by all"
            ).fetchall()
            assert connection.execute("select distinct edition from by_page").fetchall() == [(edition,)]
        assert rows == whole  # the datasets show all months again
        return {name.rpartition("-")[0] for name in self.kept() - before}, rows


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Three months have arrived, and a night has passed."""
    made = Nights(tmp_path_factory.mktemp("nights"))
    made.arrive("a_2022M01.csv", (1, 12000), (1, 800))
    made.arrive("a_2022M02.csv", (2, 700))
    made.arrive("a_2022M03.csv", (3, 500), (3, 600))
    made.night()
    return made


def both(*months: str) -> set[str]:
    return {f"{model}-{month}" for model in ("by_page", "by_month") for month in months}


ALL = both("2022-01", "2022-02", "2022-03")


def test_a_night_computes_what_is_not_kept(nights: Nights) -> None:
    for lost in (nights.home / "cache" / "kept").glob("*-2022-02-*"):  # a run that died between two months
        lost.unlink()
    computed, rows = nights.night()
    assert computed == both("2022-02")
    assert rows == [("2022-01", 2, 12800), ("2022-02", 1, 700), ("2022-03", 2, 1100)]
    shutil.rmtree(nights.home / "cache")
    assert nights.night() == (ALL, rows)


def test_a_month_whose_rows_change_is_computed_again(nights: Nights) -> None:
    nights.arrive("b_2022M02.csv", (2, 700), (2, 90))  # a page came late
    computed, rows = nights.night()
    assert (computed, rows[1]) == (both("2022-02"), ("2022-02", 2, 790))
    later = nights.arrive("c_2022M01.csv", (1, 12000))  # a page moves to another month: both are told anew
    nights.arrive("c_2022M03.csv", (3, 500), (3, 600), (3, 800))
    computed, rows = nights.night()
    assert computed == both("2022-01", "2022-03")
    assert [rows[0], rows[2]] == [("2022-01", 1, 12000), ("2022-03", 3, 1900)]
    # a decision holds a version back: what was in force before is in force again, and still kept
    held = HeldBack("hqms_front_page", (ONE, "2022-01"), later, "rule", 1, 1, Decimal(0))
    assert nights.night(held=(held,)) == (set(), [("2022-01", 2, 12800), *rows[1:]])
    withdrawn = [
        HeldBack("hqms_front_page", (ONE, "2022-02"), sha256, "rule", 1, 1, Decimal(0))
        for sha256 in candidate.slice_versions(nights.home)["hqms_front_page"][ONE, "2022-02"]
    ]
    assert nights.night(held=tuple(withdrawn)) == (set(), [rows[0], rows[2]])
    nights.arrive("d_2022M04.csv", (4, 40))
    assert nights.night() == (both("2022-04"), [*rows, ("2022-04", 1, 40)])


@pytest.mark.slow
def test_anything_else_that_changes_throws_all_months_away(nights: Nights) -> None:
    for statement, edition in [
        ("update kept.input set digest = 'a register' where relation = 'landing.hospital'", "latest"),
        ("update kept.input set digest = 'a scheme' where relation = 'scheme.mdc'", "latest"),
        ("update kept.basis set digest = 'a seed, a model or a version'", "latest"),
        ("select 'a variable'", "by_date"),
    ]:
        computed, rows = nights.night(statement, edition=edition)
        assert computed == both(*(month for month, _, _ in rows)), statement


def test_what_belongs_to_a_month_has_its_own_digest(nights: Nights) -> None:
    """All that a kept model may be made of is known by a digest; of the gate there is none, so it may not be."""
    with duckdb.connect(str(nights.database), read_only=True) as connection:
        known = connection.execute("select relation, count(*), count(distinct digest) from kept.input group by all")
        counts = {relation: (rows, digests) for relation, rows, digests in known.fetchall()}
    months = len({name.rpartition("-")[0] for name in nights.kept() if name.startswith("by_page")})
    assert counts["landing.hqms_front_page"] == (1 + months, 1 + months)
    assert counts["landing.hospital"] == counts["scheme.mdc"] == (1, 1)
    assert not {relation for relation in counts if relation.startswith("gate.")}


def test_a_model_that_is_not_of_one_month_is_refused(nights: Nights) -> None:
    refused = ("astray", "inexact", "unknown")
    done = run_dbt(nights.project, nights.database, "run", "--select", *refused, drg_edition="latest")
    assert "astray 有 1 行不属于所计算的月份" in done.stdout
    assert "inexact 有 Parquet 不能原样保存的列类型" in done.stdout  # the sum of whole numbers is wider than theirs
    assert "unknown 依赖 gate.threshold，其变化无从得知" in done.stdout
    assert not {name for name in nights.kept() if name.startswith(refused)}


def test_what_no_night_has_used_for_days_is_removed(nights: Nights) -> None:
    folder = nights.home / "cache" / "kept"
    with duckdb.connect(str(nights.database), read_only=True) as connection:
        used = {Path(path) for (path,) in connection.execute("select path from kept.used").fetchall()}
    unused = folder / "by_page-2022-01-0000000000000000.parquet"
    unused.touch()
    tidy(nights.settings, nights.database)
    assert unused.exists()  # a run that failed may be continued
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    tidy(nights.settings, nights.database)
    assert set(folder.iterdir()) == used


def test_without_a_place_to_keep_it_is_a_table(nights: Nights) -> None:
    nights.database.unlink()
    candidate.prepare(nights.home, nights.database)
    done = run_dbt(nights.project, nights.database, "run", "--select", "by_page", drg_edition="latest")
    assert done.returncode == 0, done.stdout
    with duckdb.connect(str(nights.database), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from by_page").fetchall() == [(True,)]
        assert connection.execute("select count(*) from duckdb_tables() where table_name = 'by_page'").fetchall() == [
            (1,)
        ]
