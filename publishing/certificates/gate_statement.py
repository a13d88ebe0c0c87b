"""What signers sign of the quality gate: an in-toto Statement whose predicate is the common test result.

Belongs here: that statement. It says nothing that the evidence in the bundle does not say, so whoever has the bundle
can make it again; tools that know no certificate read from it that a release was tested, and how. Does not belong here:
signatures (`dsse`), the statement about the bundle's own files (`statement`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from publishing.certificates.canonical import canonical
from publishing.certificates.statement import ATTEST, STATEMENT_TYPE
from publishing.manifest import VERDICT, digests

GATE_ENVELOPE = f"{ATTEST}/gate.dsse.json"
TESTED = "evidence/release.json"  # names and hashes every file of the release that was judged
_TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"


def gate_statement(folder: Path) -> bytes:
    """For an envelope; equal evidence, equal bytes."""
    verdict = json.loads((folder / "evidence" / VERDICT).read_bytes())
    outcomes: dict[str, set[str]] = {"passed": set(), "warned": set(), "failed": set()}
    for result in verdict["results"]:
        if result["status"] != "not_applicable":
            outcomes[_outcome(result)].add(result["id"])
    worst = next((name for name in ("failed", "warned") if outcomes[name]), "passed")
    tested = digests(folder / TESTED)
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "predicateType": _TEST_RESULT,
            "subject": [
                {"name": TESTED, "digest": {"sha256": tested["hash"].removeprefix("sha256:"), "sm3": tested["sm3"]}}
            ],
            "predicate": {
                "result": worst.upper(),
                # rules, suites, judging code, engines and decisions have one hash
                "configuration": [{"name": "expectations", "digest": {"sha256": verdict["judged_by"]}}],
                **{f"{name}Tests": sorted(identifiers) for name, identifiers in outcomes.items()},
            },
        }
    )


def _outcome(result: Mapping[str, Any]) -> str:
    """A failure that does not close the gate, by its severity or by a decision, is a warning."""
    if result["status"] == "passed":
        return "passed"
    return "failed" if result["severity"] == "critical" and not result["is_let_through"] else "warned"
