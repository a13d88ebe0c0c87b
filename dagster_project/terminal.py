"""What every command has in common: options of one name and one meaning, and how lines reach the terminal.

Belongs here: whatever would otherwise be declared beside each group of commands. Does not belong here: what is said
(the commands, `views`). Rich is imported when something is printed, because `zhuanke --help` must answer at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

Home = Annotated[
    Path | None,
    typer.Option("--home", help="数据目录（默认取 ZHUANKE_HOME，否则 ./data）", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取")]
By = Annotated[str, typer.Option("--by", help="经办人", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="理由", show_default=False)]

MARKS = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


def terminal() -> Console:
    """Standard output as it is: no colours for numbers, no line broken that is piped on."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)
