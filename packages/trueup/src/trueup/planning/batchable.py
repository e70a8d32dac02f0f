"""Which table's keys can divide a statement into batches, and why some statements cannot be divided.

An UPDATE or DELETE goes by the keys of the table that it writes, an INSERT … SELECT by those of a table that it reads.
Every row is in exactly one range of keys, so the batches together write what the statement would have written at once.
What looks at all rows together (aggregates, DISTINCT, LIMIT …) would see those of one batch only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.chain.grammar import Statement, enum_name, nodes_of, parse_statements, range_name, string_list, walk
from trueup.chain.model import Batches

_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_LISTS = {
    "distinct_clause": "DISTINCT",
    "group_clause": "GROUP BY",
    "window_clause": "WINDOW",
    "values_lists": "VALUES",
}
_SINGLE = {"having_clause": "HAVING", "limit_count": "LIMIT", "limit_offset": "OFFSET"}
_AGGREGATES = frozenset(
    {
        *("count", "sum", "avg", "min", "max", "any_value", "mode"),
        *("every", "bool_and", "bool_or", "bit_and", "bit_or"),
        *("array_agg", "string_agg", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "xmlagg"),
        *("percentile_cont", "percentile_disc"),
    }
)
_PER_ROW = "Write it so that each row stands for itself, or run it without batches."


class Unfit(Exception):
    """Why a statement cannot be run in batches, and what its author can do."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def driving_table(statements: tuple[str, ...], wish: Batches) -> tuple[Statement, Any]:
    """The one statement, and the RangeVar of the table whose keys the batches are ranges of.

    Raises:
        Unfit: batches would write something else than the statement.
    """
    if len(statements) != 1:
        raise Unfit("it is a block of statements, which must be one transaction", "Move the statement out of it.")
    (statement,) = parse_statements(statements[0])
    if statement.tag not in ("update_stmt", "delete_stmt", "insert_stmt"):
        raise Unfit(
            "a backfill is one UPDATE, DELETE or INSERT … SELECT", "Put the directive directly before that statement."
        )
    if any(part.DESCRIPTOR.name in _WRITES for cte in statement.node.with_clause.ctes for part in walk(cte)):
        raise Unfit("its WITH writes, and would do so once per batch", "Make it a step of its own.")
    if statement.tag == "insert_stmt":
        return statement, _source(statement.node, wish)
    return statement, _target(statement.node, wish)


def _target(node: Any, wish: Batches) -> Any:
    """What an UPDATE or DELETE writes."""
    if wish.table and not _is_called(node.relation, wish.table):
        raise Unfit(
            f"it writes {range_name(node.relation)}, and the directive names {wish.table}",
            "UPDATE and DELETE go by the keys of the table that they write.",
        )
    if node.where_clause.WhichOneof("node") == "current_of_expr":
        raise Unfit("it goes by a cursor", "Write the condition itself.")
    targets = getattr(node, "target_list", ())  # a DELETE has none
    if changed := {target.res_target.name for target in targets} & set(wish.columns):
        raise Unfit(
            f"it changes {', '.join(sorted(changed))}, by which the batches go: a row could come up twice",
            "Go by a key that stays.",
        )
    return node.relation


def _source(node: Any, wish: Batches) -> Any:
    """The table of an INSERT … SELECT that it takes its rows from."""
    select = node.select_stmt.select_stmt
    _refuse_all_rows_together(select)
    ctes = {cte.common_table_expr.ctename for cte in (*select.with_clause.ctes, *node.with_clause.ctes)}
    found = [
        (relation, may_miss)
        for relation, may_miss in _relations(select.from_clause)
        if relation.relname not in ctes and (not wish.table or _is_called(relation, wish.table))
    ]
    if not found:
        raise Unfit(
            f"it does not read the table {wish.table}" if wish.table else "its FROM names no table",
            "An INSERT … SELECT goes by the keys of a table in its FROM: -- backfill: TABLE",
        )
    relation, may_miss = found[0]
    if may_miss:
        raise Unfit(
            f"{range_name(relation)} stands on the side of an outer join that may be missing",
            "Name a table of the other side: -- backfill: TABLE",
        )
    if any(_same_table(other, node.relation) for other in nodes_of(select, "RangeVar")):
        raise Unfit(
            f"it reads {range_name(node.relation)}, which it writes: a batch would see what an earlier one wrote",
            "Collect the rows in a table of their own first.",
        )
    return relation


def _refuse_all_rows_together(select: Any) -> None:
    words = [word for field, word in _LISTS.items() if len(getattr(select, field))]
    words += [word for field, word in _SINGLE.items() if select.HasField(field)]
    if select.HasField("larg"):
        words.append("UNION, INTERSECT or EXCEPT")
    for call in (part for target in select.target_list for part in _outside_subqueries(target)):
        if call.DESCRIPTOR.name == "FuncCall":
            name = string_list(call.funcname)[-1]
            if name in _AGGREGATES or call.HasField("over"):
                words.append(f"{name}()")
    if words:
        raise Unfit(f"{words[0]} looks at all rows together, and a batch has only some", _PER_ROW)


def _relations(items: Any, *, may_miss: bool = False) -> Iterator[tuple[Any, bool]]:
    """The tables of a FROM, each with whether an outer join may leave it out."""
    for item in items:
        match item.WhichOneof("node"):
            case "range_var":
                yield item.range_var, may_miss
            case "join_expr":
                join = item.join_expr
                kind = enum_name(join, "jointype")
                yield from _relations([join.larg], may_miss=may_miss or kind in ("JOIN_RIGHT", "JOIN_FULL"))
                yield from _relations([join.rarg], may_miss=may_miss or kind in ("JOIN_LEFT", "JOIN_FULL"))


def _outside_subqueries(node: Any) -> Iterator[Any]:
    """A parse tree without its subqueries, which have rows of their own."""
    yield node
    for field, value in node.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for child in value if field.is_repeated else (value,):
                if child.DESCRIPTOR.name != "SubLink":
                    yield from _outside_subqueries(child)


def _same_table(one: Any, other: Any) -> bool:
    same_schema = not one.schemaname or not other.schemaname or one.schemaname == other.schemaname
    return bool(one.relname == other.relname and same_schema)


def _is_called(relation: Any, name: str) -> bool:
    """Whether the author means this table: by its name, with or without schema, or by its alias."""
    written = parse_statements(f"SELECT FROM {name}")[0].node.from_clause[0].range_var
    return _same_table(relation, written) or (not written.schemaname and relation.alias.aliasname == written.relname)
