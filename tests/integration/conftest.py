"""The second home: the same inputs, other circumstances.

It is worked without a network, with other numbers of threads and processes, and while two more runs are started on
it: one that will not wait and one that will. One whole job serves the proofs of all of these.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from support.job import Finished, Job, wait_until
from support.network import offline_environment, offline_wrapper


@dataclass(frozen=True)
class SecondHome:
    path: Path
    first: Finished
    impatient: Finished
    patient: Finished
    network_attempts: str


@pytest.fixture(scope="session")
def second_home(shared, small_inbox: Path, job: Job) -> SecondHome:
    def build(folder: Path) -> None:
        home, attempts = folder / "home", folder / "attempts.txt"
        shutil.copytree(small_inbox, home / "inbox")
        attempts.touch()
        output = folder / "first.out"
        running = job.start(
            home,
            "run",
            output=output,
            environment={**offline_environment(attempts), "ZHUANKE_THREADS": "1", "ZHUANKE_WORKERS": "2"},
            wrapper=offline_wrapper(),
        )
        assert wait_until((home / "receipts" / "intake.jsonl").exists, running), output.read_text()
        impatient = job.run(home, environment={"ZHUANKE_LOCK_WAIT_SECONDS": "1"})
        patient = job.run(home, environment={"ZHUANKE_LOCK_WAIT_SECONDS": "300"})
        first = Finished(running.wait(), output.read_text(encoding="utf-8", errors="replace"), 0.0)
        outcomes = {"first": first, "impatient": impatient, "patient": patient}
        (folder / "outcomes.json").write_text(json.dumps({k: asdict(v) for k, v in outcomes.items()}))

    folder = shared("second_home", build)
    outcomes = json.loads((folder / "outcomes.json").read_text())
    return SecondHome(
        folder / "home",
        **{name: Finished(**outcome) for name, outcome in outcomes.items()},
        network_attempts=(folder / "attempts.txt").read_text(encoding="utf-8"),
    )
