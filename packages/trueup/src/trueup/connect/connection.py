"""Open connections that work through any pooler."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import psycopg
from psycopg import Connection

from trueup.connect.urls import hidden, without_password
from trueup.errors import ConnectionFailed

CONNECT_SECONDS = 5

_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "53300")


def connect(url: str, *, timeout: int = CONNECT_SECONDS) -> Connection[Any]:
    """An autocommit connection that prepares nothing on the server, so that it works through any pooler.

    Raises:
        ConnectionFailed: names the URL, without its password.
    """
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=timeout,
            fallback_application_name="trueup",
        )
    except psycopg.Error as error:
        raise _failed(url, str(error).strip()) from None


def connect_within(url: str, seconds: float) -> Connection[Any]:
    """Like `connect`, but over after so many seconds of wall-clock time, whatever takes that long.

    libpq's own limit holds for each address apart, and not at all for the resolution of the name.

    Raises:
        ConnectionFailed: it could not be had, or not in time.
    """
    answers: queue.SimpleQueue[Connection[Any] | ConnectionFailed] = queue.SimpleQueue()
    deadline = time.monotonic() + seconds

    def try_it() -> None:
        try:
            conn = connect(url, timeout=max(2, int(seconds)))
            conn.execute("SELECT pg_backend_pid()")  # a pooler may let us in and have no server
        except (ConnectionFailed, psycopg.Error) as error:
            answers.put(error if isinstance(error, ConnectionFailed) else _failed(url, str(error).strip()))
            return
        if time.monotonic() > deadline:
            conn.close()  # nobody waits any more
        else:
            answers.put(conn)

    threading.Thread(target=try_it, name="trueup-connect", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise _failed(url, f"no answer within {seconds:g} seconds") from None
    if isinstance(answer, ConnectionFailed):
        raise answer
    return answer


def is_lost(error: psycopg.Error, conn: Connection[Any]) -> bool:
    """True where the connection is gone and another one may do better: restarts, kills, a pooler without a server."""
    if conn.closed or conn.broken:
        return True
    return error.sqlstate is not None and error.sqlstate.startswith(_LOST)


def is_pooled(conn: Connection[Any]) -> bool:
    """True where something between us and the server hands out its backends.

    A pooler makes up the process id that a client is told at the start; the server tells the real one.
    """
    row = conn.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or conn.info.backend_pid != row[0]


def _failed(url: str, said: str) -> ConnectionFailed:
    shown = without_password(url)
    hint = "Is the server up, and is this the right URL?"
    if "unsupported startup parameter" in said:
        hint = (
            "A pooler refuses this startup parameter: remove `options` from the URL and PGOPTIONS from the "
            "environment, or list it in PgBouncer's ignore_startup_parameters."
        )
    return ConnectionFailed(f"no connection to {shown}: {hidden(said, url)}", url=shown, hint=hint)
