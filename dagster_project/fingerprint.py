"""What a release is made of, as one hash, and the release id that carries it.

Belongs here: the only computation of the release fingerprint and of `release_id`.
Does not belong here: hashes inside a release (publishing), hashes of source files (sources).

Importable without Dagster, dbt or DuckDB: the nightly asks it first whether there is anything to do.
"""

from __future__ import annotations

import hashlib

from dagster_project.decisions import decisions_in_force
from dagster_project.grouping import grouping_choice
from dagster_project.settings import PROJECT_ROOT, Settings


def release_fingerprint(settings: Settings) -> str:
    """Hash of inputs, code, locked versions, province, the choice of DRG results and the decisions about the gate."""
    from expectations.content import sha256_file
    from publishing.provenance import FOLDERS, LOCK, folder_hash
    from sources.candidate import inputs_fingerprint

    parts = [
        settings.province,
        *grouping_choice(settings).as_vars().values(),
        inputs_fingerprint(settings.home),
        decisions_in_force(settings).model_dump_json(),
        *(folder_hash(PROJECT_ROOT / folder) for folder in FOLDERS),
        # contracts and landing code are part of the inputs' fingerprint; how landed files become views is not
        *(sha256_file(PROJECT_ROOT / "sources" / name) for name in ("candidate.py", "month_files.py")),
        sha256_file(PROJECT_ROOT / LOCK),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def release_id(last_month: str, fingerprint: str) -> str:
    """`R202412-0a1b2c3d4e`: last month with discharges (`YYYY-MM`) and what the release was made of."""
    return f"R{last_month.replace('-', '')}-{fingerprint[:10]}"


def current_release_id(settings: Settings) -> str | None:
    """The release that readers use now, or None."""
    return settings.current.resolve().name if settings.current.is_dir() else None


def is_current(settings: Settings, fingerprint: str) -> bool:
    """Whether the release that readers use was made of exactly this."""
    return (current_release_id(settings) or "").endswith(f"-{fingerprint[:10]}")


def nothing_to_do(settings: Settings) -> bool:
    """Whether nothing new arrived, nothing waits to be landed, and readers have what a run would make."""
    from sources import intake, landing, privacy

    key = privacy.load_key(settings.pseudonym_key_file)
    return (
        not intake.scan(settings.home).has_news
        and not landing.pending(settings.home, key)
        and is_current(settings, release_fingerprint(settings))
    )
