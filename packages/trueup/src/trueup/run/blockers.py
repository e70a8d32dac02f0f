"""Name who stands in the way of a lock: process id, age, state and query. On request, end those who only sit there."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.chain.locks import PG_LOCKS
from trueup.errors import TrueupError
from trueup.run.lease import MARK

TOLD_AFTER = 1.0
"""Seconds of waiting after which it is said for whom."""

_MODES = tuple(PG_LOCKS.values())
_CONFLICTS = {  # PostgreSQL's manual, table 13.2: which modes a mode conflicts with, by their places above
    "AS": (7,),
    "RS": (6, 7),
    "RX": (4, 5, 6, 7),
    "SUE": (3, 4, 5, 6, 7),
    "S": (2, 3, 5, 6, 7),
    "SRE": (2, 3, 4, 5, 6, 7),
    "X": (1, 2, 3, 4, 5, 6, 7),
    "AE": (0, 1, 2, 3, 4, 5, 6, 7),
}
_SHOWN = 3
_WHO = """a.pid, extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start))::bigint AS age,
       a.state, left(regexp_replace(a.query, '\\s+', ' ', 'g'), 120)"""

_HOLDERS = f"""
SELECT DISTINCT {_WHO}, l.relation::regclass::text
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  JOIN (VALUES {{wanted}}) AS w (relation, modes) ON l.relation = to_regclass(w.relation) AND l.mode = ANY (w.modes)
 WHERE l.granted AND l.pid <> pg_backend_pid()
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY age DESC NULLS LAST
"""


_IN_THE_WAY = f"""
SELECT {_WHO}, NULL
  FROM ({{waiting}}) AS w (pid), unnest(pg_blocking_pids(w.pid)) AS holder (pid)
  JOIN pg_stat_activity a ON a.pid = holder.pid
"""
_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE pid = {pid} AND state LIKE 'idle in transaction%' AND clock_timestamp() - state_change > interval '1 s'
"""


class Blocker(NamedTuple):
    """A session that holds what another one wants."""

    pid: int
    seconds: int | None  # that its transaction has been open
    state: str | None
    query: str | None
    relation: str | None = None

    def __str__(self) -> str:
        since = f" for {self.seconds} s" if self.seconds is not None else ""
        holds = f" holds {self.relation}" if self.relation else ""
        doing = f": {self.query}" if self.query else ""
        return f"pid {self.pid} ({self.state or 'unknown state'}{since}){holds}{doing}"


def blockers(conn: Connection[Any], locks: Mapping[str, str]) -> list[Blocker]:
    """Who holds locks that those wanted conflict with, the oldest first.

    Args:
        locks: Relation → the mode wanted, in the letters of the lock file; an empty mode is the strongest.
    """
    wanted = ", ".join(
        f"({literal(relation)}, ARRAY[{', '.join(literal(_MODES[i]) for i in _CONFLICTS[mode or 'AE'])}]::text[])"
        for relation, mode in locks.items()
    )
    if not wanted:
        return []
    try:
        rows = conn.execute(f"{MARK}{_HOLDERS.replace('{wanted}', wanted)}".encode()).fetchall()
    except psycopg.Error:
        if conn.closed:
            raise
        return []  # naming them is a help, no more
    return [Blocker(*row) for row in rows[:_SHOWN]]


def end_idle(conn: Connection[Any], blocker: Blocker) -> bool:
    """End a session that has done nothing in its open transaction for over a second. Never one that is at work."""
    try:
        row = conn.execute(f"{MARK}{_END.replace('{pid}', str(blocker.pid))}".encode()).fetchone()
    except psycopg.Error:
        if conn.closed:
            raise
        return False  # it is another role's
    return bool(row and row[0])


@contextlib.contextmanager
def watched(
    waiting: str,
    another: Callable[[], Connection[Any]],
    on_wait: Callable[[str], None],
    *,
    what: str,
    ends_idle: bool = False,
    poll: float = 0.25,
    also: Callable[[Connection[Any]], None] = lambda _: None,
) -> Iterator[None]:
    """While the block lasts, say whom it waits for, once for each that is in the way for over a second.

    Args:
        waiting: A query for the process ids of the sessions that wait, for they cannot ask themselves.
        what: What waits, in words.
        ends_idle: End those that are idle in a transaction.
        also: Another look from the same session, as often.
    """
    stop = threading.Event()
    watch = _Watch(_IN_THE_WAY.replace("{waiting}", waiting), on_wait, what, also, ends_idle=ends_idle)
    watcher = threading.Thread(target=watch.run, args=(stop, another, poll), name="trueup-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join(timeout=0.5)


class _Watch:
    def __init__(
        self,
        query: str,
        on_wait: Callable[[str], None],
        what: str,
        also: Callable[[Connection[Any]], None],
        *,
        ends_idle: bool,
    ) -> None:
        self._query = query
        self._also = also
        self._on_wait = on_wait
        self._what = what
        self._ends_idle = ends_idle
        self._since: dict[int, float] = {}
        self._told: set[int] = set()

    def run(self, stop: threading.Event, another: Callable[[], Connection[Any]], poll: float) -> None:
        with contextlib.suppress(psycopg.Error, TrueupError):  # it is a help, no more
            if stop.wait(TOLD_AFTER / 2):
                return
            with contextlib.closing(another()) as conn:
                while not stop.wait(poll):
                    for row in conn.execute(f"{MARK}{self._query}".encode()).fetchall():
                        self._look_at(Blocker(*row), conn)
                    self._also(conn)

    def _look_at(self, blocker: Blocker, conn: Connection[Any]) -> None:
        since = self._since.setdefault(blocker.pid, time.monotonic())
        if time.monotonic() - since < TOLD_AFTER / 2:
            return
        if blocker.pid not in self._told:
            self._told.add(blocker.pid)
            self._on_wait(f"{self._what} waits for {blocker}")
        if self._ends_idle and end_idle(conn, blocker):
            self._on_wait(f"ended pid {blocker.pid}, which held up {self._what} and did nothing")
