"""Run a worker until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import procrastinate.exceptions
import psycopg
import psycopg_pool
import structlog
from sqlalchemy import Engine

from prosaas.database import CONNECT_ARGUMENTS, make_engine
from prosaas.settings import Settings
from prosaas.worker.app import QUEUES, make_connector, queue
from prosaas.worker.gate import Gate, check_schema
from prosaas.worker.heart import Heart
from prosaas.worker.schedules import add_schedules

_STOP_SECONDS = 20.0
_RETRY_SECONDS = 5.0
# A worker that cannot take its first job from the queue ends at once; only one that lasts so long has a heartbeat.
_SETTLED_SECONDS = 0.5

_LOST = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout, OSError)

log = structlog.get_logger()


def run_worker(settings: Settings) -> int:
    """Take work until SIGTERM or SIGINT.

    Returns:
        The exit code: 1 if the schema is not what the code needs.

    Raises:
        SettingsError: No database is set.
    """
    return asyncio.run(_run(settings, make_engine(settings.url)))


async def _run(settings: Settings, engine: Engine) -> int:
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    if settings.enable_schedulers:
        add_schedules(queue)
    while not stop.is_set():
        # Again after each lost connection: what comes back may be an older copy.
        if await asyncio.to_thread(check_schema, settings) is Gate.CLOSED:
            return 1
        try:
            await _take_work(settings, stop, Heart(engine=engine, queues=QUEUES, every=settings.heartbeat_seconds))
        except (*_LOST, procrastinate.exceptions.ConnectorException) as error:
            cause = error if isinstance(error, _LOST) else error.__cause__
            if not isinstance(cause, _LOST):
                raise
            log.warning("no connection to the queue; trying again", reason=str(cause), seconds=_RETRY_SECONDS)
        with contextlib.suppress(TimeoutError):  # nobody said stop meanwhile
            await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
    engine.dispose()
    log.info("worker stopped")
    return 0


async def _take_work(settings: Settings, stop: asyncio.Event, heart: Heart) -> None:
    """Take jobs until told to stop, or until the connection is lost. The heart beats only meanwhile."""
    # The pool would keep trying for half a minute before it says that there is nobody.
    await (await psycopg.AsyncConnection.connect(settings.url, **CONNECT_ARGUMENTS)).close()
    with queue.replace_connector(make_connector(settings.url)):
        async with queue.open_async():
            working = asyncio.create_task(
                queue.run_worker_async(
                    queues=list(QUEUES),
                    name=heart.worker_id,
                    concurrency=settings.worker_concurrency,
                    shutdown_graceful_timeout=_STOP_SECONDS,
                    install_signal_handlers=False,
                )
            )
            stopping = asyncio.create_task(stop.wait())
            either = {working, stopping}
            done, _ = await asyncio.wait(either, timeout=_SETTLED_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                log.info("worker started", worker_id=heart.worker_id, queues=",".join(QUEUES))
                heart.start()
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            working.cancel()  # lets running jobs end; nothing happens if it is done
            try:
                with contextlib.suppress(asyncio.CancelledError):  # as we asked above
                    await working
            finally:
                await asyncio.to_thread(heart.stop)
