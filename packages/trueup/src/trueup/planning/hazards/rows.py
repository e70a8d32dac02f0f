"""Statements that write rows of a table in use, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.chain.grammar import Statement, nodes_of, range_identity, range_name
from trueup.chain.statements import conjuncts
from trueup.planning.hazards.around import Around
from trueup.planning.hazards.model import Family, Hit, Level, Rule

UNBATCHED = Rule(
    id="unbatched-write",
    family=Family.ROWS,
    title="many rows are written by one statement",
    why="Every row that it has written stays locked until the last one is, vacuum cannot clean up meanwhile, and a "
    "timeout undoes all of it.",
    instead="Put `-- backfill` before it: `up` then writes in batches that can be stopped and resumed.",
)
BULK_INSERT = Rule(
    id="bulk-insert",
    family=Family.ROWS,
    title="rows of a whole table are copied by one statement",
    why="It blocks nobody, but it is one long transaction: vacuum cannot clean up meanwhile, and a timeout undoes it.",
    instead="Put `-- backfill` before it: `up` then copies in batches that can be stopped and resumed.",
    level=Level.NOTE,
)
RULES = (UNBATCHED, BULK_INSERT)

_EQUAL = {"=", "IN"}
_VERBS = {"insert_stmt": "filled", "update_stmt": "updated", "delete_stmt": "deleted", "merge_stmt": "merged"}


def statement_hits(statement: Statement, around: Around) -> Iterator[Hit]:
    """Hits of UPDATE, DELETE, MERGE and INSERT … SELECT."""
    node, verb = statement.node, _VERBS.get(statement.tag)
    if verb is None or around.step.backfill is not None or around.is_fresh(node.relation):
        return
    table = range_name(node.relation)
    if statement.tag == "insert_stmt":
        source = next((r for r in nodes_of(node.select_stmt, "RangeVar") if not around.is_fresh(r)), None)
        if source is not None:
            yield Hit(BULK_INSERT, f"{table} is {verb} from {range_name(source)}")
    elif statement.tag == "merge_stmt":
        yield Hit(UNBATCHED, f"{table}: its rows are {verb} at once")
    elif not _names_rows(node.where_clause, around, node.relation):
        which = "its rows are" if node.HasField("where_clause") else "every row is"
        yield Hit(UNBATCHED, f"{table}: {which} {verb} at once")


def _names_rows(where: Any, around: Around, relation: Any) -> bool:
    """Its key, or a column called `id`, is compared with constants: a few rows, by name."""
    keys = {"id", *_unique_columns(around, relation)}
    for part in conjuncts(where):
        if part.WhichOneof("node") != "a_expr" or part.a_expr.lexpr.WhichOneof("node") != "column_ref":
            continue
        operator = part.a_expr.name[0].string.sval if part.a_expr.name else ""
        column = part.a_expr.lexpr.column_ref.fields[-1].string.sval
        if operator in _EQUAL and column in keys and _constant(part.a_expr.rexpr):
            return True
    return False


def _constant(node: Any) -> bool:
    return not any(True for kind in ("ColumnRef", "RangeVar") for _ in nodes_of(node, kind))


def _unique_columns(around: Around, relation: Any) -> Iterator[str]:
    """Columns that are unique on their own, by the lock file."""
    start = f"constraint {range_identity(relation)}."
    for key, value in around.facts.items():
        if key.startswith(start) and value.startswith(("PRIMARY KEY (", "UNIQUE (")) and "," not in value:
            yield value.partition("(")[2].rstrip(")").strip('"')
