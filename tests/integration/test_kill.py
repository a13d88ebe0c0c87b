"""`kill -9` at any moment: readers meet a whole release or none, and the next run ends as if nothing had happened."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.job import Job, fingerprint, kill, result_of, wait_until

RANDOM = random.Random(20240229)


def _any(home: Path, pattern: str) -> bool:
    return next(home.glob(pattern), None) is not None


def _receipts(home: Path) -> int:
    return len(list(home.glob("receipts/" + "?" * 64 + ".json")))


# in the order in which a run reaches them; each run goes on from where the last one was killed
MOMENTS: dict[str, Callable[[Path, int], bool]] = {
    "the journal of the inbox is written": lambda home, _: _any(home, "receipts/intake.jsonl"),
    "half of the files are landed": lambda home, files: _receipts(home) >= files // 2,
    "dbt is at work": lambda home, _: _any(home, "work/*/candidate.duckdb"),
    "the verdict is stored": lambda home, _: _any(home, "verdicts/*.json"),
    "something is in the releases folder": lambda home, _: _any(home, "releases/*"),
    "the pointer is set": lambda home, _: (home / "current").is_symlink(),
}


@pytest.fixture(scope="session")
def disturbed_home(shared, small_inbox: Path, small_home: Path, job: Job) -> Path:
    """A home whose runs were killed at every moment of the list, one after the other, and then left in peace."""
    undisturbed = result_of(small_home)["release"]
    files = _receipts(small_home)

    def build(folder: Path) -> None:
        home = folder / "home"
        shutil.copytree(small_inbox, home / "inbox")
        for number, (name, reached) in enumerate(MOMENTS.items()):
            output = folder / f"killed_{number}.out"
            running = job.start(home, "run", output=output)
            was_reached = wait_until(lambda reached=reached: reached(home, files), running)
            if name == "dbt is at work":
                time.sleep(RANDOM.uniform(1, 6))
            kill(running)
            assert was_reached or running.returncode == 0, output.read_text(encoding="utf-8", errors="replace")
            if (home / "current").exists():
                release = (home / "current").resolve()
                assert {"id": release.name, **fingerprint(release)} == undisturbed, f"torn when {name}"
        job.run(home).must_succeed()

    return shared("disturbed_home", build) / "home"


def test_ends_as_if_undisturbed(disturbed_home: Path, small_home: Path) -> None:
    assert result_of(disturbed_home) == result_of(small_home)


def test_nothing_is_left_lying_about(disturbed_home: Path, small_home: Path) -> None:
    """No temporary folder or file of a dead run survives the next whole one."""

    def entries(home: Path, folder: str) -> set[str]:
        return {path.name for path in (home / folder).iterdir()} if (home / folder).is_dir() else set()

    for folder in ("work", "releases", "verdicts", "receipts"):
        assert entries(disturbed_home, folder) == entries(small_home, folder)


def test_the_next_run_has_nothing_to_do(disturbed_home: Path, job: Job) -> None:
    assert "已是最新" in job.run(disturbed_home).must_succeed().output


@pytest.mark.slow
def test_a_run_that_dies_between_verdict_and_publication_leaves_readers_what_they_had(
    small_home: Path, job: Job, tmp_path: Path
) -> None:
    """Another night's files, judged and let through, and then the machine goes down."""
    home = tmp_path / "home"
    shutil.copytree(small_home, home, symlinks=True)
    before, judged = fingerprint(home / "current" / "."), {*home.glob("verdicts/*.json")}
    page = sorted(home.glob("inbox/hqms/*/hqmsts_*.csv"))[0]
    page.with_name(f"{page.stem}_R9.csv").write_bytes(page.read_bytes() + b"\n")  # another file, the same pages
    output = tmp_path / "killed.out"
    running = job.start(home, "run", output=output)
    assert wait_until(lambda: bool({*home.glob("verdicts/*.json")} - judged), running), output.read_text()
    kill(running)
    assert fingerprint(home / "current" / ".") == before
    job.run(home).must_succeed()
    assert (home / "current").resolve().name != (small_home / "current").resolve().name
