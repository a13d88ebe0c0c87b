"""The night suite: a province that is landed and released receives one more month.

Belongs here: its contenders, where the time of a night went, and what the product promises.  Does not belong here:
whether a night computes what it should (``tests/integration/test_job.py``).

``python -m benchmarks.night STEP …`` runs one step in a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import REPOSITORY
from benchmarks.suite import Command, Contender, Promise, Suite, Summary
from benchmarks.warehouse import beside_python

NIGHT, IDLE = "zhuanke run: one new month", "zhuanke run: nothing to do"
HELP, DEFINITIONS = "zhuanke --help", "Dagster loads the definitions"
_PROMISED = 30_000_000  # discharges, of which the new month is a thirty-seventh
_LIMITS = {NIGHT: 120.0, IDLE: 10.0, HELP: 0.4, DEFINITIONS: 8.0}  # seconds
_HOSPITALS = 100  # of a large province; a trial run has fewer
_FEWEST = 74  # discharges of a hospital in its thirty-seven months
_MONTHS = 37
_LAST = re.compile("2025[M-]?01")  # the thirty-seventh month, as it stands in names of files


def prepare(folder: Path, size: int) -> list[Contender]:
    """A finished home without its last month; each round starts from a copy of it."""
    finished, late, home = folder / "finished", folder / "late", folder / "home"
    known = {"ZHUANKE_PSEUDONYM_KEY_FILE": str(folder / "pseudonym.key")}
    zhuanke = beside_python("zhuanke")
    night: Command = [zhuanke, "run", "--home", home]

    def run(command: Command) -> None:
        subprocess.run(
            list(map(str, command)), env={**os.environ, **known}, cwd=REPOSITORY, check=True, stdout=sys.stderr
        )

    def one_more_month() -> None:
        _remove(home)
        shutil.copytree(finished, home, symlinks=True)
        shutil.copytree(late, home / "inbox", dirs_exist_ok=True)

    run(_step("write", home, late, size))
    run([zhuanke, "key", "pseudonym"])
    for scheme in sorted((home / "demo_schemes").iterdir()):
        run([zhuanke, "scheme", "import", scheme, "--home", home])
    # under the path where it will run again: dbt parses anew when that changes
    run(night)
    home.rename(finished)

    released = _step("released", home)
    return [
        Contender(NIGHT, size, night, one_more_month, released, known, parts=_step("parts", home)),
        Contender(IDLE, 0, night, check=released, environment=known),
        Contender(HELP, 0, [zhuanke, "--help"]),
        Contender(
            DEFINITIONS,
            0,
            [sys.executable, "-c", "import dagster_project.definitions"],
            environment={**known, "ZHUANKE_HOME": str(home)},
        ),
    ]


def promises(summary: Summary) -> list[Promise]:
    """What the product promises of a night, judged on the largest size."""
    size = summary.sizes[-1]
    tried = f"{size:,}" if size >= _PROMISED else f"only {size:,}, not {_PROMISED:,}"
    about = {NIGHT: f", at {_PROMISED:,} discharges", IDLE: f", at {_PROMISED:,} discharges"}
    return [
        Promise(
            f"{contender}: at most {limit:g} s{about.get(contender, '')}",
            f"{summary.wall(size, contender):.1f} s, {summary.cpu(size, contender):.1f} s of CPU"
            + (f", at {tried}" if contender in about else ""),
            summary.wall(size, contender) <= limit,
        )
        for contender, limit in _LIMITS.items()
    ]


def _remove(home: Path) -> None:
    """Releases are read-only, their folders too."""
    for folder, _, _ in os.walk(home):
        Path(folder).chmod(0o700)
    shutil.rmtree(home, ignore_errors=True)


def _step(name: str, *arguments: object) -> Command:
    return [sys.executable, "-m", "benchmarks.night", name, *map(str, arguments)]


# ------------------------------------------------------------------------------------------------ steps


def _write(home: str, late: str, size: str) -> None:
    """The demo's province, and apart from it the files of its last month."""
    from sources.synthetic import write_demo_schemes, write_province

    folder = Path(home)
    hospitals = min(_HOSPITALS, int(size) // _FEWEST)
    write_province(folder, hospitals=hospitals, months=_MONTHS, discharges=int(size), broken_files=False)
    write_demo_schemes(folder / "demo_schemes", 2022)
    (folder / "zhuanke.toml").write_text('province_division = "990000"\n', encoding="utf-8")
    inbox = folder / "inbox"
    for file in sorted(path for path in inbox.rglob("*") if path.is_file() and _LAST.search(path.name)):
        target = Path(late) / file.relative_to(inbox)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)


def _released(home: str) -> None:
    """The marts that readers have; equal in every round."""
    digest = hashlib.sha256()
    for file in sorted((Path(home) / "current" / "data").glob("*.parquet")):
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    print(json.dumps({"release": digest.hexdigest()}))


def _parts(home: str) -> None:
    """Seconds by step as Dagster recorded them; dbt's nodes within theirs, by folder and kind."""
    import dagster as dg

    from dagster_project.instance import open_instance
    from dagster_project.run import step_title
    from dagster_project.settings import load_settings

    settings = load_settings(Path(home))
    kind = _kinds(next(settings.cache.glob("dbt/*/manifest.json")))
    seconds: defaultdict[str, float] = defaultdict(float)
    warehouse = step_title("warehouse")
    with open_instance(settings) as instance:
        last = instance.get_runs(limit=1)[0].run_id
        for entry in instance.all_logs(last):
            event = entry.dagster_event
            if event is None or event.step_key is None:
                continue
            if event.event_type == dg.DagsterEventType.STEP_SUCCESS:
                seconds[step_title(event.step_key)] += event.step_success_data.duration_ms / 1000
            elif event.step_key == "warehouse" and (metadata := _of_node(event)):
                spent = float(metadata["Execution Duration"].value)
                seconds[f"{warehouse}: {kind[metadata['unique_id'].value]}"] += spent
                seconds[warehouse] -= spent
    seconds[f"{warehouse}: start of dbt, promises, records of Dagster"] = seconds.pop(warehouse)
    print(json.dumps({name: round(spent, 3) for name, spent in seconds.items()}))


def _kinds(manifest: Path) -> dict[str, str]:
    """Models by folder, seeds as one."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    return {
        name: Path(node["path"]).parent.as_posix() if node["resource_type"] == "model" else f"{node['resource_type']}s"
        for name, node in nodes.items()
    }


def _of_node(event: Any) -> Any:
    """What dagster-dbt noted about a node, if it is one that dbt timed."""
    if event.event_type_value != "ASSET_MATERIALIZATION":
        return None
    metadata = event.step_materialization_data.materialization.metadata
    return metadata if "Execution Duration" in metadata else None


SUITE = Suite(
    name="night",
    title="A night",
    about="""\
The demo's province in a hundred hospitals, landed, grouped and released; then the files of its thirty-seventh month
arrive. Measured are the commands as an operator types them. Records are the discharges of the whole province, because
everything behind landing is computed afresh.""",
    sizes=(100_000, 1_000_000),
    baseline=NIGHT,
    prepare=prepare,
    promises=promises,
)

if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {"write": _write, "released": _released, "parts": _parts}
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=steps)
    parser.add_argument("arguments", nargs="*")
    chosen = parser.parse_args()
    steps[chosen.step](*chosen.arguments)
