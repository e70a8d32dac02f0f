"""The queries on `worker_heartbeats`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files

from sqlalchemy import Connection, text

_HERE = files("prosaas.heartbeat")
_BEAT = text((_HERE / "beat.sql").read_text())
_YOUNGEST = text((_HERE / "youngest.sql").read_text())
_FORGET = text((_HERE / "forget.sql").read_text())
_REMOVE = text("DELETE FROM worker_heartbeats WHERE worker_id = :worker_id")


class HeartbeatRepository:
    """Reads and writes heartbeats on one connection. Commits nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, *, worker_id: str, hostname: str, pid: int, queues: Sequence[str]) -> None:
        """Say that a worker is alive, by the server's clock."""
        values = {"worker_id": worker_id, "hostname": hostname, "pid": pid, "queues": json.dumps(list(queues))}
        self._connection.execute(_BEAT, values)

    def remove(self, *, worker_id: str) -> None:
        """Say that a worker has stopped."""
        self._connection.execute(_REMOVE, {"worker_id": worker_id})

    def youngest(self) -> float | None:
        """The age of the youngest heartbeat in seconds; None if no worker ever wrote one."""
        age: float | None = self._connection.execute(_YOUNGEST).scalar_one()
        return age

    def forget(self, *, days: int) -> int:
        """Remove rows of workers that have been silent for so many days; the number of rows."""
        return self._connection.execute(_FORGET, {"days": days}).rowcount
