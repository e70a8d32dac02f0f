"""Ask what hangs on what pending steps drop, of what somebody made beside the chain: views, tables, columns."""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import Any

from psycopg import Connection, sql

from trueup.catalog.snapshot import last_result
from trueup.decide.model import Conflict
from trueup.planning.leaving import Cascading, Leaving
from trueup.run.look import query


def hanging(conn: Connection[Any], wanted: Collection[Leaving], known: Container[str]) -> list[Conflict]:
    """The conflicts with what is there and is none of the `known` facts; one query, and none where nothing leaves."""
    if not wanted:
        return []
    names = sql.Literal(sorted({one.table for one in wanted})).as_string(conn)
    rows = last_result(conn, f"BEGIN READ ONLY; {query('hanging').replace('{names}', names)}; COMMIT")
    return [
        one.conflict(f"{holder} by its foreign key" if is_key else holder)
        for table, columns, holder, is_key in rows
        for one in wanted
        if (holder not in known or holder in one.early)
        if one.table == table and (not one.column or one.column in columns) and not (is_key and one.is_retyped)
    ]


def going_along(conn: Connection[Any], wanted: Collection[Cascading], known: Container[str]) -> list[Conflict]:
    """The same for what a CASCADE would take along: tables and columns, with what is in them."""
    if not wanted:
        return []
    fields = list(dict.fromkeys(wanted))
    listed = ", ".join(
        f"({number}, {', '.join(sql.Literal(text).as_string(conn) for text in one[1:])})"
        for number, one in enumerate(fields)
    )
    rows = last_result(conn, f"BEGIN READ ONLY; {query('cascade').replace('{dropped}', listed)}; COMMIT")
    return [fields[number].conflict(holder) for number, holder in rows if holder not in known]
