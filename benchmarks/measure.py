"""One contender at a time, each in a process of its own: wall, CPU seconds, peak memory, and what it computed.

Belongs here: running and measuring.  Does not belong here: what is run (the suites), and what is made of the
numbers (:mod:`benchmarks.report`).

CPU seconds (user and system, of the process and all its children) are the main figure: other work on the machine
lengthens the wall time, hardly the CPU time.  The peak is that of the largest process.  It begins with the memory of
the process that it was forked from, so this one imports nothing large.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.suite import Command, Contender, Run

_PACKAGES = ("duckdb", "dbt-core", "dbt-duckdb", "pyarrow", "numpy", "pandas", "polars")
REPOSITORY = Path(__file__).resolve().parent.parent
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class DifferentResultsError(Exception):
    """Two contenders, or two runs of one, did not compute the same."""


def interleaved(suite: str, size: int, contenders: Sequence[Contender], rounds: int) -> Iterator[Run]:
    """Measure every contender once per round, so that a slow hour of the machine strikes all of them."""
    seen: dict[str, tuple[str, str]] = {}
    for _ in range(rounds):
        for contender in contenders:
            run = _measure(suite, size, contender)
            for name, digest in run.digests.items():
                first, expected = seen.setdefault(name, (contender.name, digest))
                if digest != expected:
                    raise DifferentResultsError(f"{suite}, {size:,} records: {contender.name} and {first}: {name}")
            yield run


def _measure(suite: str, size: int, contender: Contender) -> Run:
    if contender.before:
        contender.before()
    environment = {**os.environ, **contender.environment}
    started = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in contender.command],
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{contender.name} failed:\n{output.decode(errors='replace')[-4_000:]}")
    return Run(
        suite,
        size,
        contender.name,
        contender.records,
        round(wall, 3),
        round(usage.ru_utime + usage.ru_stime, 3),
        round(usage.ru_maxrss * _RSS_UNIT / (1 << 20), 1),
        output_of(contender.check) if contender.check else {},
        output_of(contender.parts) if contender.parts else {},
    )


def output_of(command: Command) -> Any:
    """The JSON value that an unmeasured helper process prints."""
    done = subprocess.run([str(part) for part in command], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def machine() -> dict[str, str]:
    """What the figures depend on, without the machine's name."""
    return {
        "processor": _from_proc("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _from_proc(path: str, key: str) -> str | None:
    if not Path(path).exists():
        return None
    lines = (line.partition(":") for line in Path(path).read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), None)
