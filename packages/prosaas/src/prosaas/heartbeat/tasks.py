"""Jobs on heartbeats."""

from __future__ import annotations

import structlog

from prosaas.database import make_engine
from prosaas.heartbeat.repository import HeartbeatRepository
from prosaas.settings import load_settings
from prosaas.worker.app import queue

KEEP_DAYS = 7

log = structlog.get_logger()


@queue.task(queue="maintenance", name="prosaas.forget_old_heartbeats")
def forget_old_heartbeats(timestamp: int = 0) -> int:
    """Remove the heartbeats of workers that have been silent for a week.

    Args:
        timestamp: When a scheduler wanted it to run, in seconds since 1970.
    """
    engine = make_engine(load_settings().url)
    try:
        with engine.begin() as connection:
            removed = HeartbeatRepository(connection).forget(days=KEEP_DAYS)
    finally:
        engine.dispose()
    log.info("forgot old heartbeats", removed=removed, wanted_at=timestamp)
    return removed
