"""Where the numbers of a release come from: code, rules, reference data, input files, engines, switches.

Belongs here: collecting facts that are a function of code and inputs.
Does not belong here: times, paths, names of people or machines; those would make equal releases differ.
"""

from __future__ import annotations

import csv
import json
import platform
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from expectations.content import sha256_file, tree_hash

LOCK = "requirements.lock"
SWITCHES = Path("dbt/seeds/indicators/switches.csv")
# What shapes the numbers, hashed folder by folder so that a difference names its room
FOLDERS = ("dbt", "sources/contracts", "sources/reference", "expectations", "publishing")
SUFFIXES = {".py", ".sql", ".yml", ".csv"}
NOT_SOURCE = {"target", "logs", "__pycache__", "dbt_packages"}
ENGINES = ("duckdb", "dbt-core", "dbt-duckdb", "great-expectations", "highspy", "pandas", "pyarrow")


def collect_provenance(
    project: Path, candidate_db: Path, *, receipts: Path, province: str, grouping: Mapping[str, str]
) -> dict[str, Any]:
    """All provenance of the marts in this candidate, as plain JSON values; `grouping`: whose DRG results count.

    Complete enough to compute the same numbers again: besides code and settings, the files that supply each slice, the
    other files that were counted, what was held back and the thresholds under which.
    """
    return {
        "code": {
            **_commit(project),
            "lock_sha256": sha256_file(project / LOCK),
            "folders": {folder: folder_hash(project / folder) for folder in FOLDERS},
        },
        "engines": {"python": platform.python_version(), **{name: version(name) for name in ENGINES}},
        "switches": _switches(project / SWITCHES),
        "province_division": province,
        "grouping": dict(grouping),
        **_candidate_facts(candidate_db, receipts),
    }


def folder_hash(folder: Path) -> str:
    """Hash of the source files of a folder."""
    return tree_hash(folder, source_files(folder))


def source_files(folder: Path) -> list[Path]:
    """The source files of a folder, in order; what tools leave there does not count."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and not NOT_SOURCE.intersection(path.relative_to(folder).parts)
    ]


def _commit(project: Path) -> dict[str, Any]:
    """Commit and cleanness of the tree; both unknown where the code runs outside a git checkout."""
    if not (project / ".git").exists():
        return {"commit": None, "clean": None}
    changes = _git(project, "status", "--porcelain")
    return {"commit": _git(project, "rev-parse", "HEAD"), "clean": changes == ""}


def _git(project: Path, *arguments: str) -> str | None:
    try:
        command = ["git", "-C", str(project), *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def _switches(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["switch_id"]: {"value": row["value"], "status": row["status"]} for row in rows}


def _candidate_facts(candidate_db: Path, receipts: Path) -> dict[str, Any]:
    import duckdb

    with duckdb.connect() as connection:
        path = str(candidate_db).replace("'", "''")
        connection.execute(f"attach '{path}' as candidate (read_only)")
        files = _rows(
            connection,
            "select distinct dataset, source_sha256, layout, encoding, rows_read, rows_landed, "
            "rows_quarantined from candidate.landing.receipt where in_force order by all",
        )
        unused = _rows(
            connection,
            "select distinct dataset, source_sha256, refused from candidate.landing.receipt "
            "where not in_force order by all",
        )
        slices = dict(
            connection.execute(
                "select (dataset, source_sha256), list(slice order by slice) from candidate.landing.in_force group by 1"
            ).fetchall()
        )
        return {
            "inputs": [
                file
                | _landed(receipts, file["source_sha256"])
                | {"slices": slices[file["dataset"], file["source_sha256"]]}
                | {"landed": _outputs(receipts, file["source_sha256"])}
                for file in files
            ],
            # superseded, held back or refused: no number rests on them, but the counts of quality do
            "inputs_not_used": [file | _landed(receipts, file["source_sha256"]) for file in unused],
            "held_back": _rows(connection, "select * from candidate.gate.held_back order by all"),
            "passed_over": _rows(connection, "select * from candidate.gate.passed_over order by all"),
            "thresholds": _rows(connection, "select * from candidate.gate.threshold order by all"),
            "editions": {
                "surgery_catalogue": _distinct(connection, "surgery_catalogue", "edition"),
                "drg_scheme": _distinct(connection, "drg_result", "scheme_edition"),
            },
            "schemes": _rows(
                connection,
                "select edition_id, name_zh, owner, licence, content_sha256, content_sm3 "
                "from candidate.scheme.scheme order by edition_id",
            ),
        }


def _rows(connection: Any, query: str) -> list[dict[str, Any]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in found.fetchall()]


def _plain(value: Any) -> Any:
    """As JSON can say it: a decimal stays exact as text."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def _distinct(connection: Any, dataset: str, column: str) -> list[str]:
    query = f"select distinct {column} from candidate.landing.{dataset} where {column} is not null order by 1"
    return [row[0] for row in connection.execute(query).fetchall()]


def _landed(receipts: Path, sha256: str) -> dict[str, str]:
    """What the receipt of an input file adds: its SM3, and the method (contracts, code, key) by which it was landed."""
    receipt = json.loads((receipts / f"{sha256}.json").read_text(encoding="utf-8"))
    return {"source_sm3": receipt["source"]["sm3"], "method": receipt["method"]}


def _outputs(receipts: Path, sha256: str) -> list[dict[str, str]]:
    """The landed files of an input file, with the hash by which an altered one is found."""
    receipt = json.loads((receipts / f"{sha256}.json").read_text(encoding="utf-8"))
    paths = [output["path"] for output in receipt["outputs"]]
    return [{"path": path, "sha256": sha256_file(receipts.parent / path)} for path in paths]
