"""Read all managed facts of a live database, in one query and one round trip."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import Connection, sql

from trueup.catalog.canonical import canonical_list, canonical_view
from trueup.chain.model import Facts

PINNED = (
    "SET LOCAL search_path = pg_catalog; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; "
    "SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL quote_all_identifiers = off; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL xmloption = 'content'"
)
"""Settings that decide how the server deparses; pinned so that facts do not depend on the session or the server."""

_ROLES = """
UNION ALL
SELECT r.oid::bigint, 'role ' || quote_ident(r.rolname), '' FROM pg_roles r
 WHERE quote_ident(r.rolname) = ANY ({roles})"""

_GONE = "XX000"  # "cache lookup failed", "could not open relation": somebody dropped it while we were reading
_TRIES = 20
_VIEWS = ("view ", "materialized view ")
_OBJECT_FILTER = re.compile(r"\{objects:(\w+)\}")


@cache
def _template() -> str:
    return (files("trueup.catalog") / "snapshot.sql").read_text()


def snapshot_sql(*, schemas: str, relations: str = "true", objects: str = "true") -> str:
    """The snapshot query with its three filters as SQL conditions; `objects` has `{}` where the alias goes."""
    text = _template().replace("{schemas}", schemas).replace("{relations}", relations)
    return _OBJECT_FILTER.sub(lambda match: objects.replace("{}", match[1]), text)


def take(conn: Connection[Any], schemas: Collection[str], roles: Collection[str] = ()) -> Facts:
    """All facts of these schemas, on an autocommit connection.

    Locks nothing but what reading the catalog takes; waits at most two seconds behind somebody's ACCESS EXCLUSIVE.
    """
    names = sql.Literal(sorted(schemas)).as_string(conn)
    query = snapshot_sql(schemas=f"n.nspname = ANY ({names}::text[])")
    if roles:  # they belong to the whole server: only those that the chain makes are its business
        query += _ROLES.replace("{roles}", sql.Literal(sorted(roles)).as_string(conn) + "::text[]")
    message = f"BEGIN READ ONLY; {PINNED}; SET LOCAL lock_timeout = '2s'; {query}; COMMIT"
    for attempt in range(1, _TRIES + 1):
        try:
            rows = last_result(conn, message)
            break
        except psycopg.Error as error:
            conn.execute("ROLLBACK")
            if error.sqlstate != _GONE or attempt == _TRIES:
                raise
            time.sleep(0.01 * attempt)
    return as_facts(((key, value) for _, key, value in rows), major=conn.info.server_version // 10000)


def as_facts(pairs: Iterable[tuple[str, str | None]], *, major: int) -> Facts:
    """Rows of the snapshot as facts, with the values that differ between majors made equal."""
    facts = {}
    for key, value in pairs:
        if value is None:  # dropped by somebody between two catalog reads
            continue
        shown = canonical_list(value)
        facts[key] = canonical_view(shown) if major < 16 and key.startswith(_VIEWS) else shown  # noqa: PLR2004
    return facts


def last_result(conn: Connection[Any], message: str) -> list[tuple[Any, ...]]:
    """Send several statements as one simple-protocol message; the rows of the last one that has rows."""
    cursor = conn.execute(message.encode())
    rows: list[tuple[Any, ...]] = []
    while True:
        if cursor.description is not None:
            rows = cursor.fetchall()
        if not cursor.nextset():
            return rows
