"""Which statement of a step defines a function, a trigger, a view or a CHECK.

Of a function's text the facts have only a hash. The others the server may show in another way once they have been read
back from what it showed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from trueup.catalog.keys import mentions, own_name, parts, split_key, unquoted
from trueup.chain.grammar import Statement, deparse, expression, nodes_of, parse_statements, string_list
from trueup.chain.model import Step

AreSettled = Callable[[Collection[str], Collection[str]], bool]

_CREATE = re.compile(r"^\s*CREATE\s+(OR\s+REPLACE\s+)?", re.IGNORECASE)


def texts_reached(texts: Iterable[str], named: Iterable[str], text_of: Callable[[str], str]) -> Iterator[str]:
    """Texts, and those of the functions or views that they name, be it through others.

    Args:
        texts: Where to begin.
        named: The names of all functions and views.
        text_of: What such a name stands for.
    """
    left, known = set(named), list(texts)
    for text in known:
        yield text
        found = {name for name in left if mentions(text, name)}
        left -= found
        known += map(text_of, found)


def defining_statement(step: Step, key: str) -> str:
    """The last statement of the step that defines a function or an aggregate, as CREATE OR REPLACE; empty: none."""
    kind, identity = split_key(key)
    name, tag = own_name(identity), "define_stmt" if kind == "aggregate" else "create_function_stmt"
    for statement in _last_first(step, (tag,), name):
        names = statement.node.defnames if kind == "aggregate" else statement.node.funcname
        if string_list(names)[-1] == name:
            return _or_replace(statement)
    return ""


def view_statement(step: Step, identity: str, are_settled: AreSettled) -> str:
    """The last statement of the step that makes the view, as CREATE OR REPLACE.

    Empty where none does, and where columns that its tables have got since could give the text another meaning.

    Args:
        are_settled: Asked about the names of the query's tables, and of its columns without a qualifier: whether each
            of the tables has the same ones of these columns as when the step ran.
    """
    name = own_name(identity)
    for statement in _last_first(step, ("view_stmt",), name):
        if statement.node.view.relname == name:
            return _or_replace(statement) if _says_all(statement.node.query, are_settled) else ""
    return ""


def same_but_for_columns(step: Step, identity: str, one: str, other: str) -> bool:
    """True for two values of a view that the step makes by a star, where only the columns that it stands for differ."""
    made = [s for s in _last_first(step, ("view_stmt",), own_name(identity)) if any(nodes_of(s.node.query, "A_Star"))]
    return bool(made) and _without_columns(one, other) == _without_columns(other, one)


def _without_columns(value: str, other: str) -> str:
    """A view's value without the plain columns of its query that the other's has not."""
    options, _, text = value.partition("AS ")
    select, beside = (parse_statements(query)[0].node for query in (text, other.partition("AS ")[2]))
    there = {_plain_column(target) for target in beside.target_list}
    for target in list(select.target_list):
        if (column := _plain_column(target)) and column not in there:
            select.target_list.remove(target)
    return f"{options}{deparse('select_stmt', select)}"


def _plain_column(target: Any) -> tuple[str, ...]:
    """The name in the result, and that in the table; empty for anything else."""
    value = target.res_target.val
    return (target.res_target.name, *string_list(value.column_ref.fields)) if value.HasField("column_ref") else ()


def _says_all(query: Any, are_settled: AreSettled) -> bool:
    """True for a query without stars whose columns are qualified, or of one table, or of tables that are settled."""
    if any(nodes_of(query, "A_Star")):
        return False
    tables = [relation.relname for relation in nodes_of(query, "RangeVar")]
    bare = {string_list(column.fields)[0] for column in nodes_of(query, "ColumnRef") if len(column.fields) == 1}
    if len(tables) == 1 or not bare:
        return True
    own = {expression.ctename for expression in nodes_of(query, "CommonTableExpr")}
    return are_settled(set(tables) - own, bare)


def trigger_statement(step: Step, identity: str) -> str:
    """The last statement of the step that makes the trigger; empty where none does."""
    _, table, name = (unquoted(part) for part in parts(identity))
    for statement in _last_first(step, ("create_trig_stmt",), name):
        if (statement.node.relation.relname, statement.node.trigname) == (table, name):
            return statement.text
    return ""


def check_definition(step: Step, identity: str) -> str:
    """`CHECK (…)` as the step's last statement with a constraint of this name says; empty where none does."""
    _, table, name = (unquoted(part) for part in parts(identity))
    for statement in _last_first(step, ("create_stmt", "alter_table_stmt"), name):
        for constraint in nodes_of(statement.node, "Constraint"):
            if (statement.node.relation.relname, constraint.conname) == (table, name):
                return f"CHECK ({expression(constraint.raw_expr)})" if constraint.HasField("raw_expr") else ""
    return ""


def _last_first(step: Step, tags: Collection[str], name: str) -> Iterator[Statement]:
    """The step's statements of these kinds that have the name in them, from the last on."""
    for text, tag in reversed(list(zip(step.statements, step.tags, strict=True))):
        if tag in tags and name in text:
            yield from parse_statements(text)


def _or_replace(statement: Statement) -> str:
    return _CREATE.sub("CREATE OR REPLACE ", statement.text, count=1)
