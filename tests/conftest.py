"""Provinces and finished homes that several tests share, each built once per test session.

Under pytest-xdist every worker is a process of its own: a file lock lets the first one build and the others wait.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

sys.path.insert(0, str(Path(__file__).parent))

from support.job import Job, write_key
from support.mariadb import MariaDB, installed, running_mariadb
from support.postgres import Postgres, running_postgres

Build = Callable[[Path], None]
Shared = Callable[[str, Build], Path]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Shared:
    """`shared(name, build)`: the folder that `build` filled once for all workers; read it, never write to it."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if hasattr(request.config, "workerinput") else base

    def get(name: str, build: Build) -> Path:
        folder = root / f"shared_{name}"
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                unfinished = root / f"unfinished_{name}"
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                build(unfinished)
                unfinished.rename(folder)
        return folder

    return get


@pytest.fixture(scope="session")
def key_file(shared: Shared) -> Path:
    """One pseudonym key for the session: only homes with the same key can have the same bytes."""
    return shared("key", write_key) / "pseudonym.key"


@pytest.fixture(scope="session")
def job(key_file: Path) -> Job:
    """Runs the command line in a process of its own, as the nightly does."""
    return Job(key_file)


@pytest.fixture(scope="session")
def small_inbox(shared: Shared) -> Path:
    """A province with every carrier, encoding and kind of dirt, small enough to run whole jobs over."""

    def build(folder: Path) -> None:
        from sources.synthetic import write_province

        write_province(folder, seed=20240, hospitals=5, first_month="2022-01", months=4, discharges=1_500, workers=1)

    return shared("small_inbox", build) / "inbox"


@pytest.fixture(scope="session")
def small_home(shared: Shared, small_inbox: Path, job: Job) -> Path:
    """A home in which the job ran once over `small_inbox`, undisturbed."""

    def build(folder: Path) -> None:
        shutil.copytree(small_inbox, folder / "inbox")
        job.run(folder).must_succeed()

    return shared("small_home", build)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process; ask it for a `database()`."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server of this test process, where the system has one."""
    if not installed():
        pytest.skip("MariaDB is not installed on this system")
    with running_mariadb() as server:
        yield server


@pytest.fixture(params=["postgres", "mariadb", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of every kind that can be had here."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'source.db'}"
    return str(request.getfixturevalue(request.param).database())
