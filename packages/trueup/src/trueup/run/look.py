"""The short way: one query that says whether this lock file was completed here and nothing has changed since.

Kept apart from the ledger, and light: a run that finds nothing to do imports no more than this.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql

_SQL = Path(__file__).parent / "sql"


@cache
def query(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (_SQL / f"{name}.sql").read_text()


class Look(NamedTuple):
    """What one round trip says: was this chain completed here, and has the catalog or the ledger changed since?"""

    lock_digest: str
    catalog_digest: str
    drift: list[dict[str, Any]]
    now: str
    has_its_marks: bool
    backend_pid: int

    def is_complete(self, lock_digest: str) -> bool:
        """True where this very lock file was completed here and nothing has changed since."""
        return lock_digest == self.lock_digest and self.catalog_digest == self.now and self.has_its_marks

    def is_direct(self, conn: Connection[Any]) -> bool:
        """False behind a pooler, which makes up the process id that a client is told at the start."""
        return conn.info.backend_pid == self.backend_pid


def look(conn: Connection[Any], chain: str, phase: str) -> Look | None:
    """Read the last completion and today's digest; None where there is no ledger, or one of an older trueup."""
    statement = query("look").replace("{digest}", query("digest"))
    statement = statement.replace("{chain}", sql.Literal(chain).as_string(conn)).replace(
        "{phase}", sql.Literal(phase).as_string(conn)
    )
    try:
        row = conn.execute(statement.encode()).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName):
        return None
    if row is None or row[0] is None:
        return None
    return Look(*row)


def catalog_digest(conn: Connection[Any]) -> str:
    """The digest of the raw catalog as it is now."""
    row = conn.execute(query("digest").encode()).fetchone()
    return str(row[0]) if row else ""
