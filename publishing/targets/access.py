"""Which rows a database role sees: the whole province, a city, or one hospital (PostgreSQL row-level security).

Belongs here: policies on the tables behind the views, the functions they ask, grants.
Does not belong here: making roles or passwords, which is the database administrator's.

The rule, from the columns of a mart:

* with an organisation (`hospital_id` or `organisation_id`): the role's own organisations, and the province's totals;
* with the city of hospitals (`hospital_division`): the role's own cities;
* without either: everyone, if dbt declares the mart open (`config.meta.access: everyone`), else the whole province
  only. A new mart is therefore closed until somebody has decided otherwise.

Views run with the rights of whoever asks, so the policies hold through every view, and nothing can be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import sqlalchemy as sa

from publishing.targets.engines import Session
from publishing.targets.layout import RELEASE_ID, Layout, Mart, TargetProblem

Scope = Literal["province", "city", "hospital"]
REGION = "REGION"
EVERYONE = "everyone"
ORGANISATION_COLUMNS = ("hospital_id", "organisation_id")
CITY_COLUMN = "hospital_division"
SCOPE_TITLES: dict[Scope, str] = {"province": "全省", "city": "市", "hospital": "机构"}

# `reader` is the role that asks: inside a function of the owner, current_user is the owner
FUNCTIONS = """
create or replace function {control}.holds(reader name, role_name text) returns boolean
    language sql stable set search_path = pg_catalog
    return coalesce(pg_has_role(reader, to_regrole(quote_ident(role_name)), 'usage'), false);

create or replace function {control}.sees_province(reader name) returns boolean
    language sql stable security definer set search_path = pg_catalog
    return exists (
        select from {control}.access a where a.scope = 'province' and {control}.holds(reader, a.role_name)
    );

create or replace function {control}.seen_cities(reader name) returns setof text
    language sql stable security definer set search_path = pg_catalog
    begin atomic
        select a.scope_id from {control}.access a where a.scope = 'city' and {control}.holds(reader, a.role_name);
    end;

create or replace function {control}.seen_hospitals(reader name) returns setof text
    language sql stable security definer set search_path = pg_catalog
    begin atomic
        select a.scope_id from {control}.access a where a.scope = 'hospital' and {control}.holds(reader, a.role_name)
        union
        select p.hospital_id from {control}.place p
        where p.release_id = (select current_release from {control}.pointer)
            and p.city in (select {control}.seen_cities(reader));
    end;
"""


def create_functions(at: Session) -> None:
    """The functions that the policies ask."""
    at.run(FUNCTIONS.format(control=at.layout.prefix))


def condition(mart: Mart, layout: Layout) -> str:
    """Which rows of a mart a role sees, as a policy says it; each subquery runs once per question, not per row."""
    control, names = layout.prefix, set(mart.names)
    if organisation := next((name for name in ORGANISATION_COLUMNS if name in names), None):
        own = (
            f"{organisation} = '{REGION}' or {organisation} in (select h from {control}.seen_hospitals(current_user) h)"
        )
    elif CITY_COLUMN in names:
        own = f"{CITY_COLUMN} in (select c from {control}.seen_cities(current_user) c)"
    elif mart.access == EVERYONE:
        return "true"
    else:
        return f"(select {control}.sees_province(current_user))"
    return f"(select {control}.sees_province(current_user)) or {own}"


def protect(at: Session, mart: Mart, table: sa.Table) -> None:
    """Put the policy on a new table; its owner, who loads it, is not subject to it."""
    name = at.name(table)
    at.run(f"alter table {name} enable row level security")
    at.run(f"create policy readers on {name} for select using ({condition(mart, at.layout)})")


def note_places(at: Session, hospitals: sa.Table, release_id: str) -> None:
    """Note in which city each hospital of the release lies."""
    division = hospitals.c.division
    city = sa.func.substr(division, 1, 4).concat("00")
    rows = sa.select(sa.literal(release_id), hospitals.c.hospital_id, city).where(
        hospitals.c[RELEASE_ID] == release_id, sa.func.length(division) == 6
    )
    at.connection.execute(sa.insert(at.layout.place).from_select(["release_id", "hospital_id", "city"], rows))


def grant_reading(at: Session, groups: Iterable[str], roles: Iterable[str]) -> None:
    """Let roles read, and only read, the views and what stands behind them."""
    for role in map(at.quote, sorted(set(roles))):
        for group in groups:
            at.run(f"grant usage on schema {group} to {role}")
            at.run(f"grant select on all tables in schema {group} to {role}")
        at.run(f"grant usage on schema {at.layout.prefix} to {role}")
        for table in (at.layout.release, at.layout.pointer, at.layout.interface):
            at.run(f"grant select on {table.fullname} to {role}")


def require_role(at: Session, role: str) -> None:
    """A role is the administrator's to make; a missing one is named with the statement that makes it."""
    if not at.connection.execute(sa.text("select 1 from pg_roles where rolname = :role"), {"role": role}).scalar():
        raise TargetProblem(f"数据库里没有角色 {role}；请管理员先执行：create role {role} login")
    writes = "select rolsuper or rolbypassrls from pg_roles where rolname = :role"
    if at.connection.execute(sa.text(writes), {"role": role}).scalar():
        raise TargetProblem(f"角色 {role} 是超级用户或可绕过行级权限（bypassrls），授权对它无效；请换一个普通角色")


def admit(at: Session, role: str, scope: Scope, scope_id: str) -> None:
    """Note what a role may see."""
    require_role(at, role)
    row = {"role_name": role, "scope": scope, "scope_id": scope_id}
    known = at.connection.execute(sa.select(at.layout.access).filter_by(**row)).first()
    if known is None:
        at.connection.execute(sa.insert(at.layout.access).values(row))


def dismiss(at: Session, role: str, groups: Iterable[str]) -> None:
    """Take everything from a role."""
    gone = at.connection.execute(sa.delete(at.layout.access).where(at.layout.access.c.role_name == role))
    if gone.rowcount == 0:
        raise TargetProblem(f"角色 {role} 没有任何授权")
    quoted = at.quote(role)
    for group in (at.layout.prefix, *groups):
        at.run(f"revoke all on all tables in schema {group} from {quoted}")
        at.run(f"revoke usage on schema {group} from {quoted}")


def granted_roles(at: Session) -> set[str]:
    """The roles that may see something and still exist."""
    query = f"select distinct a.role_name from {at.layout.access.fullname} a join pg_roles r on r.rolname = a.role_name"
    return set(at.run(query).scalars())
