"""Schemas and rows as pg_dump and SQL tell them, so that trueup is not judged by its own eyes."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from trueup import find_installations

_HEADER = re.compile(r"^--\n-- Name: (.*?); Type: (.*?); Schema: (.*?); Owner: .*?\n--\n", re.MULTILINE)
_NOISE = re.compile(r"^(SET |SELECT pg_catalog\.set_config|\\(un)?restrict\b|--)")
_NAMED_NOT_NULL = re.compile(r"CONSTRAINT (?:\"[^\"]+\"|\w+) NOT NULL")

Schema = dict[str, str]
Columns = dict[str, list[str]]
"""Table, as `schema.name` quoted → its columns."""

_COLUMNS = """
SELECT format('%I.%I', n.nspname, c.relname), a.attname
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'trueup')
 ORDER BY 1, a.attnum
"""

_DIGEST = "SELECT count(*), md5(string_agg(x, '' ORDER BY x)) FROM {} t, LATERAL (SELECT ROW({})::text) AS r (x)"


@cache
def pg_dump() -> Path:
    """The newest pg_dump on this machine: it can read every older server."""
    newest = max(find_installations(), key=lambda one: one.major)
    return newest.bin_dir / "pg_dump"


def dump(url: str) -> Schema:
    """`pg_dump --schema-only` by object, without what does not matter: the order of objects and of columns."""
    command = [str(pg_dump()), "--schema-only", "--no-owner", "--exclude-schema=trueup", f"--dbname={url}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    parts = _HEADER.split(done.stdout)[1:]
    found: Schema = {}
    for name, kind, schema, body in zip(parts[0::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
        lines = [line.rstrip() for line in body.splitlines() if line.strip() and not _NOISE.match(line)]
        if lines and lines[0].startswith(("CREATE TABLE ", "CREATE UNLOGGED TABLE ")):
            lines = [lines[0], *sorted(line.strip().removesuffix(",") for line in lines[1:])]
        text = _NAMED_NOT_NULL.sub("NOT NULL", "\n".join(lines))
        found[f"{kind} {schema}.{name}"] = found.get(f"{kind} {schema}.{name}", "") + text
    return found


def columns(url: str) -> Columns:
    """The columns of every table that is not trueup's own."""
    found: Columns = {}
    with psycopg.connect(url) as conn:
        for table, column in conn.execute(_COLUMNS.encode()):
            found.setdefault(table, []).append(column)
    return found


def row_digests(url: str, of: Columns) -> dict[str, tuple[int, str]]:
    """For every table the number of its rows and a digest over these columns of them, in no order."""
    found = {}
    with psycopg.connect(url) as conn:
        conn.execute("SET TimeZone = 'UTC'")
        for table, names in of.items():
            values = sql.SQL(", ").join(sql.SQL("t.{}::text").format(sql.Identifier(name)) for name in names)
            query = sql.SQL(
                "SELECT count(*), md5(string_agg(x, '' ORDER BY x)) FROM {} t, LATERAL (SELECT ROW({})::text) AS r (x)"
            )
            row = conn.execute(query.format(sql.SQL(table), values)).fetchone()
            assert row is not None
            found[table] = (row[0], row[1] or "")
    return found
