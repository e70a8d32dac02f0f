"""What cannot run in a transaction: index builds CONCURRENTLY and their like, on a session of our own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from psycopg import Connection

from trueup.catalog.keys import identity_of, kind_of
from trueup.run.lease import MARK, literal

_TIMEOUTS = ("statement_timeout", "lock_timeout")


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
    """Drop invalid indexes of these names, which an interrupted build has left; waits where one is being built.

    An invalid index is maintained on every write and used by no query, and with IF NOT EXISTS it would stay for ever.
    """
    for key in keys:
        if kind_of(key) == "index":
            _clear(conn, identity_of(key), on_wait, time.monotonic() + seconds)


def _clear(conn: Connection[Any], name: str, on_wait: Callable[[str], None], deadline: float) -> None:
    told = False
    while True:
        row = conn.execute(
            "SELECT p.pid, i.indisvalid FROM pg_index i LEFT JOIN pg_stat_progress_create_index p "
            f"ON p.index_relid = i.indexrelid WHERE i.indexrelid = to_regclass({literal(name)})".encode(),
        ).fetchone()
        if row is None or row[1]:
            return
        if row[0] is None:
            conn.execute(f"{MARK}DROP INDEX CONCURRENTLY IF EXISTS {name}".encode())
            return
        if time.monotonic() > deadline:
            return  # the statement itself then says what is wrong
        if not told:
            on_wait(f"backend {row[0]} is building {name}; waiting for it")
            told = True
        time.sleep(0.5)


def _current(conn: Connection[Any], name: str) -> str:
    row = conn.execute(f"SELECT pg_catalog.current_setting({literal(name)})".encode()).fetchone()
    return str(row[0]) if row else "0"
