"""Read all managed facts of a live database, in one query and one round trip."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql

from trueup.catalog.canonical import (
    NEW_AND_RESERVED,
    NEW_WORDS,
    canonical_list,
    canonical_moment,
    canonical_or,
    canonical_view,
    canonical_words,
)
from trueup.catalog.keys import is_helper
from trueup.chain.model import Facts

SETTINGS = (
    "search_path = pg_catalog",
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO, MDY'",
    "IntervalStyle = 'postgres'",
    "bytea_output = 'hex'",
    "quote_all_identifiers = off",
    "extra_float_digits = 1",
    "xmloption = 'content'",
)
"""Settings that decide how the server deparses; pinned so that facts do not depend on the session or the server."""
PINNED = "; ".join(f"SET LOCAL {setting}" for setting in SETTINGS)

_ROLES = """
UNION ALL
SELECT r.oid::bigint, 'role ' || quote_ident(r.rolname), '' FROM pg_roles r
 WHERE quote_ident(r.rolname) = ANY ({roles})"""

_GONE = "XX000"  # "cache lookup failed", "could not open relation": somebody dropped it while we were reading
_TRIES = 20
_SHORT_VIEWS = 16  # before it, every column of a view has its qualifier
_VIEWS = ("view ", "materialized view ")
_DEFINED = (*_VIEWS, "default ")  # what is written as 'now' is kept as the moment it was
_OBJECT_FILTER = re.compile(r"\{objects:(\w+)\}")
_SECTION = re.compile(r"^-- section (\w+): (.+)$", re.MULTILINE)


class Section(NamedTuple):
    """A part of the snapshot's query: one SELECT. It can only change where one of its `catalogs` is written."""

    name: str
    catalogs: tuple[str, ...]
    sql: str


@cache
def _template() -> tuple[str, tuple[Section, ...]]:
    text = (Path(__file__).parent / "snapshot.sql").read_text().replace("{words}", f"{NEW_WORDS}|{NEW_AND_RESERVED}")
    head, *rest = _SECTION.split(text)
    names, catalogs, texts = rest[::3], rest[1::3], rest[2::3]
    return head, tuple(map(Section, names, (tuple(each.split()) for each in catalogs), texts))


def sections(
    *, schemas: str = "true", relations: str = "true", objects: str = "true", owners: str = "false"
) -> tuple[str, list[Section]]:
    """The WITH clause and the sections behind it, with the four filters as SQL conditions.

    `objects` has `{}` where the alias goes; `owners` picks among those whose objects are `o`.
    """

    def filtered(text: str) -> str:
        text = text.replace("{schemas}", schemas).replace("{relations}", relations).replace("{owners}", owners)
        return _OBJECT_FILTER.sub(lambda match: objects.replace("{}", match[1]), text)

    head, found = _template()
    return filtered(head), [section._replace(sql=filtered(section.sql)) for section in found]


def snapshot_sql(*, schemas: str, owners: str = "false") -> str:
    """The whole query: (owning object's oid, key, value) of every fact in the schemas that the condition picks."""
    head, found = sections(schemas=schemas, owners=owners)
    return head + "\nUNION ALL\n".join(section.sql for section in found)


def take(
    conn: Connection[Any], schemas: Collection[str], roles: Collection[str] = (), grantees: Collection[str] = ()
) -> Facts:
    """All facts of these schemas, on an autocommit connection.

    Objects that belong to one of `grantees` come with its privileges as `*`: an owner needs no GRANT.

    Locks nothing but what reading the catalog takes; waits at most two seconds behind somebody's ACCESS EXCLUSIVE.
    """
    names = sql.Literal(sorted(schemas)).as_string(conn)
    owners = f"quote_ident(pg_get_userbyid(o.owner)) = ANY ({sql.Literal(sorted(grantees)).as_string(conn)}::text[])"
    query = snapshot_sql(schemas=f"n.nspname = ANY ({names}::text[])", owners=owners if grantees else "false")
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
    own = ((key, value) for _, key, value in rows if not is_helper(key))
    return as_facts(own, major=conn.info.server_version // 10000)


def as_facts(pairs: Iterable[tuple[str, str | None]], *, major: int) -> Facts:
    """Rows of the snapshot as facts, with the values that differ between majors made equal."""
    facts = {}
    for key, value in pairs:
        if value is None:  # dropped by somebody between two catalog reads
            continue
        shown = canonical_words(canonical_or(canonical_list(value)))
        if key.startswith(_DEFINED):
            shown = canonical_moment(shown)
        if major < _SHORT_VIEWS and key.startswith(_VIEWS):
            shown = canonical_view(shown)
        facts[canonical_words(key)] = shown
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
