"""What is pulled: the `[pulls.<name>]` tables of the settings, each with the contract that it names.

Belongs here: their checks, and opening an engine.  Does not belong here: connections and their secrets, which the
settings resolve to a SQLAlchemy URL before they come here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sources.contract import Contract, load_contracts
from sources.databases.faults import PullProblem

if TYPE_CHECKING:
    import sqlalchemy as sa

_EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "oracle": "oracle", "mssql": "mssql"}
_CONNECT_SECONDS = 20  # after which a host counts as dead


class Pull(BaseModel):
    """One `[pulls.<name>]` table: a table, view or query of a connection, in one layout."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connection: str = Field(description="[connections.…] 的名称")
    layout: str = Field(description="版式，即 sources/contracts 下的文件名")
    table: str | None = Field(default=None, description="表或视图，可带模式名")
    query: str | None = Field(default=None, description="查询语句，代替 table")
    month_column: str | None = Field(default=None, description="决定月份的列；默认取版式的出院时间或月份")
    update_column: str | None = Field(default=None, description="记录修改时间的列")
    overlap_days: int = Field(default=7, ge=0, description="修改后多少天内仍重读该月，以免漏掉晚提交的修改")
    since: str | None = Field(default=None, pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="最早拉取的月份")
    columns: dict[str, str] = Field(default_factory=dict, description="库中列名 = 版式列名")
    gbk_in_latin1: bool = Field(default=False, description="声明为 latin1、实存 GBK 的文本列，还原成汉字")
    timezone: str = Field(default="Asia/Shanghai", description="带时区的时间换算到此时区")
    lock_seconds: int = Field(default=60, ge=1, description="等待表锁的秒数")
    attempts: int = Field(default=5, ge=1, description="连接中断或被锁时共尝试几次")
    pause_seconds: float = Field(default=5, ge=0, description="首次重试前的秒数，之后逐次加倍")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("不是时区名，如 Asia/Shanghai") from None
        return value

    @field_validator("layout")
    @classmethod
    def _known_layout(cls, value: str) -> str:
        layouts = [name for name, contract in load_contracts().items() if contract.carrier == "table"]
        if value not in layouts:
            raise ValueError(f"没有这个版式，可用 {'、'.join(layouts)}")
        return value

    @model_validator(mode="after")
    def _table_or_query(self) -> Pull:
        if bool(self.table) == bool(self.query):
            raise ValueError("table 与 query 须写且只写一个")
        return self


@dataclass(frozen=True)
class Source:
    """A pull with the URL of its database, password included; printing it shows no password."""

    name: str
    pull: Pull
    url: sa.URL

    @property
    def contract(self) -> Contract:
        return load_contracts()[self.pull.layout]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.pull.timezone)

    def folder(self, home: Path) -> Path:
        """Where its months are delivered."""
        return home / "inbox" / self.contract.system / f"db-{self.pull.connection}" / self.name


def engine(url: sa.URL) -> sa.Engine:
    """An engine without a pool, whose errors never quote a value."""
    import sqlalchemy as sa

    backend = url.get_backend_name()
    try:
        return sa.create_engine(
            url, poolclass=sa.NullPool, hide_parameters=True, connect_args=_connect_arguments(backend)
        )
    except (ImportError, sa.exc.NoSuchModuleError):
        extra = _EXTRAS.get(backend)
        hint = f"请安装 zhuanke[{extra}]" if extra else "请安装它的 SQLAlchemy 方言"
        raise PullProblem("driver", f"缺少 {url.drivername} 的驱动：{hint}。") from None


def _connect_arguments(backend: str) -> dict[str, Any]:
    match backend:
        case "postgresql":  # COPY sends bytes, which are in the client's encoding
            return {"connect_timeout": _CONNECT_SECONDS, "client_encoding": "utf8"}
        case "mysql" | "mariadb":
            return {"connect_timeout": _CONNECT_SECONDS}
        case "oracle":
            return {"tcp_connect_timeout": _CONNECT_SECONDS}
        case "mssql":
            return {"login_timeout": _CONNECT_SECONDS}
    return {}
