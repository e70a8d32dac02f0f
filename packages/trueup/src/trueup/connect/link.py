"""The way to the database that a run uses: which URL, what stands behind it, and its connection."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.connect.connection import connect, connect_within
from trueup.connect.urls import Urls
from trueup.errors import ConnectionFailed, UsageError

if TYPE_CHECKING:
    from trueup.connect.topology import Topology

DIRECT_SECONDS = 5.0

_WHICH = "SELECT {} AS server, oid, pg_is_in_recovery() FROM pg_database WHERE datname = current_database()"
_SERVER = "(SELECT system_identifier FROM pg_control_system())"


class Link:
    """One URL, one connection at a time. Opened once; `reopen` stays with the URL."""

    def __init__(
        self, url: str, chosen: str, conn: Connection[Any] | None = None, *, topology: Topology | None = None
    ) -> None:
        self.url = url
        self.chosen = chosen
        self.conn = connect(url) if conn is None else conn
        self._topology = topology

    @property
    def topology(self) -> Topology:
        """What stands behind the URL; measured when it is first asked for."""
        if self._topology is None:
            from trueup.connect.topology import measure

            self._topology = measure(self.conn, lambda: connect(self.url, timeout=2))
        return self._topology

    def another(self) -> Connection[Any]:
        """A second connection of the same kind."""
        return connect(self.url)

    def reopen(self, seconds: float) -> None:
        """A new connection in the place of one that is lost.

        Raises:
            ConnectionFailed: none could be had for so many seconds.
        """
        self.close()
        deadline = time.monotonic() + seconds
        pause = 0.05
        while True:
            try:
                self.conn = connect_within(self.url, DIRECT_SECONDS)
            except ConnectionFailed:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                pause = min(pause * 1.5, 1.0)
            else:
                return

    def close(self) -> None:
        """Close the connection; harmless when it is lost."""
        with contextlib.suppress(psycopg.Error):  # then the server has closed it already
            self.conn.close()


def choose(urls: Urls, link: Link, log: Callable[[str], None]) -> Link:
    """The way for a run that has work to do: DIRECT, tried once, else the one that is open. Said once, in words.

    Where DIRECT answers, the open connection is closed.

    Raises:
        UsageError: the two URLs lead to different databases.
    """
    if not urls.direct:
        log(f"Using {link.chosen}")
        return link
    try:
        conn = connect_within(urls.direct, DIRECT_SECONDS)
        here = _which(conn)
    except (ConnectionFailed, psycopg.Error):
        log(f"Using {link.chosen} (DIRECT unavailable - locked)")
        return link
    if here.is_standby:
        conn.close()
        log(f"Using {link.chosen} (DIRECT unavailable - locked)")
        return link
    if here != _which(link.conn):
        conn.close()
        raise UsageError(
            f"DATABASE_URL_DIRECT and the {link.chosen} URL lead to different databases; nothing was run",
            hint="Both must name the same database on the same server.",
        )
    link.close()
    log("Using DIRECT")
    return Link(urls.direct, "DIRECT", conn)


class _Database(NamedTuple):
    server: int | None
    oid: int
    is_standby: bool


def _which(conn: Connection[Any]) -> _Database:
    """Which database this is, and whether it only follows another one."""
    try:
        row = conn.execute(_WHICH.format(_SERVER).encode()).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction):
        row = conn.execute(_WHICH.format("NULL::bigint").encode()).fetchone()
    if row is None:
        raise psycopg.OperationalError("the server does not know this database")
    return _Database(*row)
