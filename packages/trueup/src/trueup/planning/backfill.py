"""A statement that runs in batches: ranges of a key, put into the statement's own WHERE on its parse tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from trueup.catalog.keys import in_quotes, literal
from trueup.chain.grammar import deparse, parse_statements, range_sql
from trueup.chain.model import Batches, Step
from trueup.errors import MigrationError
from trueup.planning.batchable import Unfit, driving_table

DEFAULT_BATCH = 5_000


Bound = tuple[str, ...]
"""The values of a key's columns, as the server prints them."""


class KeyColumn(NamedTuple):
    """A column of the key: its name, its type as SQL writes it, and whether it may be NULL."""

    name: str
    type: str
    nullable: bool = False


class Range(NamedTuple):
    """Keys above `low` and up to `high`; None is no bound. Keys with a NULL have no order: the first range has them."""

    low: Bound | None = None
    high: Bound | None = None


class Backfill(NamedTuple):
    """One UPDATE, DELETE or INSERT … SELECT, to be run in batches.

    `table` is the one whose keys the batches are ranges of, as SQL names it, and `alias` what it is called inside the
    statement. `columns` are the key's; empty: the primary key, which the database knows. `name` is what people call
    the work, and under which its position is kept. `batch` is the rows of the first batch; the rest adapt.
    """

    name: str
    table: str
    alias: str
    statement: str
    columns: tuple[str, ...] = ()
    batch: int = DEFAULT_BATCH

    def over(self, key: Sequence[KeyColumn], span: Range) -> str:
        """The statement for the rows of one range; as it is written, where that is all of them."""
        if span == Range():
            return self.statement
        (statement,) = parse_statements(self.statement)
        node = statement.node
        _narrow(
            node.select_stmt.select_stmt if statement.tag == "insert_stmt" else node,
            _condition(self.alias, key, span),
        )
        return deparse(statement.tag, node)

    def counting(self, key: Sequence[KeyColumn], span: Range) -> str:
        """The query for the number of rows of a range."""
        condition = _condition(self.alias, key, span) or "true"
        return f"SELECT count(*) FROM {self.table} AS {in_quotes(self.alias)} WHERE {condition}"

    def boundary(self, key: Sequence[KeyColumn], low: Bound | None, size: int) -> str:
        """The query for the last key of the next range of so many rows. No row: there are fewer left."""
        names = ", ".join(in_quotes(column.name) for column in key)
        printed = ", ".join(f"{in_quotes(column.name)}::text" for column in key)
        above = (
            _condition(self.alias, key, Range(low=low))
            if low
            else " AND ".join(f"{in_quotes(column.name)} IS NOT NULL" for column in key if column.nullable)
        )
        (statement,) = parse_statements(
            f"SELECT {names} FROM {self.table} AS {in_quotes(self.alias)} ORDER BY {names} LIMIT 1 OFFSET {size - 1}"
        )
        _narrow(statement.node, above)
        return f"SELECT {printed} FROM ({deparse(statement.tag, statement.node)}) AS last"


def backfill_of(step: Step) -> Backfill:
    """The backfill that a step's directive asks for.

    Raises:
        MigrationError: the step cannot be run in batches; names file and line.
    """
    wish = step.backfill or Batches()
    try:
        statement, table = driving_table(step.statements, wish)
    except Unfit as unfit:
        raise MigrationError(
            f"{step.id} cannot be run in batches: {unfit.why}", path=step.path, line=step.line, hint=unfit.hint
        ) from None
    return Backfill(
        name=step.id,
        table=range_sql(table),
        alias=table.alias.aliasname or table.relname,
        columns=wish.columns,
        batch=wish.size or DEFAULT_BATCH,
        statement=statement.text,
    )


def _condition(alias: str, key: Sequence[KeyColumn], span: Range) -> str:
    """A range as SQL; empty where it is everything."""
    if span == Range():
        return ""
    names = [f"{in_quotes(alias)}.{in_quotes(column.name)}" for column in key]
    parts = []
    for sign, bound in ((">", span.low), ("<=", span.high)):
        if bound is None:
            continue
        values = [f"{literal(value)}::{column.type}" for value, column in zip(bound, key, strict=True)]
        parts.append(f"({', '.join(names)}) {sign} ({', '.join(values)})")
        if len(key) > 1:  # the planner estimates a pair of plain bounds well, and one of rows badly
            parts.append(f"{names[0]} {sign.rstrip('=')}= {values[0]}")
    nullable = [name for name, column in zip(names, key, strict=True) if column.nullable]
    parts += [f"{name} IS NOT NULL" for name in nullable]
    condition = " AND ".join(parts)
    if span.low is None and nullable:
        condition = " OR ".join([f"({condition})", *(f"{name} IS NULL" for name in nullable)])
    return condition


def _narrow(node: Any, condition: str) -> None:
    """AND a condition to a statement's WHERE."""
    if not condition:
        return
    (template,) = parse_statements(f"SELECT WHERE true AND ({condition})")
    both = template.node.where_clause
    if node.HasField("where_clause"):
        both.bool_expr.args[0].CopyFrom(node.where_clause)
    else:
        del both.bool_expr.args[0]
    node.where_clause.CopyFrom(both if len(both.bool_expr.args) > 1 else both.bool_expr.args[0])
