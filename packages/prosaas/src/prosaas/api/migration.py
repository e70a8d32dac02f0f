"""The migration that the API runs at its start when RUN_MIGRATIONS=1."""

from __future__ import annotations

import threading

import structlog

import trueup
from prosaas.schema.migrate import bring_true

log = structlog.get_logger()


class Migration:
    """Brings the database true in a thread of its own. Its failure is remembered, never raised."""

    def __init__(self, urls: trueup.Urls) -> None:
        self._urls = urls
        self._thread = threading.Thread(target=self._run, name="migration", daemon=True)
        self.error = ""

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def _run(self) -> None:
        try:
            bring_true(self._urls, log.info)
        except trueup.TrueupError as error:
            self.error = error.message
            log.error("migration failed", reason=error.message, hint=error.hint)
        except Exception as error:  # whatever it is, the API stays up and says it
            self.error = f"{type(error).__name__}: {error}"
            log.exception("migration failed")
