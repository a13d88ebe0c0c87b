"""A release or certificate computed once more from its recorded inputs, and the first cell that comes out otherwise.

Belongs here: what is computed again and with which it is compared. Does not belong here: setting up the inputs
(`recorded`), finding a differing cell (`publishing.diff`).

A certificate holds a part of a release's marts. Its evidence names the hash of each whole mart: those must come out,
and every row of the certificate must be among them.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dagster_project.dbt_command import side_candidate
from dagster_project.recorded import Record, build_recorded, method_of, open_record
from dagster_project.settings import Settings
from expectations.content import DATA, sha256_file
from publishing.diff import CellDifference, first_difference
from publishing.export import export_parquet, mart_specs
from publishing.manifest import DATAPACKAGE


@dataclass(frozen=True)
class Rebuilt:
    """What came of it. Without differences every mart has the recorded bytes."""

    record: str
    method: str
    marts: int
    engines: dict[str, tuple[str, str]]  # name -> (then, now), where they differ
    other_bytes: list[str]  # whole marts that came out in other bytes than recorded
    difference: CellDifference | None

    @property
    def is_identical(self) -> bool:
        """Whether every published cell came out."""
        return self.difference is None


def rebuild(settings: Settings, name: str) -> Rebuilt:
    """Compute a release or certificate anew and compare; raises RecordProblem where the inputs are gone."""
    record = open_record(settings, name)
    is_part = (record.folder / "evidence").exists()
    recorded = recorded_hashes(record)
    other_bytes: list[str] = []
    difference = None
    with computed_marts(settings, record, "rebuild") as (made, keys):
        for mart, sha256 in sorted(recorded.items()):
            file, published = made / f"{mart}.parquet", record.data / f"{mart}.parquet"
            is_same = file.exists() and sha256_file(file) == sha256
            if not is_same:
                other_bytes.append(mart)
            # what lies there may not be what was recorded, and of a certificate it is a part
            if not is_same or is_part or sha256_file(published) != sha256:
                difference = difference or first_difference(mart, published, file, keys.get(mart, ()), part=is_part)
    return Rebuilt(
        record.name, method_of(settings, record)[1], len(recorded), _engines(record), other_bytes, difference
    )


@contextmanager
def computed_marts(
    settings: Settings, record: Record, purpose: str, method: Path | None = None
) -> Iterator[tuple[Path, dict[str, tuple[str, ...]]]]:
    """The folder of the marts of a record, computed anew, and the keys of the marts."""
    with side_candidate(settings, purpose) as database:
        build_recorded(settings, record, database, method=method)
        specs = mart_specs(database.parent / "target" / "manifest.json")
        marts = database.parent / "marts"
        export_parquet(database, marts, specs)
        try:
            yield marts / DATA, {spec.name: spec.key for spec in specs}
        finally:
            shutil.rmtree(marts)


def recorded_hashes(record: Record) -> dict[str, str]:
    """Mart -> SHA-256 of the whole mart, as the release said it."""
    release = record.folder / "evidence" / "release.json"
    package = json.loads((release if release.exists() else record.folder / DATAPACKAGE).read_text(encoding="utf-8"))
    return {
        resource["name"]: resource["hash"].removeprefix("sha256:")
        for resource in package["resources"]
        if resource["format"] == "parquet"
    }


def _engines(record: Record) -> dict[str, tuple[str, str]]:
    """The engines that were others then."""
    then = record.provenance["engines"]
    now = {name: platform.python_version() if name == "python" else version(name) for name in then}
    return {name: (then[name], now[name]) for name in sorted(then) if then[name] != now[name]}
