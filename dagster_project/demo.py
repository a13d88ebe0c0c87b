"""The invented province: what `zhuanke synth` and `zhuanke demo` prepare before an ordinary run.

Belongs here: inbox, grouping scheme, key and settings of the demo. Does not belong here: what the province looks like
(`sources.synthetic`), or any special path through the run; the demo runs exactly what a province runs.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.settings import SETTINGS_FILE, Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console

DEMO_PROVINCE = "990000"
DEMO_SCHEMES = "demo_schemes"


def write_inbox(console: Console, target: Path, **size: Any) -> None:
    """Write the invented province under `target`, with a progress bar, and the packages of its grouping scheme."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from sources.synthetic import write_demo_schemes, write_province

    if any(path.is_file() for path in (target / "inbox").rglob("*")):
        raise ValueError(f"{target / 'inbox'} 里已有文件；演示省只写入空的收件箱，以免与别的数据混在一起。")
    # beside the inbox, so that a run never meets half a province
    unfinished = target / ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    for made in ("inbox", DEMO_SCHEMES):
        shutil.rmtree(target / made, ignore_errors=True)
    size.setdefault("workers", os.cpu_count() or 1)
    columns = (
        TextColumn("生成虚构的云岫省"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None)
        summary = write_province(
            unfinished, **size, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    write_demo_schemes(unfinished / DEMO_SCHEMES, int(summary.months[0][:4]))
    # the inbox comes last: where it stands, the rest does
    for path in sorted(unfinished.iterdir(), key=lambda path: path.name == "inbox"):
        path.rename(target / path.name)
    unfinished.rmdir()
    console.print(f"  [green]✓[/] 收件箱：{target / 'inbox'}  [dim]{summary.discharges:,} 人次[/]")
    console.print(f"  [green]✓[/] 分组方案包（虚构）：{target / DEMO_SCHEMES}")


def _import_schemes(home: Path, console: Console) -> None:
    """Import the packages that came with the inbox; importing them again changes nothing."""
    from sources.scheme.package import open_package
    from sources.scheme.store import import_package

    for folder in sorted((home / DEMO_SCHEMES).glob("*/")):
        with open_package(folder) as package:
            imported = import_package(home, package)
        if imported.is_new:
            console.print(f"  [green]✓[/] 分组方案：{imported.description['edition_id']}")


def prepare_demo(home: Path | None, console: Console) -> Settings:
    """Whatever is missing of inbox, key and settings; what exists is left as it is."""
    from sources.privacy import new_key

    settings = load_settings(home)
    settings.home.mkdir(parents=True, exist_ok=True)
    if settings.province_division is None:
        file = settings.home / SETTINGS_FILE
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f'# 虚构的云岫省；换成本省的六位行政区划代码\nprovince_division = "{DEMO_PROVINCE}"\n')
        console.print(f"  [green]✓[/] 设置：{file}")
        settings = load_settings(home)
    if not settings.pseudonym_key_file.exists():
        new_key(settings.pseudonym_key_file)
        console.print(f"  [green]✓[/] 假名密钥：{settings.pseudonym_key_file}")
    if not any(path.is_file() for path in settings.inbox.rglob("*")):
        write_inbox(console, settings.home)
    _import_schemes(settings.home, console)
    return settings
