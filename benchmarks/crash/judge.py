"""Whether a database is what an undisturbed run makes of it: by trueup, by pg_dump, and by its rows."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psycopg

import trueup
from benchmarks.crash.points import OPTIONS
from benchmarks.crash.stage import Stage
from trueup_testing.schema import columns, dump, row_digests


class Picture(NamedTuple):
    """Schema, rows and marks of a database."""

    schema: dict[str, str]
    rows: dict[str, tuple[int, str]]
    marks: tuple[int, int]
    left: int


def picture(stage: Stage, name: str, folder: Path, *, schema: bool) -> Picture:
    """Look at a database straight, past any pooler."""
    url = stage.server.url(name)
    report = trueup.check(url, folder, options=OPTIONS)
    if not report.up_to_date:
        raise Broken(
            f"not up to date: {[s.id for s in report.steps if s.verdict != 'skip'][:5]} {report.conflicts[:2]}"
        )
    with psycopg.connect(url) as conn:
        marks = conn.execute("SELECT count(*), count(DISTINCT migration_id) FROM trueup.schema_migrations").fetchone()
        locks = conn.execute(
            "SELECT (SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE l.locktype = 'advisory' AND d.datname = current_database()) "
            "+ (SELECT count(*) FROM pg_index WHERE NOT indisvalid)"
        ).fetchone()
    return Picture(
        dump(url) if schema else {},
        row_digests(url, columns(url)),
        marks or (0, 0),
        locks[0] if locks else 0,
    )


def numbered_anew(stage: Stage, name: str, template: str) -> frozenset[str]:
    """Tables that got rows with numbers from a sequence: after a server's crash sequences skip some."""
    before = stage.server.url(template)
    url = stage.server.url(name)
    query = (
        "SELECT DISTINCT format('%I.%I', table_schema, table_name) FROM information_schema.columns "
        "WHERE column_default LIKE 'nextval%' OR is_identity = 'YES'"
    )
    with psycopg.connect(url) as conn:
        numbered = [row[0] for row in conn.execute(query)]
    had = {} if template == "template0" else row_digests(before, columns(before))
    has = row_digests(url, columns(url))
    return frozenset(table for table in numbered if table in has and had.get(table, (0, ""))[0] != has[table][0])


class Broken(Exception):
    """The database is not what it should be."""


def compare(wanted: Picture, found: Picture, *, unsteady: frozenset[str]) -> None:
    """Raise where something differs.

    Args:
        unsteady: Tables whose rows differ between two undisturbed runs: only their number is compared.
    """
    if wanted.schema and wanted.schema != found.schema:
        names = {k for k in {*wanted.schema, *found.schema} if wanted.schema.get(k) != found.schema.get(k)}
        raise Broken(f"another schema: {sorted(names)[:3]}")
    for table, (count, digest) in wanted.rows.items():
        has = found.rows.get(table, (-1, ""))
        if count != has[0] or (table not in unsteady and digest != has[1]):
            raise Broken(f"other rows in {table}: wanted {count}, found {has[0]}")
    if wanted.marks != found.marks or found.marks[0] != found.marks[1]:
        raise Broken(f"other marks: wanted {wanted.marks}, found {found.marks}")
    if found.left:
        raise Broken("a lock or an invalid index is left")
