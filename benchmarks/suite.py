"""What a suite of measurements is made of: contenders, their runs, and what the runs say.

Belongs here: the vocabulary shared by the suites, the harness and the report.  Does not belong here: measuring
(:mod:`benchmarks.measure`) and rendering (:mod:`benchmarks.report`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Contender:
    """One way to do a job.

    ``command`` is measured.  ``before`` puts things back to where they were; ``check`` prints a JSON object, digests
    by name; neither is measured.  Digests of one name are equal in all runs of one size, whoever computes them.
    ``parts`` prints a JSON object too, also unmeasured: where the run itself recorded that its seconds went.
    """

    name: str
    records: int
    command: Command
    before: Callable[[], object] | None = None
    check: Command | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    parts: Command | None = None


@dataclass(frozen=True)
class Run:
    """One measured run of a contender at a size of the suite; ``records`` is what it worked on itself."""

    suite: str
    size: int
    contender: str
    records: int
    wall_s: float
    cpu_s: float
    peak_mib: float
    digests: Mapping[str, str]
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Promise:
    """A figure that must hold, and what it was."""

    text: str
    measured: str
    holds: bool


@dataclass(frozen=True)
class Suite:
    """Contenders for one job, at several sizes.

    ``start_up`` names for a contender the one that does nothing but start as it does: its median is taken off before
    anything is divided by records.  ``baseline`` is the contender that the others are compared with.
    """

    name: str
    title: str
    about: str
    sizes: tuple[int, ...]
    baseline: str
    prepare: Callable[[Path, int], list[Contender]]
    promises: Callable[[Summary], list[Promise]]
    start_up: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """All runs of a suite, asked by size and contender."""

    suite: Suite
    runs: Sequence[Run]

    @property
    def sizes(self) -> list[int]:
        return sorted({run.size for run in self.runs})

    def contenders(self, size: int) -> list[str]:
        """In the order in which they ran."""
        return list(dict.fromkeys(run.contender for run in self.runs if run.size == size))

    def of(self, size: int, contender: str) -> list[Run]:
        return [run for run in self.runs if (run.size, run.contender) == (size, contender)]

    def cpu(self, size: int, contender: str) -> float:
        return statistics.median(run.cpu_s for run in self.of(size, contender))

    def wall(self, size: int, contender: str) -> float:
        return statistics.median(run.wall_s for run in self.of(size, contender))

    def peak(self, size: int, contender: str) -> float:
        return max(run.peak_mib for run in self.of(size, contender))

    def parts(self, size: int, contender: str) -> dict[str, float]:
        """Median seconds by part, and what lies outside all parts; nothing for what has no parts."""
        runs = [run for run in self.of(size, contender) if run.parts]
        found = {part: statistics.median(run.parts.get(part, 0) for run in runs) for run in runs for part in run.parts}
        outside = [run.wall_s - sum(run.parts.values()) for run in runs]
        return {**found, "outside the steps": statistics.median(outside)} if runs else {}

    def per_record(self, size: int, contender: str) -> float | None:
        """CPU microseconds a record without the start-up; None for what has no records."""
        records = self.of(size, contender)[0].records
        start_up = self.suite.start_up.get(contender)
        net = self.cpu(size, contender) - (self.cpu(size, start_up) if start_up else 0)
        return net / records * 1e6 if records else None

    def growth(self, contender: str) -> float | None:
        """Exponent of CPU time in the number of records: 1 is in proportion."""
        points = [
            (math.log(self.of(size, contender)[0].records), math.log(each))
            for size in self.sizes
            if contender in self.contenders(size) and (each := self.per_record(size, contender) or 0) > 0
        ]
        if len({x for x, _ in points}) < 2:
            return None
        return 1 + statistics.linear_regression(*zip(*points, strict=True)).slope
