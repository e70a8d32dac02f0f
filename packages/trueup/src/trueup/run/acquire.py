"""Get the run lock: wait for it, take it over from a holder that is gone, or free it on a person's word."""

from __future__ import annotations

import contextlib
import hashlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.catalog.snapshot import last_result
from trueup.connect.link import Link
from trueup.errors import RunLockTaken
from trueup.run.lease import LEASE_SECONDS, MARK, Lease, current_holder, kept
from trueup.run.process import holder_name, is_dead, new_identity

GRACE_SECONDS = 5.0
"""A holder whose session is gone, but whose lease still runs, may be connecting again."""

_LOCK_TIMEOUT = "55P03"
_POLL_MOST = 0.5


class _Row(NamedTuple):
    token: int
    expired: bool
    backend_pid: int
    backend_start: str | None
    process: str


@contextlib.contextmanager
def run_lock(
    link: Link,
    chain: str,
    *,
    wait_seconds: float,
    lease_seconds: float = LEASE_SECONDS,
    identity: str = "",
    on_wait: Callable[[str], None] = lambda _: None,
) -> Iterator[Lease]:
    """Hold the run lock of a chain for the block; a heartbeat on a connection of its own keeps it.

    Raises:
        RunLockTaken: another run held it all the time; names the holder.
    """
    claim = Claim(link, chain, identity=identity or new_identity(), lease_seconds=lease_seconds)
    with kept(claim.wait(wait_seconds, on_wait), link.conn, link.another) as lease:
        yield lease


class Claim:
    """One run's attempts to get the lock of a chain on one connection.

    Args:
        identity: Of `new_identity`; a lease that bears it is this run's own, from before its connection was lost.
    """

    def __init__(self, link: Link, chain: str, *, identity: str, lease_seconds: float = LEASE_SECONDS) -> None:
        self._conn = link.conn
        self._sessions = link.topology.has_sessions
        self._chain = chain
        self._name = literal(chain)
        self._identity = identity
        self._seconds = lease_seconds
        self._key = session_key(chain)
        self._gone_since: tuple[int, float] | None = None

    def wait(self, seconds: float, on_wait: Callable[[str], None] = lambda _: None) -> Lease:
        """Take the lock as soon as it can be had.

        Raises:
            RunLockTaken: another run held it all the time; names the holder.
        """
        deadline = time.monotonic() + seconds
        told = holder = ""
        pause = 0.02
        while True:
            if (token := self.attempt()) is not None:
                key = self._key if self._sessions else None
                return Lease(self._chain, token, seconds=self._seconds, session_key=key)
            holder = current_holder(self._conn, self._chain) or holder
            if holder and not told:
                on_wait(holder)
                told = holder
            if time.monotonic() > deadline:
                raise RunLockTaken(
                    f"another run holds the migration lock: {holder or self._session_holder()}",
                    holder=holder,
                    hint="Wait for it, or free it with `trueup release-run-lock` if its holder is gone.",
                )
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause = min(pause * 1.5, _POLL_MOST)

    def attempt(self) -> int | None:
        """One try; the token where it succeeded. Waits for nothing, and leaves nothing held where it did not."""
        has_session_lock = self._sessions and self._ask(f"SELECT pg_try_advisory_lock({self._key})")
        row = self._row()
        token = None
        try:
            if not self._sessions or has_session_lock:
                token = self._take(row, session_is_gone=has_session_lock)
            elif row is not None and self._is_over(row):
                _end_idle_session(self._conn, row.backend_pid, row.backend_start)
        finally:
            if has_session_lock and token is None and not self._conn.closed:
                self._ask(f"SELECT pg_advisory_unlock({self._key})")
        return token

    def _take(self, row: _Row | None, *, session_is_gone: bool) -> int | None:
        if row is None:
            return self._insert()
        if not self._is_over(row) and not (session_is_gone and self._out_of_grace(row)):
            return None
        if not session_is_gone and _end_idle_session(self._conn, row.backend_pid, row.backend_start):
            return None  # it was still there; the next try finds it gone
        return self._update(row)

    def _is_over(self, row: _Row) -> bool:
        return row.expired or row.process == self._identity or is_dead(row.process)

    def _out_of_grace(self, row: _Row) -> bool:
        """True where the holder had a session, and has been without one for a while."""
        if row.backend_pid == 0:
            return False
        if self._gone_since is None or self._gone_since[0] != row.token:
            self._gone_since = (row.token, time.monotonic())
        return time.monotonic() - self._gone_since[1] > GRACE_SECONDS

    def _row(self) -> _Row | None:
        row = self._conn.execute(
            "SELECT token, expires_at < clock_timestamp(), backend_pid, backend_start::text, process "
            f"FROM trueup.run_lock WHERE chain = {self._name}".encode(),
        ).fetchone()
        return _Row(*row) if row else None

    def _values(self) -> dict[str, str]:
        values = {
            "token": "nextval('trueup.run_lock_token')",
            "holder": literal(holder_name()),
            "step": "''",
            "acquired_at": "clock_timestamp()",
            "expires_at": f"clock_timestamp() + interval '{self._seconds} s'",
            "process": literal(self._identity),
            "backend_pid": "0",
            "backend_start": "NULL",
        }
        if self._sessions:
            start = "(SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"
            values |= {"backend_pid": "pg_backend_pid()", "backend_start": start}
        return values

    def _insert(self) -> int | None:
        values = self._values()
        taken = self._conn.execute(
            f"{MARK}INSERT INTO trueup.run_lock (chain, {', '.join(values)}) "
            f"VALUES ({self._name}, {', '.join(values.values())}) ON CONFLICT DO NOTHING RETURNING token".encode(),
        ).fetchone()
        return int(taken[0]) if taken else None

    def _update(self, row: _Row) -> int | None:
        """Change the token, which waits for a step in flight: a second at a time, for a wait holds a snapshot."""
        new = ", ".join(f"{name} = {value}" for name, value in self._values().items())
        try:
            taken = last_result(
                self._conn,
                f"{MARK}BEGIN; SET LOCAL lock_timeout = '1s'; UPDATE trueup.run_lock SET {new} "
                f"WHERE chain = {self._name} AND token = {row.token} RETURNING token; COMMIT",
            )
        except psycopg.Error as error:
            if self._conn.closed:
                raise
            self._conn.execute(f"{MARK}ROLLBACK".encode())
            if error.sqlstate != _LOCK_TIMEOUT:
                raise
            return None
        return int(taken[0][0]) if taken else None

    def _ask(self, query: str) -> bool:
        row = self._conn.execute(query.encode()).fetchone()
        return bool(row and row[0])

    def _session_holder(self) -> str:
        """The session that has the advisory lock, where the row names nobody."""
        high, low = (self._key >> 32) & 0xFFFFFFFF, self._key & 0xFFFFFFFF
        row = self._conn.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            f"AND classid = {high} AND objid = {low}".encode(),
        ).fetchone()
        return f"the session of backend {row[0]}" if row else "unknown"


def session_key(chain: str) -> int:
    """The key of the session's advisory lock, which holds within one database."""
    return int.from_bytes(hashlib.sha256(f"trueup run lock {chain}".encode()).digest()[:8], "big", signed=True)


class Freed(NamedTuple):
    """What `free` did: who held the lock, and the backend that was ended, if there was one."""

    holder: str
    ended: int


def free(conn: Connection[Any], chain: str) -> Freed:
    """Free the lock whoever holds it, and end the session that it records; waits for a step in flight."""
    there = conn.execute("SELECT to_regclass('trueup.run_lock') IS NOT NULL").fetchone()
    if not there or not there[0]:
        return Freed("", 0)
    row = conn.execute(
        f"SELECT backend_pid, backend_start::text FROM trueup.run_lock WHERE chain = {literal(chain)}".encode(),
    ).fetchone()
    if row is None:
        return Freed("", 0)
    holder = current_holder(conn, chain)
    conn.execute(f"{MARK}DELETE FROM trueup.run_lock WHERE chain = {literal(chain)}".encode())
    if _state(conn, *row) is None:
        return Freed(holder, 0)
    _terminate(conn, row[0])
    return Freed(holder, row[0])


def _end_idle_session(conn: Connection[Any], pid: int, start: str | None) -> bool:
    """End a recorded backend that does nothing, so that a frozen holder's lock is free; True where it was still there.

    A backend at work is left alone: what it does is fenced, or worth its end (an index build). So is one that idles in
    a transaction: its own timeout ends it.
    """
    state = _state(conn, pid, start)
    if state == "idle":
        _terminate(conn, pid)
    return state is not None


def _state(conn: Connection[Any], pid: int, start: str | None) -> str | None:
    """What a recorded backend is doing; None where it is gone."""
    if not pid or start is None:
        return None
    # another role's start and state are hidden from us: then its process id has to do
    row = conn.execute(
        f"SELECT coalesce(state, 'hidden') FROM pg_stat_activity WHERE pid = {pid} "
        f"AND (backend_start IS NULL OR backend_start = {literal(start)}::timestamptz)".encode(),
    ).fetchone()
    return str(row[0]) if row else None


def _terminate(conn: Connection[Any], pid: int) -> None:
    """End a backend and wait a second for that. Where we may not, nobody takes over beside it."""
    try:
        conn.execute(f"SELECT pg_terminate_backend({pid}, 1000)".encode())
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction):
        conn.execute("SELECT pg_sleep(0.1)")
