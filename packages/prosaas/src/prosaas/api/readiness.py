"""Whether this service can do its work: the schema is true, and a worker is alive."""

from __future__ import annotations

import threading
import time

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from prosaas.api.migration import Migration
from prosaas.database import first_line
from prosaas.heartbeat.repository import HeartbeatRepository
from prosaas.schema.state import look_at_schema
from prosaas.settings import Settings

WORKER_LIMIT_SECONDS = 90.0
_KEEP_SECONDS = 1.0


class Check(BaseModel):
    """One thing that has to hold."""

    ok: bool
    missing: list[str] = []
    differs: list[str] = []
    error: str = ""
    mend: str = ""


class Ready(BaseModel):
    """The answer of `/api/ready`."""

    ready: bool
    schema_: Check
    worker: Check

    model_config = {"alias_generator": lambda name: name.rstrip("_"), "populate_by_name": True}


class Readiness:
    """Looks at the database when it is asked; an answer is kept for a second, so that probes cannot pile up."""

    def __init__(self, *, settings: Settings, engine: Engine, migration: Migration | None) -> None:
        self._settings = settings
        self._engine = engine
        self._migration = migration
        self._lock = threading.Lock()
        self._answer: Ready | None = None
        self._taken_at = 0.0

    def look(self) -> Ready:
        """The present state, at most a second old."""
        with self._lock:
            if self._answer is None or time.monotonic() - self._taken_at > _KEEP_SECONDS:
                self._answer = self._look()
                self._taken_at = time.monotonic()
            return self._answer

    def _look(self) -> Ready:
        schema = self._schema()
        worker = self._worker()
        return Ready(ready=schema.ok and worker.ok, schema_=schema, worker=worker)

    def _schema(self) -> Check:
        if self._migration and self._migration.running:
            return Check(ok=False, error="the migration is running")
        state = look_at_schema(self._settings.urls)
        error = state.error
        if not state.ok and self._migration and self._migration.error:
            error = f"the migration failed: {self._migration.error}"
        mend = "" if state.ok else self._settings.migrate_command
        return Check(ok=state.ok, missing=state.missing, differs=state.differs, error=error, mend=mend)

    def _worker(self) -> Check:
        mend = self._settings.worker_command
        try:
            with self._engine.connect() as connection:
                age = HeartbeatRepository(connection).youngest()
        except SQLAlchemyError as error:
            return Check(ok=False, error=first_line(error), mend=mend)
        if age is None:
            return Check(ok=False, missing=["a running worker: no heartbeat was ever written"], mend=mend)
        if age > WORKER_LIMIT_SECONDS:
            return Check(ok=False, missing=[f"a running worker: the last heartbeat is {age:.0f} s old"], mend=mend)
        return Check(ok=True)
