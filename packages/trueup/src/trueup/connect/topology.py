"""Measure what stands behind a connection: the server itself, or a pooler, and what that pools."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import Connection

from trueup.connect.connection import is_pooled
from trueup.errors import ConnectionFailed, UsageError

_PID = b"SELECT pg_backend_pid()"
_ROUNDS = 4
_PATIENCE = 0.5  # seconds that a second client may wait for a backend


class Topology(StrEnum):
    """What a client of a URL gets."""

    DIRECT = "direct"
    SESSION = "session pooling"
    TRANSACTION = "transaction pooling"

    @property
    def has_sessions(self) -> bool:
        """True where settings and locks of a session stay with the client that made them."""
        return self is not Topology.TRANSACTION


def measure(conn: Connection[Any], another: Callable[[], Connection[Any]]) -> Topology:
    """Find out by watching which backends serve us. Leaves nothing behind.

    A second client that is given the first one's backend, or a client whose backend changes, shows that transactions
    are pooled. Without any sign of sharing in several exchanges, or where the second client has to wait while the first
    one is served, sessions are. What cannot be found out is taken for transaction pooling, which asks for less.

    Args:
        conn: An autocommit connection, idle.
        another: Opens a second one to the same URL.

    Raises:
        UsageError: single statements are pooled: no transaction can be had.
    """
    if not is_pooled(conn):
        return Topology.DIRECT
    _refuse_statement_pooling(conn)
    try:
        second = another()
    except ConnectionFailed:
        return Topology.TRANSACTION
    with contextlib.closing(second):
        try:
            return _compare(conn, second)
        except psycopg.Error:
            _ask(conn)  # where the server or the pooler went away, nothing was measured: this raises
            return Topology.TRANSACTION


def _compare(conn: Connection[Any], second: Connection[Any]) -> Topology:
    mine = {_ask(conn)}
    _send(second)
    other = _receive(second, _PATIENCE)
    if other is None:  # whoever waits longer is served first, unless our backend is ours alone
        mine |= {_ask(conn), _ask(conn)}
        waits = _receive(second, 0.05) is None
        return Topology.SESSION if waits and len(mine) == 1 else Topology.TRANSACTION
    others = {other}
    for _ in range(_ROUNDS):
        mine |= {_ask(conn), _ask(conn)}  # twice: with two backends in turn, strict alternation would hide it
        others.add(_ask(second))
    is_shared = len(mine) > 1 or len(others) > 1 or bool(mine & others)
    return Topology.TRANSACTION if is_shared else Topology.SESSION


def _refuse_statement_pooling(conn: Connection[Any]) -> None:
    try:
        conn.execute("/* trueup */ BEGIN")
        conn.execute("/* trueup */ ROLLBACK")
    except psycopg.Error as error:
        if "statement pooling" not in str(error):
            raise
        raise UsageError(
            "this URL leads through a pooler that pools single statements; no migration can be atomic there",
            hint="Set pool_mode = transaction or session, or give the server's own URL.",
        ) from None


def _ask(conn: Connection[Any]) -> int:
    row = conn.execute(_PID).fetchone()
    return int(row[0]) if row else 0


def _send(conn: Connection[Any]) -> None:
    conn.pgconn.send_query(_PID)
    conn.pgconn.flush()


def _receive(conn: Connection[Any], seconds: float) -> int | None:
    """The answer to `_send`, None where it does not come in time."""
    deadline = time.monotonic() + seconds
    while conn.pgconn.is_busy():
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([conn.pgconn.socket], [], [], left)[0]:
            return None
        conn.pgconn.consume_input()
    result = conn.pgconn.get_result()
    while conn.pgconn.get_result() is not None:
        pass
    value = result.get_value(0, 0) if result is not None and result.ntuples else None
    if value is None:
        raise psycopg.OperationalError("no backend")
    return int(value)
