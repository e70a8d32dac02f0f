"""The run lock: one row per chain, a lease with a fencing token that only grows.

A lease works on every topology; session locks do not behind a transaction pooler. Whoever waits polls with plain
SELECTs, so that it holds no snapshot and no row lock. A step's transaction first reads the row with its own token FOR
KEY SHARE: a takeover changes the token, which is a key, and so waits for a step in flight; afterwards the old holder
finds no row.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import Connection, sql

from trueup.errors import RunLockTaken

LEASE_SECONDS = 30.0


class Lease:
    """The lock while it is ours. `fence` is the SQL that every transaction of the run starts with."""

    def __init__(self, conn: Connection[Any], chain: str, token: int) -> None:
        self._chain = sql.Literal(chain).as_string(conn)
        self.token = token

    @property
    def fence(self) -> str:
        """Fails with a division by zero where the lock was taken over; else holds a takeover off until commit."""
        return (
            "SELECT 1 / count(*) FROM (SELECT FROM trueup.run_lock "
            f"WHERE chain = {self._chain} AND token = {self.token} FOR KEY SHARE) AS held"
        )

    def extend(self, conn: Connection[Any], seconds: float = LEASE_SECONDS) -> None:
        """One heartbeat: only the expiry changes, by the server's clock."""
        conn.execute(
            f"/* trueup */ UPDATE trueup.run_lock SET expires_at = clock_timestamp() + interval '{seconds} s' "
            f"WHERE chain = {self._chain} AND token = {self.token}".encode(),
        )

    def release(self, conn: Connection[Any]) -> None:
        """Give the lock back."""
        conn.execute(
            f"/* trueup */ DELETE FROM trueup.run_lock WHERE chain = {self._chain} AND token = {self.token}".encode(),
        )


@contextlib.contextmanager
def run_lock(
    conn: Connection[Any],
    chain: str,
    *,
    wait_seconds: float,
    reconnect: Callable[[], Connection[Any]],
    on_wait: Callable[[str], None] = lambda _: None,
) -> Iterator[Lease]:
    """Hold the run lock of a chain for the block; a heartbeat on a connection of its own keeps it.

    Raises:
        RunLockTaken: another run held it all the time; names the holder.
    """
    lease = _acquire(conn, chain, wait_seconds, on_wait)
    stop = threading.Event()
    beat = threading.Thread(target=_heartbeat, args=(lease, stop, reconnect), daemon=True)
    beat.start()
    try:
        yield lease
    finally:
        stop.set()
        beat.join(timeout=LEASE_SECONDS)
        with contextlib.suppress(psycopg.Error):
            lease.release(conn)


def holder_name() -> str:
    """Who we are, for people: host and process id."""
    return f"{socket.gethostname()} pid {os.getpid()}"


def _acquire(conn: Connection[Any], chain: str, wait_seconds: float, on_wait: Callable[[str], None]) -> Lease:
    deadline = time.monotonic() + wait_seconds
    told = ""
    pause = 0.02
    while True:
        if (token := _try(conn, chain)) is not None:
            return Lease(conn, chain, token)
        holder = current_holder(conn, chain)
        if holder and holder != told:
            on_wait(holder)
            told = holder
        if time.monotonic() > deadline:
            raise RunLockTaken(
                f"another run holds the migration lock: {holder or told}",
                holder=holder or told,
                hint="Wait for it, or free it with `trueup release-run-lock` if its holder is gone.",
            )
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        pause = min(pause * 1.5, 0.5)


def current_holder(conn: Connection[Any], chain: str) -> str:
    """Who holds the lock, since when and at which step; empty where nobody does."""
    name = sql.Literal(chain).as_string(conn)
    row = conn.execute(
        "SELECT holder, to_char(acquired_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') "
        f"FROM trueup.run_lock WHERE chain = {name}".encode(),
    ).fetchone()
    return f"{row[0]}, since {row[1]} UTC" if row else ""


def _try(conn: Connection[Any], chain: str) -> int | None:
    """Take the lock where it is free or expired; a look first, so that waiting locks no row."""
    name = sql.Literal(chain).as_string(conn)
    row = conn.execute(
        f"SELECT token, expires_at < clock_timestamp() FROM trueup.run_lock WHERE chain = {name}".encode(),
    ).fetchone()
    if row is not None and not row[1]:
        return None
    holder = sql.Literal(holder_name()).as_string(conn)
    lease = f"clock_timestamp() + interval '{LEASE_SECONDS} s'"
    if row is None:
        taken = conn.execute(
            "/* trueup */ INSERT INTO trueup.run_lock (chain, token, holder, backend_pid, acquired_at, expires_at) "
            f"VALUES ({name}, nextval('trueup.run_lock_token'), {holder}, pg_backend_pid(), clock_timestamp(), "
            f"{lease}) ON CONFLICT DO NOTHING RETURNING token".encode(),
        ).fetchone()
    else:
        taken = conn.execute(
            "/* trueup */ UPDATE trueup.run_lock SET token = nextval('trueup.run_lock_token'), "
            f"holder = {holder}, backend_pid = pg_backend_pid(), acquired_at = clock_timestamp(), expires_at = {lease} "
            f"WHERE chain = {name} AND token = {row[0]} AND expires_at < clock_timestamp() RETURNING token".encode(),
        ).fetchone()
    return int(taken[0]) if taken else None


def _heartbeat(lease: Lease, stop: threading.Event, reconnect: Callable[[], Connection[Any]]) -> None:
    """Extend the lease until told to stop. A short run never gets as far as connecting."""
    conn: Connection[Any] | None = None
    while not stop.wait(LEASE_SECONDS / 3):
        try:
            if conn is None or conn.closed:
                conn = reconnect()
            lease.extend(conn)
        except Exception:  # noqa: BLE001 - tried again at the next beat; the lease itself says when it is too late
            conn = None
    if conn is not None:
        conn.close()


def release(conn: Connection[Any], chain: str) -> str:
    """Free the lock whoever holds it; who that was. Waits for a step in flight, which then cannot be the last word."""
    holder = current_holder(conn, chain) if _is_there(conn) else ""
    if holder:
        name = sql.Literal(chain).as_string(conn)
        conn.execute(f"/* trueup */ DELETE FROM trueup.run_lock WHERE chain = {name}".encode())
    return holder


def _is_there(conn: Connection[Any]) -> bool:
    row = conn.execute("SELECT to_regclass('trueup.run_lock') IS NOT NULL").fetchone()
    return bool(row and row[0])
