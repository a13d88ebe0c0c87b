"""Division of a Chinese address: which province, prefecture and county a free text begins with.

Belongs here: the rules below, as one set-based SQL statement.  Does not belong here: which address of the front
page counts as residence (:mod:`sources.hqms`) and the division tables themselves (``sources/reference``).

Rules, in this order, after removing blanks:

1. The longest name that the text begins with opens it: a province, full or short; a prefecture or a
   province-managed county whose name is unique in the country.  A short name before 路, 街, 巷, 道, 大道 or 区 is the
   name of a street or of another district (南京路, 河北区) and opens nothing.
2. After a province, the longest name of one of its prefectures gives the prefecture.
3. After that, the longest county name of the prefecture (of the province where no prefecture was named, as in the
   four municipalities) gives the county.
4. The result is the finest division found: six digits, ``510000`` for a province alone.
5. A postcode gives at most a province: its longest prefix in ``postcodes.csv``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.contract import REFERENCE_DIR

if TYPE_CHECKING:
    import duckdb


_STREET = "'路', '街', '巷', '道', '区'"


def load_division_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary look-up tables that :func:`resolve_heads` and :func:`postcode_sql` read."""
    for table in ("divisions", "address_names", "postcodes"):
        path = (REFERENCE_DIR / f"{table}.csv").as_posix().replace("'", "''")  # parameters would import pandas
        con.execute(
            f"create or replace temp table ref_{table} as "
            f"select * from read_csv('{path}', header = true, all_varchar = true)"
        )
    con.execute(
        """
        create or replace temp table opening_name as
        with named as (
            select n.name, n.kind, n.division, d.level, left(n.division, 2) || '0000' as province
            from ref_address_names n join ref_divisions d using (division)
        )
        select * from named
        where level = 'province'
           or name in (select name from named group by name having count(distinct division) = 1);

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

    Streets and house numbers make nearly every address unique; up to six division suffixes (``沙市区`` and ``广州市``
    hold two each), or twelve characters where there are none, are shared by thousands of rows.
    """
    text = f"regexp_replace({address}, '[ 　]', '', 'g')"
    suffixes = "^(?:.{0,14}?[省市区县旗州盟]){1,6}"
    return f"coalesce(nullif(regexp_extract({text}, '{suffixes}'), ''), left({text}, 12))"


def resolve_heads(con: duckdb.DuckDBPyConnection, heads_sql: str, target: str) -> None:
    """Create temp table ``target`` (head, division) for the heads that ``heads_sql`` (column head) yields."""
    con.execute(
        f"""
        create or replace temp table {target} as
        with
        text as (select distinct head from ({heads_sql}) where head is not null),
        opening as (
            select head, max_by(level, len) as level, max_by(division, len) as division,
                   max_by(province, len) as province, max(len) as used
            from text, unnest(range(2, 16)) l(len) join opening_name n on n.name = left(head, len)
            where n.kind = 'full'
               or (substr(head, len + 1, 1) not in ({_STREET}) and substr(head, len + 1, 2) <> '大道')
            group by head
        ),
        opened as (
            select head, province, if(level = 'prefecture', division, null) as prefecture,
                   if(level = 'county', division, null) as county, substr(head, used + 1) as rest
            from opening
        ),
        prefecture_match as (
            select head, max_by(n.division, len) as prefecture, max(len) as used
            from opened, unnest(range(2, 12)) l(len)
            join prefecture_name n on n.province = opened.province and n.name = left(rest, len)
            where opened.prefecture is null and opened.county is null
            group by head
        ),
        placed as (
            select o.head, o.province, coalesce(o.prefecture, p.prefecture) as prefecture, o.county,
                   substr(o.rest, coalesce(p.used, 0) + 1) as rest
            from opened o left join prefecture_match p using (head)
        ),
        county_match as (
            select head, max_by(n.division, len) as county
            from placed, unnest(range(2, 16)) l(len)
            join county_name n on n.parent = coalesce(prefecture, province) and n.name = left(rest, len)
            group by head
        )
        select placed.head, coalesce(placed.county, c.county, prefecture, province) as division
        from placed left join county_match c using (head)
        """
    )


def postcode_sql(postcode: str) -> str:
    """SQL expression: province division of a postcode column, NULL where its prefix is unknown."""
    known = "(select map(list(prefix order by prefix), list(division order by prefix)) from ref_postcodes)"
    prefixes = ", ".join(f"{known}[left({postcode}, {length})]" for length in (6, 4, 3, 2))
    return f"case when regexp_full_match({postcode}, '[0-9]{{6}}') then left(coalesce({prefixes}), 2) || '0000' end"
