"""A real MariaDB for a test process, where the system has one installed; no wheel carries it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

_START_SECONDS = 60


def installed() -> bool:
    return all(shutil.which(name, path=_PATH) for name in ("mariadbd", "mariadb-install-db"))


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


class MariaDB:
    """One server; `database()` makes an empty database and says its SQLAlchemy URL."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def url(self, database: str = "") -> str:
        return f"mysql+pymysql://root@localhost/{database}?unix_socket={self._socket}&charset=utf8mb4"

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"create database {name} character set utf8mb4")
        engine.dispose()
        return self.url(name)


@contextmanager
def running_mariadb() -> Iterator[MariaDB]:
    """A server for as long as the block lasts; where the tests run as root, it runs as the package's own user."""
    root = Path(tempfile.mkdtemp(prefix="mariadb-"))
    user = ["--user=mysql"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(root, "mysql")
    data, socket = root / "data", root / "socket"
    environment = {**os.environ, "PATH": _PATH}
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", *user, f"--datadir={data}", "--auth-root-authentication-method=normal"],
        env=environment,
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        [
            *("mariadbd", "--no-defaults", *user, f"--datadir={data}", f"--socket={socket}", "--skip-networking"),
            *("--innodb-flush-log-at-trx-commit=0", f"--pid-file={root / 'pid'}", f"--log-error={root / 'log'}"),
        ],
        env=environment,
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not socket.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB does not start:\n{(root / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield MariaDB(socket)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(root, ignore_errors=True)
