"""The run lock: one row per chain, a lease with a fencing token that only grows.

A lease works on every topology; session locks do not behind a transaction pooler. Whoever waits polls with plain
SELECTs, so that it holds no snapshot and no row lock. A step's transaction first reads the row with its own token FOR
KEY SHARE: a takeover changes the token, which is a key, and so waits for a step in flight; afterwards the old holder
finds no row.

What cannot run in a transaction (CONCURRENTLY) cannot be fenced like that. Where sessions are real, a holder therefore
has a session's advisory lock too, and whoever takes over needs it, or ends the session that the row records.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from trueup.catalog.keys import literal
from trueup.connect.connection import is_lost

LEASE_SECONDS = 30.0
_TICK = 2.0
_JOIN = 0.5

MARK = "/* trueup */ "
"""Stands before every statement that is trueup's own, so that a server's log tells them from the migrations'."""

BEGAN = "current_setting('trueup.began')::timestamptz"
"""When a transaction began that `timed_fence` opened: `now()` is the time of the message, which may have many."""


class Lease:
    """The lock while it is ours. `fence` is the SQL that every transaction of the run starts with."""

    def __init__(
        self, chain: str, token: int, *, seconds: float = LEASE_SECONDS, session_key: int | None = None
    ) -> None:
        self._chain = literal(chain)
        self._session_key = session_key
        self.token = token
        self.seconds = seconds
        self.step = ""
        self._written = ("", time.monotonic())

    @property
    def fence(self) -> str:
        """Fails with a division by zero where the lock was taken over; else holds a takeover off until commit."""
        return (
            "SELECT 1 / count(*) FROM (SELECT FROM trueup.run_lock "
            f"WHERE chain = {self._chain} AND token = {self.token} FOR KEY SHARE) AS held"
        )

    @property
    def timed_fence(self) -> str:
        """The fence, and the time for `BEGAN`, until the end of the transaction."""
        timed = "SELECT 1 / count(*), set_config('trueup.began', clock_timestamp()::text, true)"
        return self.fence.replace("SELECT 1 / count(*)", timed, 1)

    @property
    def is_due(self) -> bool:
        """True where the row should be written again: a third of the lease is over, or another step is at work."""
        step, when = self._written
        return step != self.step or time.monotonic() - when > self.seconds / 3

    @property
    def is_late(self) -> bool:
        """True where the heartbeat has not got through for half of the lease."""
        return time.monotonic() - self._written[1] > self.seconds / 2

    def extend(self, conn: Connection[Any]) -> None:
        """One heartbeat: only the expiry, by the server's clock, and the step that is at work, which is no key."""
        step = self.step
        conn.execute(
            f"{MARK}UPDATE trueup.run_lock SET expires_at = clock_timestamp() + interval '{self.seconds} s', "
            f"step = {literal(step)} WHERE chain = {self._chain} AND token = {self.token}".encode(),
        )
        self._written = (step, time.monotonic())

    def release(self, conn: Connection[Any]) -> None:
        """Give the lock back, the session's too."""
        if conn.info.transaction_status != TransactionStatus.IDLE:
            conn.execute(f"{MARK}ROLLBACK".encode())
        conn.execute(
            f"{MARK}DELETE FROM trueup.run_lock WHERE chain = {self._chain} AND token = {self.token}".encode(),
        )
        if self._session_key is not None:
            conn.execute(f"SELECT pg_advisory_unlock({self._session_key})".encode())

    def is_ours(self, conn: Connection[Any]) -> bool:
        """False where another run has taken it over."""
        row = conn.execute(
            f"SELECT count(*) FROM trueup.run_lock WHERE chain = {self._chain} AND token = {self.token}".encode(),
        ).fetchone()
        return bool(row and row[0])


@contextlib.contextmanager
def kept(lease: Lease, conn: Connection[Any], another: Callable[[], Connection[Any]]) -> Iterator[Lease]:
    """Keep a lease alive for the block, with a heartbeat on a connection of its own; then give it back."""
    stop = threading.Event()
    beat = threading.Thread(target=_heartbeat, args=(lease, stop, another), name="trueup-heartbeat", daemon=True)
    beat.start()
    try:
        yield lease
    except BaseException:
        with contextlib.suppress(psycopg.Error):  # what has happened in the block is what has to be told
            _give_back(lease, conn, beat, stop)
        raise
    _give_back(lease, conn, beat, stop)


def _give_back(lease: Lease, conn: Connection[Any], beat: threading.Thread, stop: threading.Event) -> None:
    stop.set()
    beat.join(timeout=_JOIN)  # it may wait for a busy pooler; what it writes then meets no row
    try:
        lease.release(conn)
    except psycopg.Error as error:
        if not is_lost(error, conn):
            raise


def _heartbeat(lease: Lease, stop: threading.Event, another: Callable[[], Connection[Any]]) -> None:
    """Extend the lease until told to stop. A short run never gets as far as connecting."""
    conn: Connection[Any] | None = None
    while not stop.wait(min(_TICK, lease.seconds / 6)):
        if not lease.is_due:
            continue
        try:
            if conn is None or conn.closed:
                conn = another()
            lease.extend(conn)
        except Exception:  # noqa: BLE001 - tried again at the next beat; the lease itself says when it is too late
            conn = None
    if conn is not None:
        conn.close()


def current_holder(conn: Connection[Any], chain: str) -> str:
    """Who holds the lock, since when and at which step; empty where nobody does."""
    row = conn.execute(
        "SELECT holder, to_char(acquired_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), step "
        f"FROM trueup.run_lock WHERE chain = {literal(chain)}".encode(),
    ).fetchone()
    if not row:
        return ""
    return f"{row[0]}, since {row[1]} UTC" + (f", at step {row[2]}" if row[2] else "")
