"""The nightly's own dbt commands, over a candidate that a suite prepared.

Belongs here: how dbt is called.  Does not belong here: what is built and what it costs (the suites).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import REPOSITORY
from benchmarks.suite import Command

QUALITY = ("path:models/intermediate/quality", "path:models/marts/quality", "fct_dq_result")
NOTHING = ("resource_type:unit_test",)  # selects what is left out


def beside_python(command: str) -> Path:
    """A command of the environment that this process runs in."""
    return Path(sys.executable).with_name(command)


def build(target: Path, selection: Sequence[str], exclude: Sequence[str] = ()) -> Command:
    """``dbt build`` of a selection without its tests; the candidate is named by the environment."""
    project = REPOSITORY / "dbt"
    command: list[str | Path] = [beside_python("dbt"), "--quiet", "build", "--select", *selection]
    command += ["--exclude", *exclude] if exclude else []
    command += ["--exclude-resource-type", "unit_test", "test"]
    command += ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
    return [*command, "--vars", json.dumps({"province_division": "990000"})]


def environment(candidate: Path) -> dict[str, str]:
    """What dbt needs to know about the machine."""
    return {"ZHUANKE_CANDIDATE": str(candidate), "DO_NOT_TRACK": "1"}
