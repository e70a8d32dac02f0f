"""What the server shows of a step besides its facts: lock modes, relations rewritten, tables scanned.

PostgreSQL says what a statement locks, rewrites and reads; no table of rules is asked. Names are those from before the
step, and only relations that were there before it count: what happens to a new one is felt by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from psycopg import Connection

from trueup.chain.locks import PG_LOCKS, STRENGTH

LOCK_LETTERS = {name: letters for letters, name in PG_LOCKS.items()}

HELD = """SELECT l.relation, l.mode, coalesce(i.indrelid, l.relation) AS owner, i.indexrelid IS NOT NULL AS is_index,
       l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') AS is_strong,
       concat_ws(' ', l.mode, coalesce(i.indrelid, c.oid)::bigint, pg_stat_get_xact_numscans(c.oid), c.relkind,
                 c.relfilenode::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname)) AS described
  FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
 WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation >= 16384"""
"""A row for each lock. `described`: mode, table, scans so far, kind, file, name; the last five if it is still there."""

_FILES = """
SELECT c.oid::bigint, c.relkind::text, c.relfilenode::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 AND c.relkind IN ('r', 'i', 'm')"""


class Held(NamedTuple):
    """One lock that a step holds, and what became of the relation."""

    relation: int
    mode: str
    table: int = 0
    scans: int = 0
    kind: str = ""
    file: int = 0
    name: str = ""

    @property
    def changes(self) -> bool:
        """True for the modes that come with a change of the relation itself."""
        return STRENGTH[LOCK_LETTERS[self.mode]] >= STRENGTH["SUE"]


def as_held(relation: int, described: str) -> Held:
    """A relation of `HELD`, and what it is described as."""
    mode, *rest = described.split(" ", 5)
    if not rest:
        return Held(relation, mode)
    table, scans, kind, file, name = rest
    return Held(relation, mode, int(table), int(scans), kind, int(file), name)


def scanned(held: Iterable[Held], names: Mapping[int, str], before: Mapping[int, int]) -> Iterator[str]:
    """The tables that were read more often than `before`, by themselves or through an index."""
    return (names[lock.table] for lock in held if lock.scans > before.get(lock.relation, 0) and names.get(lock.table))


class Files:
    """Which file each relation is in: a rewrite gives it another one. Indexes go by name, for they are replaced."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._of: dict[int | str, int] = {}
        self.read(conn)

    def read(self, conn: Connection[Any]) -> None:
        """Take everything as it is now."""
        rows = conn.execute(_FILES.encode()).fetchall()
        self._of = {name if kind == "i" else oid: file for oid, kind, file, name in rows}

    def rewritten(self, held: Iterable[Held]) -> tuple[str, ...]:
        """The tables and indexes among those locked that are in another file than before."""
        found = set()
        for lock in held:
            if lock.kind not in ("r", "i", "m") or lock.name.startswith("pg_"):
                continue
            key: int | str = lock.name if lock.kind == "i" else lock.relation
            if self._of.get(key, lock.file) != lock.file:
                found.add(lock.name)
            self._of[key] = lock.file
        return tuple(sorted(found))
