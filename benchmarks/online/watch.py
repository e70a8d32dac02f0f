"""Look at `pg_locks` again and again: who waits for a table, and for how long."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple, Self

import psycopg

_EVERY = 0.05  # seconds
# clock_timestamp() is read after the locks: on a busy machine a wait seems longer than it was, never shorter
_WAITING = """
SELECT count(*), coalesce(extract(epoch FROM max(clock_timestamp() - waitstart)), 0)
FROM pg_locks
WHERE NOT granted AND locktype = 'relation'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Queue(NamedTuple):
    """At one moment: how many sessions wait for a lock on a table, and how long the first of them has."""

    at: float
    waiting: int
    longest: float


class Watch:
    """Samples in a thread, from entering to leaving."""

    def __init__(self, dsn: str) -> None:
        self._conn = psycopg.connect(dsn, autocommit=True, application_name="watch")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[Queue] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._conn.close()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY):
            row = self._conn.execute(_WAITING).fetchone()
            if row:
                self.samples.append(Queue(time.time(), int(row[0]), float(row[1])))
