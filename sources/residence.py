"""Division of a Chinese address: which province, prefecture and county a free text begins with.

Belongs here: the rules below, as one set-based SQL statement.  Does not belong here: which address of the front
page counts as residence (:mod:`sources.hqms`) and the division tables themselves (``sources/reference``).

Rules, in this order, after removing blanks:

1. The longest province name, full or short, that the text begins with gives the province.
2. In what follows, the longest prefecture name of that province gives the prefecture.
3. In what follows, the longest county name of that prefecture (of that province where no prefecture was named, as
   in the four municipalities) gives the county.
4. A text that begins with no province but with the name of a prefecture that is unique in the country, gives that
   prefecture, and goes on with rule 3.
5. The result is the finest division found: six digits, ``510000`` for a province alone.
6. A postcode gives at most a province: its longest prefix in ``postcodes.csv``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.contract import REFERENCE_DIR

if TYPE_CHECKING:
    import duckdb


def load_division_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary look-up tables that :func:`resolve_addresses` and :func:`postcode_sql` read."""
    for table in ("divisions", "address_names", "postcodes"):
        con.execute(
            f"create or replace temp table ref_{table} as "
            "select * from read_csv(?, header = true, all_varchar = true)",
            [str(REFERENCE_DIR / f"{table}.csv")],
        )
    con.execute(
        """
        create or replace temp table province_name as
        select n.name, n.division from ref_address_names n join ref_divisions d using (division)
        where d.level = 'province';

        create or replace temp table prefecture_name as
        select n.name, n.division, d.parent as province
        from ref_address_names n join ref_divisions d using (division)
        where d.level = 'prefecture';

        -- a name that a parent gave twice in history resolves to the division that is still in force
        create or replace temp table county_name as
        select name_zh as name, parent, max_by(division, coalesce(effective_to, '9999') || division) as division
        from ref_divisions where level = 'county' group by all;
        """
    )


def resolve_addresses(con: duckdb.DuckDBPyConnection, texts_sql: str, target: str) -> None:
    """Create temp table ``target`` (address, division) for the distinct texts of ``texts_sql`` (column address)."""
    con.execute(
        f"""
        create or replace temp table {target} as
        with
        text as (select distinct address, replace(replace(address, ' ', ''), '　', '') as t from ({texts_sql})
                 where address is not null),
        province as (
            select address, max_by(n.division, len) as province, max(len) as used
            from text, unnest(range(2, 10)) l(len) join province_name n on n.name = left(t, len)
            group by address
        ),
        after_province as (
            select text.address, province, substr(t, coalesce(used, 0) + 1) as rest
            from text left join province using (address)
        ),
        unique_prefecture as (
            select name, min(division) as division, min(province) as province
            from prefecture_name group by name having count(distinct division) = 1
        ),
        named as (
            select address, rest, province, len, left(rest, len) as name
            from after_province, unnest(range(2, 12)) l(len)
        ),
        prefecture_match as (
            select address, n.division, n.province, len from named join prefecture_name n using (province, name)
            union all
            select address, u.division, u.province, len from named join unique_prefecture u using (name)
            where named.province is null
        ),
        prefecture as (
            select address, max_by(division, len) as prefecture, max_by(province, len) as province, max(len) as used
            from prefecture_match group by address
        ),
        after_prefecture as (
            select a.address, coalesce(a.province, p.province) as province, p.prefecture,
                   substr(a.rest, coalesce(p.used, 0) + 1) as rest
            from after_province a left join prefecture p using (address)
        ),
        county as (
            select a.address, max_by(n.division, len) as county
            from after_prefecture a, unnest(range(2, 16)) l(len)
            join county_name n on n.parent = coalesce(a.prefecture, a.province) and n.name = left(a.rest, len)
            group by a.address
        )
        select a.address, coalesce(county, prefecture, province) as division
        from after_prefecture a left join county using (address)
        where coalesce(county, prefecture, province) is not null
        """
    )


def postcode_sql(postcode: str) -> str:
    """SQL expression: province division of a postcode column, NULL where its prefix is unknown."""
    known = "(select map(list(prefix order by prefix), list(division order by prefix)) from ref_postcodes)"
    return (
        f"case when regexp_full_match({postcode}, '[0-9]{{6}}') "
        f"then coalesce({known}[left({postcode}, 3)], {known}[left({postcode}, 2)]) end"
    )
