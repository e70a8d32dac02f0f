"""What a backfill's batches are ranges of, read from the live table."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import literal
from trueup.catalog.snapshot import last_result
from trueup.chain.grammar import parse_statements
from trueup.planning.backfill import Backfill, KeyColumn, Range
from trueup.planning.model import Action
from trueup.run.lease import MARK
from trueup.run.look import query

_SMALL = 10_000
_TABLES = ("r", "p", "f")


class NoKey(Exception):
    """Why a table cannot be gone through in batches, and what its author can do."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


class Keyed(NamedTuple):
    """A backfill with its key; `table` is the live table's full name, `expected` the rows that it may have."""

    backfill: Backfill
    table: str
    columns: tuple[KeyColumn, ...]
    expected: int

    @property
    def checksum(self) -> str:
        """Of the statement and the key: another statement cannot go on where this one has stopped."""
        (statement,) = parse_statements(self.backfill.statement)
        text = "\0".join((statement.canonical, self.table, *(f"{c.name} {c.type}" for c in self.columns)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def keyed(conn: Connection[Any], backfill: Backfill, context: tuple[str, ...]) -> Keyed:
    """Find out the key of a backfill's table.

    Args:
        context: Settings that hold for the statement, such as its search_path.

    Raises:
        NoKey: there is none that its batches could go by.
    """
    found = _read(conn, backfill, context)
    if found is None:
        raise NoKey(f"there is no table {backfill.table}", "Is a step missing before it?")
    kind, table, columns, indexed = found
    key = tuple(KeyColumn(name, type_, nullable == "true") for name, type_, nullable in columns or ())
    shown = ", ".join(backfill.columns)
    if kind not in _TABLES:
        raise NoKey(f"{table} is no table", "Batches go by the keys of a table.")
    if backfill.columns and len(key) < len(backfill.columns):
        raise NoKey(f"{table} has not all of the columns {shown}", "Mend the directive: by COLUMN, …")
    if not key:
        raise NoKey(f"{table} has no primary key", "Name an indexed column: -- backfill: by COLUMN")
    if changed := _changed(backfill) & {column.name for column in key}:
        raise NoKey(
            f"it changes {', '.join(sorted(changed))}, by which the batches go: a row could come up twice",
            "Name an indexed column that stays: -- backfill: by COLUMN",
        )
    expected = _expected(conn, table)
    if not indexed and expected > _SMALL:
        raise NoKey(
            f"{table} has no index that begins with {', '.join(column.name for column in key)}, and about "
            f"{expected:,} rows, which every batch would search",
            f"Name indexed columns, or make an index on ({shown}) first.",
        )
    return Keyed(backfill, table, key, expected)


class Divided(NamedTuple):
    """How a backfill will be divided: in words, and one of its batches, its bounds left open."""

    said: str
    batch: str


def divided(conn: Connection[Any], action: Action, backfill: Backfill) -> Divided:
    """How an action's backfill will be divided; less where its table is not there yet."""
    try:
        found = keyed(conn, backfill, action.context)
    except (NoKey, psycopg.Error):  # a step before it may make it; when its turn comes, it is an error
        return Divided("in batches", backfill.statement)
    by = ", ".join(column.name for column in found.columns)
    bound = ("…",) * len(found.columns)
    return Divided(
        f"about {found.expected:,} rows of {found.table}, in batches by {by}",
        backfill.over(found.columns, Range(bound, bound)),
    )


def _read(conn: Connection[Any], backfill: Backfill, context: tuple[str, ...]) -> tuple[Any, ...] | None:
    names = ", ".join(literal(name) for name in backfill.columns)
    text = query("key").replace("{table}", literal(backfill.table)).replace("{columns}", f"ARRAY[{names}]")
    message = "\n;\n".join([f"{MARK}BEGIN READ ONLY", *context, f"{MARK}{text}", f"{MARK}COMMIT"])
    try:
        rows = last_result(conn, message)
    except psycopg.Error:
        if not conn.closed:
            conn.execute(f"{MARK}ROLLBACK".encode())
        raise
    return rows[0] if rows else None


def _expected(conn: Connection[Any], table: str) -> int:
    """The planner's estimate, which knows the present size of the table and its partitions."""
    row = conn.execute(f"{MARK}EXPLAIN (FORMAT JSON) SELECT FROM {table}".encode()).fetchone()
    return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0


def _changed(backfill: Backfill) -> set[str]:
    (statement,) = parse_statements(backfill.statement)
    if statement.tag != "update_stmt":
        return set()
    return {target.res_target.name for target in statement.node.target_list}
