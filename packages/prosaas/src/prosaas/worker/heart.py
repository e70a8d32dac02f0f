"""A thread that writes this worker's heartbeat."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from prosaas.database import first_line
from prosaas.heartbeat.repository import HeartbeatRepository

_RETRY_SECONDS = 5.0

log = structlog.get_logger()


class Heart:
    """Beats every so many seconds until it is stopped. A beat that fails is logged and tried again soon."""

    def __init__(self, *, engine: Engine, queues: Sequence[str], every: float) -> None:
        self._engine = engine
        self._queues = queues
        self._every = every
        self._hostname = socket.gethostname()
        self.worker_id = f"{self._hostname}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start beating."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and remove this worker's row, if the database can be reached. Harmless if it never beat."""
        self._stopping.set()
        if not self._thread.ident:
            return
        self._thread.join()
        try:
            with self._engine.begin() as connection:
                HeartbeatRepository(connection).remove(worker_id=self.worker_id)
        except SQLAlchemyError as error:
            log.warning("heartbeat not removed; it expires by itself", reason=first_line(error))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._every if self._beat() else min(self._every, _RETRY_SECONDS))

    def _beat(self) -> bool:
        try:
            with self._engine.begin() as connection:
                HeartbeatRepository(connection).beat(
                    worker_id=self.worker_id, hostname=self._hostname, pid=os.getpid(), queues=self._queues
                )
        except SQLAlchemyError as error:
            log.warning("heartbeat not written", reason=first_line(error))
            return False
        return True
