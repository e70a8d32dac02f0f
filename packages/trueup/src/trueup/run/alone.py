"""What cannot run in a transaction: index builds CONCURRENTLY and their like, on a session of our own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from psycopg import Connection

from trueup.catalog.keys import identity_of, kind_of, literal
from trueup.report import Event
from trueup.run.lease import MARK

_TIMEOUTS = ("statement_timeout", "lock_timeout")
_LOOK = """
SELECT i.indisvalid, c.relkind = 'I', p.pid
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = i.indexrelid
 WHERE i.indexrelid = to_regclass({name})
"""
_LEFT = """
SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass({name}))
   AND NOT i.indisvalid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)[0-9]*$'
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
"""
_PROGRESS = """
SELECT coalesce(nullif(index_relid, 0)::regclass::text, ''), phase,
       CASE WHEN blocks_total > 0 THEN ARRAY[blocks_done, blocks_total]
            WHEN tuples_total > 0 THEN ARRAY[tuples_done, tuples_total]
            ELSE ARRAY[lockers_done, lockers_total] END
  FROM pg_stat_progress_create_index WHERE pid = {pid}
"""


@contextlib.contextmanager
def without_timeouts(conn: Connection[Any]) -> Iterator[None]:
    """No timeouts for the block: they would fire inside the waits of an index build, and leave it invalid.

    Afterwards each is what it was, so that nothing is left with a session that a pooler gives to others.
    """
    before = {name: _current(conn, name) for name in _TIMEOUTS}
    for name in _TIMEOUTS:
        conn.execute(f"{MARK}SET {name} = 0".encode())
    try:
        yield
    finally:
        if not conn.closed:
            for name, value in before.items():
                conn.execute(f"{MARK}SET {name} = {literal(value)}".encode())


def clear_unfinished(
    conn: Connection[Any], keys: Collection[str], *, on_wait: Callable[[str], None], seconds: float
) -> None:
    """Drop what interrupted builds of these indexes have left; waits where one is being built.

    An invalid index is maintained on every write and used by no query, and with IF NOT EXISTS it would stay for ever.
    One that is only to be made valid is not dropped, but the leftovers of its REINDEX CONCURRENTLY are. That of a
    partitioned table is invalid until its last part is attached.
    """
    deadline = time.monotonic() + seconds
    anew = {identity_of(key) for key in keys if kind_of(key) == "index"}
    for name in dict.fromkeys(identity_of(key) for key in keys if kind_of(key) in ("index", "valid")):
        if not _wait_for_builder(conn, name, on_wait, deadline):
            continue
        for left in conn.execute(f"{MARK}{_LEFT.replace('{name}', literal(name))}".encode()).fetchall():
            conn.execute(f"{MARK}DROP INDEX CONCURRENTLY IF EXISTS {left[0]}".encode())
        if name in anew:
            conn.execute(f"{MARK}DROP INDEX CONCURRENTLY IF EXISTS {name}".encode())


def _wait_for_builder(conn: Connection[Any], name: str, on_wait: Callable[[str], None], deadline: float) -> bool:
    """True where there is an invalid index of this name, and nobody is building it."""
    told = False
    while True:
        row = conn.execute(f"{MARK}{_LOOK.replace('{name}', literal(name))}".encode()).fetchone()
        if row is None:
            return False
        is_valid, is_partitioned, builder = row
        if is_valid or is_partitioned:
            return False
        if builder is None:
            return True
        if time.monotonic() > deadline:
            return False  # the statement itself then says what is wrong
        if not told:
            on_wait(f"backend {builder} is building {name}; waiting for it")
            told = True
        time.sleep(0.5)


class Building(NamedTuple):
    """How far an index build has come: `done` of `total` blocks, rows or sessions, as its phase counts them."""

    name: str
    built: str
    phase: str
    done: int
    total: int

    @property
    def is_kept(self) -> bool:
        """A build that is interrupted begins anew."""
        return False

    @property
    def event(self) -> Event:
        """This as those who watch the run get it."""
        share = f", {100 * self.done // self.total} %" if self.total else ""
        text = f"{self.name}: {self.built}: {self.phase}{share}"
        return Event(kind="progress", text=text, step=self.name, done=self.done, total=self.total)


def building(name: str, pid: int, on_progress: Callable[[Building], None]) -> Callable[[Connection[Any]], None]:
    """A look at the index build of a session, from another one."""
    query = _PROGRESS.replace("{pid}", str(pid))

    def look(conn: Connection[Any]) -> None:
        if row := conn.execute(f"{MARK}{query}".encode()).fetchone():
            built, phase, (done, total) = row
            on_progress(Building(name, built, phase, done, total))

    return look


def _current(conn: Connection[Any], name: str) -> str:
    row = conn.execute(f"SELECT pg_catalog.current_setting({literal(name)})".encode()).fetchone()
    return str(row[0]) if row else "0"
