"""dbt as a command: where it is, what its profile reads from the environment, and a warehouse on the side.

Belongs here: calls of dbt's own program. Does not belong here: dbt inside a Dagster run (`defs.transform`), SQL.
Importable without Dagster and dbt.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from dagster_project.settings import PROJECT_ROOT, Settings

DBT = Path(sys.executable).parent / "dbt"
DBT_FOLDER = PROJECT_ROOT / "dbt"


def profile_environment(settings: Settings, database: Path) -> dict[str, str]:
    """What dbt's profile reads, for a candidate at `database`."""
    return {
        "ZHUANKE_CANDIDATE": str(database),
        "ZHUANKE_THREADS": str(settings.threads),
        "ZHUANKE_MEMORY_LIMIT": settings.memory_limit,
        "ZHUANKE_TEMP_DIRECTORY": str(database.parent / "spill"),
    }


def run_dbt(
    settings: Settings, database: Path, target: Path, arguments: Sequence[str], project: Path = DBT_FOLDER
) -> None:
    """Run dbt in a process of its own, its files under `target`; raises RuntimeError with dbt's words."""
    command: list[str | Path] = [DBT, "--quiet", "--no-use-colors", *arguments]
    command += ["--profiles-dir", project, "--target-path", target, "--log-path", target]
    environment = {**os.environ, **profile_environment(settings, database)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"dbt {arguments[0]} 没有完成：\n{done.stdout}{done.stderr}")


@contextmanager
def side_candidate(settings: Settings, purpose: str) -> Iterator[Path]:
    """The path of a database away from the nightly's; always the same, because dbt parses anew when it changes."""
    folder = settings.cache / "side" / purpose
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "candidate.duckdb"
    with FileLock(folder / "lock"):
        database.unlink(missing_ok=True)
        try:
            yield database
        finally:
            database.unlink(missing_ok=True)


def build_aside(settings: Settings, database: Path, selection: Sequence[str], variables: Mapping[str, str]) -> None:
    """Build the selected models, and the seeds that they read, in a side candidate."""
    # a place that no file of cases needs, but that dbt insists on
    given = {"province_division": settings.province_division or "000000", **variables}
    arguments = ["build", "--select", *selection, "--exclude-resource-type", "test", "unit_test"]
    run_dbt(settings, database, database.parent / "target", [*arguments, "--vars", json.dumps(given)])
