"""The job queue: which queues there are, and the tasks that every worker knows."""

from __future__ import annotations

import procrastinate

from prosaas.database import CONNECT_ARGUMENTS

#: Every worker consumes all of them. `recordings` among them, whatever ENABLE_SCHEDULERS says.
QUEUES = (
    "high",
    "default",
    "low",
    "receipts",
    "receipts_sync",
    "maintenance",
    "recordings",
    "broadcasts",
)

#: Tasks are registered here by the modules in `import_paths`. A process that uses it gives it a connector.
queue = procrastinate.App(
    connector=procrastinate.PsycopgConnector(),
    import_paths=["prosaas.heartbeat.tasks"],
)


def make_connector(url: str) -> procrastinate.PsycopgConnector:
    """A connector for a `postgresql://` URL. It opens its connections when the app is opened."""
    return procrastinate.PsycopgConnector(
        conninfo=url,
        kwargs={**CONNECT_ARGUMENTS},
        min_size=1,
        max_size=10,
        timeout=10,
    )
