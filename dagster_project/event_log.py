"""Dagster's records in SQLite, as by default, over connections that stay open.

Belongs here: how long a connection lives, what is asked of the schema only once. Does not belong here: what is
recorded (Dagster), where it lies (`instance`). The files are those of Dagster's own storage, which can read and go on
writing them at any time.

Dagster opens and closes SQLite for every event, and for every question whether a table exists: thousands of times in
a night, and each close of the last connection copies the write-ahead log into the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as db
from dagster._core.storage.event_log.schema import AssetKeyTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, SqliteStorageConfig, _event_logs_directory
from dagster._serdes import ConfigurableClassData


class OpenEventLog(SqliteEventLogStorage):
    """The event log with one connection to the index and one to the run that was asked for last.

    No more than these two: an interface that is open for a year looks at hundreds of runs, a file each.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, db.Engine] = {}
        # tables, and columns of the table of assets; they come with migrations, and stay
        self._seen: set[str] = set()
        super().__init__(base_dir, inst_data)

    def _engine(self, shard: str) -> db.Engine:
        if shard not in self._engines:
            for other in self._engines.keys() - {INDEX_SHARD_NAME}:
                self._engines.pop(other).dispose()
            engine = db.create_engine(
                self.conn_string_for_shard(shard),
                pool_size=1,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
            db.event.listen(engine, "connect", _without_waiting_for_the_disk)
            self._engines[shard] = engine
        return self._engines[shard]

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """What was seen once is not looked for again."""
        if table_name not in self._seen and super().has_table(table_name):
            self._seen.add(table_name)
        return table_name in self._seen

    def _has_asset_key_col_on_connection(self, conn: db.Connection, column_name: str) -> bool:
        column = f"{AssetKeyTable.name}.{column_name}"
        if column not in self._seen and super()._has_asset_key_col_on_connection(conn, column_name):
            self._seen.add(column)
        return column in self._seen

    def wipe(self) -> None:
        """Let go of the files before they are removed."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        self._close()

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _without_waiting_for_the_disk(connection: Any, _: Any) -> None:
    """With a write-ahead log, a killed process loses nothing; a power cut the last events at most, never the file."""
    connection.execute("pragma synchronous = normal")


class OpenSqliteStorage(DagsterSqliteStorage):
    """Runs and schedules as Dagster keeps them, beside `OpenEventLog`; named in dagster.yaml."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = OpenEventLog(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData, config_value: SqliteStorageConfig
    ) -> OpenSqliteStorage:
        """As dagster.yaml has it; the parent would make one of its own kind."""
        return cls.from_local(config_value["base_dir"], inst_data)
