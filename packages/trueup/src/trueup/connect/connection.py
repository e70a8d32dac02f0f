"""Open connections, and find out what stands behind a URL."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection

from trueup.connect.urls import hidden, without_password
from trueup.errors import ConnectionFailed

CONNECT_SECONDS = 5


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
        shown = without_password(url)
        reason = hidden(str(error).strip(), url)
        raise ConnectionFailed(
            f"no connection to {shown}: {reason}",
            url=shown,
            hint="Is the server up, and is this the right URL?",
        ) from None


def is_pooled(conn: Connection[Any]) -> bool:
    """True where something between us and the server hands out its backends.

    A pooler makes up the process id that a client is told at the start; the server tells the real one.
    """
    row = conn.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or conn.info.backend_pid != row[0]
