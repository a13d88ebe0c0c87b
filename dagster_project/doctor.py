"""What `zhuanke doctor` looks at: can this machine run the night?"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dagster_project.settings import Settings, SettingsError, load_settings

Level = Literal["ok", "warn", "fail"]

_PACKAGES = (
    "dagster",
    "dagster-dbt",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "great-expectations",
    "pandas",
    "pyarrow",
)
_DISK_WARN_GIB = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    title: str
    text: str


def examine(home: Path | None) -> list[Finding]:
    """Look at everything; nothing is changed except that the home is created."""
    findings = [_python(), _packages(), _sm3(), _dbt()]
    try:
        settings = load_settings(home)
    except SettingsError as error:
        return [*findings, Finding("fail", "设置", str(error))]
    return [
        *findings,
        _province(settings),
        _key(settings),
        _home(settings),
        _disk(settings),
        _memory(settings),
    ]


def _python() -> Finding:
    level: Level = "ok" if sys.version_info >= (3, 11) else "fail"
    return Finding(level, "Python", f"{sys.version.split()[0]}（{sys.executable}）")


def _packages() -> Finding:
    versions, missing = [], []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("fail", "软件包", f"缺少 {'、'.join(missing)}；请按 requirements.lock 安装")
    return Finding("ok", "软件包", "，".join(versions))


def _sm3() -> Finding:
    # the standard's own example (GB/T 32905, appendix A.1)
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    try:
        fits = hashlib.new("sm3", b"abc").hexdigest() == expected
    except ValueError:
        fits = False
    return Finding("ok" if fits else "fail", "国密 SM3", "可用" if fits else "不可用：需要带 SM3 的 OpenSSL 1.1.1 以上")


def _dbt() -> Finding:
    path = Path(sys.executable).parent / "dbt"
    return Finding("ok" if path.exists() else "fail", "dbt 命令", str(path) if path.exists() else f"找不到 {path}")


def _province(settings: Settings) -> Finding:
    try:
        return Finding("ok", "本省区划", settings.province)
    except SettingsError as error:
        return Finding("fail", "本省区划", str(error))


def _key(settings: Settings) -> Finding:
    from sources.privacy import KeyProblem, load_key

    path = settings.pseudonym_key_file
    try:
        load_key(path)
    except KeyProblem as error:
        return Finding("fail", "假名密钥", str(error))
    if path.resolve().is_relative_to(settings.home.resolve()):
        return Finding("fail", "假名密钥", f"{path} 在数据目录之内：密钥与数据不得放在一起")
    return Finding("ok", "假名密钥", f"{path}（仅本人可读）")


def _home(settings: Settings) -> Finding:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        writable = os.access(settings.home, os.W_OK | os.X_OK)
    except OSError as error:
        return Finding("fail", "数据目录", f"{settings.home}：{error.strerror}")
    return Finding("ok" if writable else "fail", "数据目录", f"{settings.home}{'' if writable else '：不可写'}")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home if settings.home.exists() else settings.home.parent).free / 2**30
    level: Level = "ok" if free >= _DISK_WARN_GIB else "warn"
    return Finding(level, "可用磁盘", f"{free:.0f} GiB" + ("" if level == "ok" else f"，少于 {_DISK_WARN_GIB} GiB"))


def _memory(settings: Settings) -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    number = float("".join(c for c in settings.memory_limit if c.isdigit() or c == "."))
    limit = number / (1024 if settings.memory_limit.endswith(("MB", "MiB")) else 1)
    level: Level = "ok" if limit <= total * 0.8 else "warn"
    return Finding(
        level,
        "处理器与内存",
        f"{os.cpu_count()} 核，{total:.0f} GiB；读取 {settings.workers} 进程，"
        f"DuckDB {settings.threads} 线程、上限 {settings.memory_limit}"
        + ("" if level == "ok" else "（超过内存的八成，请调低 memory_limit）"),
    )
