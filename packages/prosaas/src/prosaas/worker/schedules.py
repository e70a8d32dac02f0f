"""Jobs that run at fixed times. ENABLE_SCHEDULERS decides whether a worker defers them."""

from __future__ import annotations

import procrastinate

from prosaas.heartbeat.tasks import forget_old_heartbeats


def add_schedules(queue: procrastinate.App) -> None:
    """Let the workers of this process defer the periodic jobs. Once per process."""
    queue.periodic(cron="17 3 * * *")(forget_old_heartbeats)
