"""Every path, key and limit of an installation.

Belongs here: where things lie, how much of the machine may be used, when a release counts as fresh.
Does not belong here: anything that changes a number (switches of the method are rows of a dbt seed), except which of
this installation's DRG results count: only here are its schemes known.

A value comes from the environment (`ZHUANKE_…`) or else from `<home>/zhuanke.toml`; nothing else is read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from dagster_project.connections import Connection
from sources.databases.config import Pull

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SETTINGS_FILE = "zhuanke.toml"


class SettingsError(Exception):
    """A setting is missing or wrong; the text says in Chinese which one and how to set it."""


class Target(BaseModel):
    """One `[targets.<name>]` table: a database that gets a copy of every release."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connection: str = Field(description="[connections.…] 的名称")
    prefix: str = Field(default="zhuanke", pattern=r"^[a-z][a-z0-9_]{0,19}$", description="库内模式（或表）名的前缀")
    reader: str | None = Field(default=None, description="可读全省数据的数据库角色")


class Settings(BaseSettings):
    """The settings of one installation. Build it with `load_settings`."""

    model_config = SettingsConfigDict(env_prefix="ZHUANKE_", extra="forbid", frozen=True)

    home: Path
    province_division: str | None = Field(
        default=None, pattern=r"^\d{6}$", description="本省行政区划代码，六位，如 510000"
    )
    pseudonym_key_file: Path = Field(
        default=Path("~/.config/zhuanke/pseudonym.key"), description="假名密钥文件，须在数据目录之外"
    )
    drg_source: Literal["auto", "own", "external"] = Field(
        default="auto", description="DRG 结果的来源：own 本系统分组，external 收到的分组结果，auto 有方案即自行分组"
    )
    drg_edition: str = Field(
        default="latest", description="分组方案版本：latest 最新一版，by_date 按出院日，或某一版本的编号"
    )
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="同时读取的文件数")
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="DuckDB 线程数")
    memory_limit: str = Field(default="4GB", pattern=r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$", description="DuckDB 内存上限")
    lock_wait_seconds: int = Field(default=600, ge=0, description="另一次运行占用时最多等待的秒数")
    freshness_hours: int = Field(default=26, ge=1, description="距上次成功检查超过此小时数即为过期")
    freshness_days: int = Field(default=40, ge=1, description="距上次发布超过此天数即为过期（数据按月到达）")
    extract_due_day: int = Field(default=15, ge=1, le=28, description="上月病案首页应在本月此日之前报送")
    alert_urls_file: Path | None = Field(
        default=None, description="提醒的去向，每行一个地址；权限 0600 的文件，或改用环境变量 ZHUANKE_ALERT_URLS"
    )
    feedback_working_days: int = Field(default=10, ge=1, description="数据质量反馈的整改期限（工作日）")

    preview_days: int = Field(default=15, ge=1, description="证书公示、受理异议的天数")
    ruling_days: int = Field(default=10, ge=1, description="异议须在此天数之内裁定")

    connections: dict[str, Connection] = Field(default_factory=dict, description="数据库连接")
    pulls: dict[Annotated[str, Field(pattern=r"^[\w-]{1,60}$")], Pull] = Field(
        default_factory=dict, description="从数据库拉取的表"
    )
    targets: dict[str, Target] = Field(default_factory=dict, description="发布后同步的目标库")

    @field_validator("home", "pseudonym_key_file", "alert_urls_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file in the home; no .env file, no secrets folder."""
        home = Path(init_settings()["home"])
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / SETTINGS_FILE)

    @property
    def province(self) -> str:
        """The province whose release is made; a run cannot start without it."""
        if self.province_division is None:
            raise SettingsError(
                f"未设置本省行政区划代码。请在 {self.home / SETTINGS_FILE} 写入 "
                'province_division = "510000"（六位代码），或设置环境变量 ZHUANKE_PROVINCE_DIVISION。'
            )
        return self.province_division

    @property
    def inbox(self) -> Path:
        """Where files arrive, one folder per system."""
        return self.home / "inbox"

    @property
    def work(self) -> Path:
        """One folder per run: candidate database and exported marts; removed after publishing."""
        return self.home / "work"

    @property
    def releases(self) -> Path:
        """Published releases, immutable."""
        return self.home / "releases"

    @property
    def current(self) -> Path:
        """The pointer to the release that readers use."""
        return self.home / "current"

    @property
    def certified(self) -> Path:
        """Certificates: drafts, issued bundles and the register."""
        return self.home / "certified"

    @property
    def service(self) -> Path:
        """The read-only service's tokens and audit log."""
        return self.home / "service"

    @property
    def verdicts(self) -> Path:
        """What the gate decided, by the hash of what it judged."""
        return self.home / "verdicts"

    @property
    def decisions(self) -> Path:
        """What people decided about the gate: thresholds and overrides, appended to, never rewritten."""
        return self.home / "gate" / "decisions.jsonl"

    @property
    def keyring(self) -> Path:
        """The public keys of those who sign certificates."""
        return self.home / "certified" / "keyring.json"

    @property
    def logs(self) -> Path:
        """One text log per run and the journal of runs."""
        return self.home / "logs"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own records (DAGSTER_HOME)."""
        return self.home / "dagster"

    @property
    def cache(self) -> Path:
        """What can be thrown away at any time: parsed dbt manifests, counts of landed files."""
        return self.home / "cache"

    @property
    def run_lock(self) -> Path:
        """Locked by the run that writes this home."""
        return self.home / "run.lock"


def load_settings(home: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings of `home` (else ZHUANKE_HOME, else ./data), or say in Chinese what is wrong."""
    chosen = (home or Path(os.environ.get("ZHUANKE_HOME") or "data")).expanduser().absolute()
    try:
        return Settings(home=chosen, **overrides)
    except ValidationError as error:
        raise SettingsError("设置有误：\n  " + "\n  ".join(map(_told, error.errors()))) from None
    except ValueError as error:  # a TOML file that does not parse
        raise SettingsError(f"无法读取 {chosen / SETTINGS_FILE}：{error}") from error


def _told(fault: Any) -> str:
    place = ".".join(map(str, fault["loc"]))
    # somebody may have written a password where none belongs: what stands there is not repeated
    shown = "" if fault["loc"][:1] == ("connections",) else f"（现值 {fault['input']!r}）"
    return f"{place}：{fault['msg']}{shown}"
