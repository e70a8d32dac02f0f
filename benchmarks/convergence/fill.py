"""Put a few rows into every table that takes some, by trial."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from benchmarks.convergence.replay import send
from benchmarks.convergence.values import literals_in, value_sql

_COLUMNS = (Path(__file__).parent / "columns.sql").read_text()
_ROWS = 3
_PASSES = 3
_ATTEMPTS = 4


@dataclass
class _Table:
    oid: int
    name: str
    columns: list[dict[str, Any]] = field(default_factory=list)

    @property
    def parents(self) -> set[int]:
        """Tables that a row of this one must refer to."""
        return {c["parent_oid"] for c in self.columns if c["parent"] and c["not_null"]} - {self.oid}


@dataclass(frozen=True)
class Filling:
    """The rows that were taken: `inserts` in order, as (oid of the table, statement)."""

    inserts: tuple[tuple[int, str], ...]

    def without(self, tables: Collection[int]) -> Filling:
        """The same without the rows of some tables. Rows that refer to them will be refused when it is played."""
        return Filling(tuple(pair for pair in self.inserts if pair[0] not in tables))

    def play(self, conn: psycopg.Connection) -> Filling:
        """Insert the rows; answer those that were taken."""
        return Filling(tuple(pair for pair in self.inserts if send(conn, pair[1]) is None))


def fill(conn: psycopg.Connection, rng: random.Random) -> Filling:
    """Insert up to three rows into every table; what the server refuses is left out.

    The statements name parents by place (`OFFSET`), so that they can be played on another database of the same schema.
    """
    tables = list(_in_order(_read_tables(conn)))
    counts = dict.fromkeys((table.oid for table in tables), 0)
    inserts: list[tuple[int, str]] = []
    for turn in range(_PASSES):
        progress = False
        for table in tables:
            if any(counts.get(parent, 1) == 0 for parent in table.parents):
                continue
            while counts[table.oid] < _ROWS:
                statement = _try_row(conn, table, counts[table.oid], rng)
                if statement is None:
                    break
                inserts.append((table.oid, statement))
                counts[table.oid] += 1
                progress = True
        if not progress and turn:
            break
    return Filling(tuple(inserts))


def _read_tables(conn: psycopg.Connection) -> dict[int, _Table]:
    tables: dict[int, _Table] = {}
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(_COLUMNS):
            table = tables.setdefault(row["table_oid"], _Table(row["table_oid"], row["table_name"]))
            table.columns.append(row)
    return tables


def _in_order(tables: dict[int, _Table]) -> Iterator[_Table]:
    """Parents first; what is in a circle comes last, as it is."""
    left = dict(tables)
    while left:
        ready = [table for table in left.values() if not table.parents & left.keys()] or list(left.values())
        for table in ready:
            del left[table.oid]
            yield table


def _try_row(conn: psycopg.Connection, table: _Table, row: int, rng: random.Random) -> str | None:
    for attempt in range(_ATTEMPTS):
        statement = _insert(table, row, attempt, rng)
        if statement and send(conn, statement) is None:
            return statement
    return None


def _insert(table: _Table, row: int, attempt: int, rng: random.Random) -> str | None:
    names, values = [], []
    for column in table.columns:
        required = column["not_null"] and not column["has_default"]
        if column["computed"] or (
            not required and (attempt % 2 or rng.random() < (0.7 if column["has_default"] else 0.3))
        ):
            continue
        value = _value(column, row, attempt, rng)
        if value is None:
            if required:
                return None
            continue
        names.append(column["column_name"])
        values.append(value)
    if not names:
        return f"INSERT INTO {table.name} DEFAULT VALUES"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(values)})"


def _value(column: dict[str, Any], row: int, attempt: int, rng: random.Random) -> str | None:
    if column["parent"]:
        found = f"SELECT {column['parent_column']} FROM {column['parent']} ORDER BY ctid OFFSET {row} LIMIT 1"
        return f"({found})"
    if attempt < _ATTEMPTS - 1 and not column["labels"] and (allowed := literals_in(column["checks"])):
        return "'" + rng.choice(allowed) + "'"
    number = row + 1 + 10 * attempt
    return value_sql(column["base_type"], column["modifier"], number, rng, column["labels"], place=column["place"])
