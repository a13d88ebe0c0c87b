"""What a release becomes in a database: tables, types, keys, comments, and the views that readers use.

Belongs here: names and shapes, all from the release's data package. Does not belong here: rows, transactions.

Three groups of tables, each a schema (or a prefix of names, where an engine has no schemas):

* `<prefix>_v1`      views for readers, one per mart, whose shape only grows;
* `<prefix>_data_…`  the rows of the releases held, every row with its release; one group per structure, so that a
                     release with other columns or keys never changes a table that somebody reads;
* `<prefix>`         which releases are held and which of them readers see.

A view shows the rows of the one release that `pointer` names. Switching readers is therefore the change of one row:
no lock that a reader could wait for, and whatever a reader's transaction asks, it sees one release.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from expectations.content import sha256_file
from publishing.manifest import DATAPACKAGE

if TYPE_CHECKING:
    import duckdb

INTERFACE = "v1"
RELEASE_ID = "release_id"
# Length of a text key where an engine can only index bounded text; with up to eight key columns the limit of
# MySQL's index (3072 bytes) still holds
KEY_LENGTH = 90
# Part of the structure's hash: tables made by an earlier layout of this module are not taken for these
LAYOUT_VERSION = 1

TEXT = sa.Text()
KEY_TEXT = sa.Text().with_variant(sa.String(KEY_LENGTH), "mysql", "mariadb")
TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "VARCHAR": TEXT,
    "TINYINT": sa.SmallInteger(),
    "SMALLINT": sa.SmallInteger(),
    "INTEGER": sa.Integer(),
    "BIGINT": sa.BigInteger(),
    "HUGEINT": sa.Numeric(38, 0),
    "BOOLEAN": sa.Boolean(),
    "DATE": sa.Date(),
}


class TargetProblem(RuntimeError):
    """A target cannot take a release, or is not what it should be; the text says in Chinese what to do."""


@dataclass(frozen=True)
class Column:
    """One column of a mart as the data package describes it."""

    name: str
    physical: str
    comment: str
    deprecated: str

    def sql_type(self, *, in_key: bool) -> sa.types.TypeEngine[Any]:
        """The exact type; SQLite, which has no exact decimals, keeps their digits as text."""
        if self.physical == "VARCHAR":
            return KEY_TEXT if in_key else TEXT
        if decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", self.physical):
            exact = sa.Numeric(int(decimal[1]), int(decimal[2]))
            return exact.with_variant(sa.Text(), "sqlite")
        if self.physical in TYPES:
            return TYPES[self.physical]
        raise TargetProblem(f"列 {self.name} 的类型 {self.physical} 没有对应的数据库类型，不能同步")


@dataclass(frozen=True)
class Mart:
    """One mart of a release."""

    name: str
    path: Path
    sha256: str
    rows: int
    comment: str
    access: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Its columns, in order."""
        return [column.name for column in self.columns]


@dataclass(frozen=True)
class Content:
    """A release as a target sees it."""

    release_id: str
    datapackage_sha256: str
    marts: tuple[Mart, ...]

    @cached_property
    def files(self) -> duckdb.DuckDBPyConnection:
        """Reads the release's files; kept, because starting it takes longer than reading a small mart."""
        import duckdb

        connection = duckdb.connect()
        connection.execute("set enable_progress_bar = false")
        return connection

    @cached_property
    def structure(self) -> str:
        """Equal for releases whose tables, columns, types, keys, comments and access rules are equal."""
        shape = [(m.name, m.comment, m.access, m.key, [astuple(column) for column in m.columns]) for m in self.marts]
        return hashlib.sha256(json.dumps([LAYOUT_VERSION, shape]).encode()).hexdigest()[:8]


def read_content(folder: Path) -> Content:
    """The marts of a release folder, from its data package."""
    package = json.loads((folder / DATAPACKAGE).read_text(encoding="utf-8"))
    return Content(
        release_id=package["id"],
        datapackage_sha256=sha256_file(folder / DATAPACKAGE),
        marts=tuple(_mart(folder, resource) for resource in package["resources"] if "schema" in resource),
    )


def _mart(folder: Path, resource: Mapping[str, Any]) -> Mart:
    return Mart(
        name=resource["name"],
        path=folder / resource["path"],
        sha256=resource["hash"].removeprefix("sha256:"),
        rows=resource["rows"],
        comment=resource["description"],
        access=resource.get("access", ""),
        key=tuple(resource["schema"]["primaryKey"]),
        columns=tuple(
            Column(
                name=field["name"],
                physical=field["physicalType"],
                comment=field["description"],
                deprecated=field.get("deprecated", resource.get("deprecated", "")),
            )
            for field in resource["schema"]["fields"]
        ),
    )


class Layout:
    """The names and tables of one target."""

    def __init__(self, prefix: str, *, has_schemas: bool) -> None:
        self.prefix = prefix
        self._has_schemas = has_schemas
        self._control = sa.MetaData()
        control = self._maker(self._control, prefix)
        text = sa.String(KEY_LENGTH)
        self.release = control(
            "release",
            "目标库中保留的发布版",
            sa.Column(RELEASE_ID, text, primary_key=True, comment="发布版编号"),
            sa.Column("structure", sa.String(8), nullable=False, comment="表结构的摘要"),
            sa.Column("datapackage_sha256", sa.String(64), nullable=False, comment="datapackage.json 的 SHA-256"),
            sa.Column("row_count", sa.BigInteger, nullable=False, comment="各表行数之和"),
            sa.Column("loaded_at", sa.String(32), nullable=False, comment="装载时间"),
        )
        self.pointer = control(
            "pointer",
            "读者所见的发布版；切换即改这一行",
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, comment="恒为 1"),
            sa.Column("current_release", text, comment="读者所见的发布版"),
            sa.Column("previous_release", text, comment="可退回的上一个发布版"),
            sa.Column("held_back", text, comment="已退回、不再自动推送的发布版"),
        )
        self.interface = control(
            "interface",
            f"接口 {INTERFACE} 的全部列：只增不减",
            sa.Column("table_name", text, primary_key=True, comment="视图名"),
            sa.Column("column_name", text, primary_key=True, comment="列名"),
            sa.Column("position", sa.Integer, nullable=False, comment="列的次序"),
            sa.Column("sql_type", text, nullable=False, comment="列的类型"),
            sa.Column("comment_text", sa.Text, nullable=False, comment="列的说明"),
            sa.Column("first_release", text, nullable=False, comment="首次出现的发布版"),
            sa.Column("deprecated_since", text, comment="自此发布版起停用或预告停用；空为在用"),
            sa.Column("note_zh", sa.Text, comment="停用说明"),
        )
        self.access = control(
            "access",
            "数据库角色可见的范围：全省、市、机构",
            sa.Column("role_name", text, primary_key=True, comment="数据库角色"),
            sa.Column("scope", sa.String(10), primary_key=True, comment="范围：province、city、hospital"),
            sa.Column("scope_id", text, primary_key=True, comment="市的行政区划代码或机构代码；全省为空串"),
            sa.CheckConstraint("scope in ('province', 'city', 'hospital')", name="access_scope"),
        )
        self.place = control(
            "place",
            "各发布版中机构所在的市，供按市授权",
            sa.Column(RELEASE_ID, text, primary_key=True, comment="发布版编号"),
            sa.Column("hospital_id", text, primary_key=True, comment="机构代码"),
            sa.Column("city", sa.String(12), nullable=False, comment="所在市的行政区划代码"),
        )

    def _maker(self, metadata: sa.MetaData, group: str) -> Callable[..., sa.Table]:
        def table(name: str, comment: str, *parts: Any) -> sa.Table:
            return sa.Table(
                name if self._has_schemas else f"{group}_{name}",
                metadata,
                *parts,
                schema=group if self._has_schemas else None,
                comment=comment,
                mysql_engine="InnoDB",
                mysql_charset="utf8mb4",
                mysql_collate="utf8mb4_bin",  # a key differs by case too
            )

        return table

    def create_control(self, connection: sa.Connection) -> None:
        """Make the tables of the group `<prefix>` that are not there yet."""
        self._control.create_all(connection)

    @property
    def readers_group(self) -> str:
        """The group of the views that readers use."""
        return f"{self.prefix}_{INTERFACE}"

    def structure_of(self, name: str) -> str | None:
        """The structure that a schema (or a table, without schemas) belongs to, if it is one of ours."""
        found = re.match(rf"{self.prefix}_data_([0-9a-f]{{8}})(_|$)", name)
        return found[1] if found else None

    def data_group(self, structure: str) -> str:
        """The group of the tables of one structure."""
        return f"{self.prefix}_data_{structure}"

    def view(self, name: str) -> sa.TableClause:
        """A view that readers use."""
        return self._named(self.readers_group, name)

    def data_table(self, structure: str, name: str) -> sa.TableClause:
        """A table of a structure, by name alone."""
        return self._named(self.data_group(structure), name)

    def _named(self, group: str, name: str) -> sa.TableClause:
        return sa.table(name, schema=group) if self._has_schemas else sa.table(f"{group}_{name}")

    def data(self, content: Content) -> dict[str, sa.Table]:
        """The tables of the release's structure, by mart."""
        make = self._maker(sa.MetaData(), self.data_group(content.structure))
        return {mart.name: make(mart.name, mart.comment, *_columns(mart)) for mart in content.marts}


def _columns(mart: Mart) -> list[sa.Column[Any]]:
    release = sa.Column(RELEASE_ID, sa.String(KEY_LENGTH), primary_key=True, comment="发布版编号。 Release.")
    # the key in the order of the data package; in an index the release comes first
    ordered = sorted(mart.columns, key=lambda c: mart.key.index(c.name) if c.name in mart.key else len(mart.key))
    return [
        release,
        *(
            sa.Column(
                column.name,
                column.sql_type(in_key=column.name in mart.key),
                primary_key=column.name in mart.key,
                autoincrement=False,
                comment=column.comment,
            )
            for column in ordered
        ),
    ]
