"""Name who stands in the way of a lock: process id, age, state and query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection

from trueup.run.lease import literal

_MODES = (
    *("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock"),
    *("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"),
)
_CONFLICTS = {  # PostgreSQL's manual, table 13.2: which modes a mode conflicts with, by their places above
    "AS": (7,),
    "RS": (6, 7),
    "RE": (4, 5, 6, 7),
    "SUE": (3, 4, 5, 6, 7),
    "S": (2, 3, 5, 6, 7),
    "SRE": (2, 3, 4, 5, 6, 7),
    "E": (1, 2, 3, 4, 5, 6, 7),
    "AE": (0, 1, 2, 3, 4, 5, 6, 7),
}
_SHOWN = 3

_QUERY = """
SELECT DISTINCT a.pid, extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start))::bigint AS age,
       a.state, left(regexp_replace(a.query, '\\s+', ' ', 'g'), 120), l.relation::regclass::text
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  JOIN (VALUES {wanted}) AS w (relation, modes) ON l.relation = to_regclass(w.relation) AND l.mode = ANY (w.modes)
 WHERE l.granted AND l.pid <> pg_backend_pid()
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY age DESC NULLS LAST
"""


def blockers(conn: Connection[Any], locks: Mapping[str, str]) -> list[str]:
    """Who holds locks that those wanted conflict with, the oldest first.

    Args:
        locks: Relation → the mode wanted, in the letters of the lock file; an empty mode is the strongest.
    """
    wanted = ", ".join(
        f"({literal(relation)}, ARRAY[{', '.join(literal(_MODES[i]) for i in _CONFLICTS.get(mode, range(8)))}]::text[])"
        for relation, mode in locks.items()
    )
    if not wanted:
        return []
    try:
        rows = conn.execute(_QUERY.replace("{wanted}", wanted).encode()).fetchall()
    except psycopg.Error:
        if conn.closed:
            raise
        return []  # naming them is a help, no more
    return [_said(*row) for row in rows[:_SHOWN]]


def _said(pid: int, age: int | None, state: str | None, query: str | None, relation: str) -> str:
    since = f" for {age} s" if age is not None else ""
    doing = f": {query}" if query else ""
    return f"pid {pid} ({state or 'unknown state'}{since}) holds {relation}{doing}"
