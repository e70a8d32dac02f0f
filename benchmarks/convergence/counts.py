"""Row counts, and what a person's own acts have lost."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

Counts = dict[str, int]  # "schema.table" -> rows

_TABLES = """
SELECT n.nspname, c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND (c.relkind <> 'm' OR c.relispopulated)
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'trueup')
    AND c.relkind <> 'm'
ORDER BY 1, 2
"""
_COLUMNS = """
SELECT c.oid::int8, a.attnum, format('%I.%I', n.nspname, c.relname), format('%I', a.attname),
       (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL,
       a.attgenerated <> '',
       ARRAY(
           SELECT format('%I.%I', n2.nspname, c2.relname)
           FROM pg_constraint k
           JOIN pg_class c2 ON c2.oid = k.conrelid
           JOIN pg_namespace n2 ON n2.oid = c2.relnamespace
           WHERE k.contype = 'f' AND k.confrelid = c.oid AND a.attnum = ANY (k.confkey)
       )
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'trueup')
"""


def count_rows(conn: psycopg.Connection) -> Counts:
    """Rows of every table, partitions counted in their parents."""
    names = conn.execute(_TABLES).fetchall()
    counts: Counts = {}
    for start in range(0, len(names), 100):
        parts = [
            sql.SQL("SELECT {}, count(*) FROM {}").format(
                sql.Literal(f"{schema}.{table}"), sql.Identifier(schema, table)
            )
            for schema, table in names[start : start + 100]
        ]
        counts.update(conn.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall())
    return counts


@dataclass(frozen=True)
class Columns:
    """Tables and columns by number, which renames do not change."""

    names: dict[tuple[int, int], tuple[str, str, bool, bool, list[str]]]

    @classmethod
    def read(cls, conn: psycopg.Connection) -> Columns:
        """All columns of all tables."""
        return cls({(oid, number): tuple(rest) for oid, number, *rest in conn.execute(_COLUMNS)})

    @property
    def tables(self) -> dict[int, str]:
        """Names of the tables."""
        return {oid: value[0] for (oid, _), value in self.names.items()}


@dataclass(frozen=True)
class Loss:
    """What a person's acts took away: rows of whole tables, and columns with their values."""

    tables: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    beyond_repair: tuple[str, ...]  # what no DDL can bring back while the rows are there

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)

    def apply(self, conn: psycopg.Connection) -> None:
        """Lose the same here, in a database that has the tables and columns still."""
        conn.execute("SET session_replication_role = replica")
        for table in self.tables:
            conn.execute(f"DELETE FROM {table}")
        for table, column in self.columns:
            try:
                conn.execute(f"UPDATE {table} SET {column} = DEFAULT")
            except psycopg.Error:
                continue  # no default, or a unique one: the value stays in the reference
        conn.execute("RESET session_replication_role")


def loss_between(before: Columns, after: Columns, rows: Counts) -> Loss:
    """Compare two databases of which one is a changed copy of the other.

    Args:
        before: Columns before the acts.
        after: Columns after them.
        rows: Row counts before them, by unquoted `schema.table`.
    """
    held = {table for table, count in rows.items() if count}
    gone = {oid: name for oid, name in before.tables.items() if oid not in after.tables and _plain(name) in held}
    columns, beyond = [], [f"rows of {name}" for name in gone.values()]
    for key, (table, column, required, generated, children) in before.names.items():
        if key in after.names or key[0] not in after.tables or _plain(table) not in held or generated:
            continue
        columns.append((table, column))
        if required:
            beyond.append(f"values of {table}.{column}, NOT NULL without default")
        elif any(_plain(child) in held for child in children):
            beyond.append(f"values of {table}.{column}, which other rows refer to")
    return Loss(tuple(sorted(gone.values())), tuple(sorted(columns)), tuple(sorted(beyond)))


def _plain(quoted: str) -> str:
    return quoted.replace('"', "")
