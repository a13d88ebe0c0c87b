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
    """Create the temporary look-up tables that :func:`resolve_heads` and :func:`postcode_sql` read."""
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


def head_sql(address: str) -> str:
    """SQL expression: the part of an address that can hold division names, without blanks.

    Streets and house numbers make nearly every address unique; up to five division suffixes (``沙市区`` and ``广州市``
    hold two each), or twelve characters where there are none, are shared by thousands of rows.
    """
    text = f"regexp_replace({address}, '[ 　]', '', 'g')"
    suffixes = "^(?:.{1,14}?[省市区县旗州盟]){1,5}"
    return f"coalesce(nullif(regexp_extract({text}, '{suffixes}'), ''), left({text}, 12))"


def resolve_heads(con: duckdb.DuckDBPyConnection, heads_sql: str, target: str) -> None:
    """Create temp table ``target`` (head, division) for the heads that ``heads_sql`` (column head) yields."""
    con.execute(
        f"""
        create or replace temp table {target} as
        with
        text as (select distinct head from ({heads_sql}) where head is not null),
        province as (
            select head, max_by(n.division, len) as province, max(len) as used
            from text, unnest(range(2, 10)) l(len) join province_name n on n.name = left(head, len)
            group by head
        ),
        after_province as (
            select text.head, province, substr(text.head, coalesce(used, 0) + 1) as rest
            from text left join province using (head)
        ),
        unique_prefecture as (
            select name, min(division) as division, min(province) as province
            from prefecture_name group by name having count(distinct division) = 1
        ),
        named as (
            select head, rest, province, len, left(rest, len) as name
            from after_province, unnest(range(2, 12)) l(len)
        ),
        prefecture_match as (
            select head, n.division, n.province, len from named join prefecture_name n using (province, name)
            union all
            select head, u.division, u.province, len from named join unique_prefecture u using (name)
            where named.province is null
        ),
        prefecture as (
            select head, max_by(division, len) as prefecture, max_by(province, len) as province, max(len) as used
            from prefecture_match group by head
        ),
        after_prefecture as (
            select a.head, coalesce(a.province, p.province) as province, p.prefecture,
                   substr(a.rest, coalesce(p.used, 0) + 1) as rest
            from after_province a left join prefecture p using (head)
        ),
        county as (
            select a.head, max_by(n.division, len) as county
            from after_prefecture a, unnest(range(2, 16)) l(len)
            join county_name n on n.parent = coalesce(a.prefecture, a.province) and n.name = left(a.rest, len)
            group by a.head
        )
        select a.head, coalesce(county, prefecture, province) as division
        from after_prefecture a left join county using (head)
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
