"""What a statement that writes rows leaves behind, as far as its text says: the rows themselves, or the same again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from trueup.catalog.keys import in_quotes
from trueup.chain.grammar import (
    Statement,
    enum_name,
    expression,
    nodes_of,
    parse_each,
    range_sql,
    relation_text,
    statement_text,
    string_list,
)
from trueup.chain.model import Step
from trueup.chain.statements import conjuncts

_NO_VALUE = ("set_to_default", "multi_assign_ref")
_MOST_ROWS = 500  # to ask for one by one


def rows_written(statement: Statement, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What an INSERT of values puts into the columns of each row; none where its text does not say the rows.

    `columns` are the table's, in their order, for an INSERT that names none.
    """
    node = statement.node
    if statement.tag != "insert_stmt" or not node.HasField("select_stmt"):
        return []
    select = node.select_stmt.select_stmt
    rows = [row.list.items for row in select.values_lists]
    if not rows and _is_one_row(select):
        rows = [[target.res_target.val for target in select.target_list]]
    names = [column.res_target.name for column in node.cols] or columns
    if len(rows) > _MOST_ROWS or any(len(row) > len(names) for row in rows):
        return []
    return [dict(zip(names, row, strict=False)) for row in rows]


def _is_one_row(select: Any) -> bool:
    """True for `SELECT 'a', 1` without a FROM."""
    more = ("where_clause", "larg", "with_clause", "limit_count", "having_clause")
    return bool(select.target_list) and not select.from_clause and not any(map(select.HasField, more))


def rows_it_leaves(
    statement: Statement,
    keys: Collection[frozenset[str]] = (),
    *,
    columns: Sequence[str] = (),
    changed: Collection[str] = (),
) -> list[str]:
    """One condition for each row of an INSERT of values, true where it is there; none where its text does not say them.

    Constants and subqueries are compared: what a function gave (`now()`, a sequence) is another value each time. Those
    of columns that are `changed` since are not. With `keys`, sets of columns that are unique together, a row is there
    where one with such a key is. `columns` are the table's, for an INSERT that names none.
    """
    conditions = []
    for said in rows_written(statement, columns):
        same = {
            name: f"{in_quotes(name)} = {expression(value)}"
            for name, value in said.items()
            if name not in changed and (_is_constant(value) or value.WhichOneof("node") == "sub_link")
        }
        if all(_is_truth(said[name]) for name in same):  # many rows are alike in those
            return []
        asked = (
            [[same[name] for name in sorted(key)] for key in keys if key <= same.keys()] if keys else [same.values()]
        )
        if not all(asked) or not asked:
            return []
        table = range_sql(statement.node.relation)
        conditions.append(" OR ".join(f"EXISTS (SELECT FROM {table} WHERE {' AND '.join(one)})" for one in asked))
    return [f"({condition})" for condition in conditions]


def rows_selected(statement: Statement, keys: Collection[frozenset[str]], *, there: bool) -> str:
    """The condition that for each row of `INSERT … SELECT` one with the same key is there, or for none; else empty.

    `keys` are sets of columns that are unique together. One that a function fills is another each time.
    """
    node = statement.node
    select = node.select_stmt.select_stmt if statement.tag == "insert_stmt" else None
    if select is None or not node.cols or len(select.target_list) != len(node.cols):
        return ""
    names = [column.res_target.name for column in node.cols]
    same = {
        name
        for name, target in zip(names, select.target_list, strict=True)
        if not any(True for _ in nodes_of(target, "FuncCall"))
    }
    matches = [" AND ".join(f"old.{n} = new.{n}" for n in map(in_quotes, sorted(key))) for key in keys if key <= same]
    if not matches:
        return ""
    written = f"({statement_text(node.select_stmt)}) AS new({', '.join(map(in_quotes, names))})"
    one = f"EXISTS (SELECT FROM {range_sql(node.relation)} AS old WHERE {' OR '.join(matches)})"
    return f"NOT EXISTS (SELECT FROM {written} WHERE {'NOT ' if there else ''}{one})"


def rows_it_finds(statement: Statement) -> str:
    """The condition that an UPDATE would find rows, where one that it has changed is not found again; else empty.

    That is so where it looks for a constant in a column that it sets to another: `SET x = 'b' WHERE x = 'a'`.
    """
    node = statement.node
    if statement.tag != "update_stmt" or node.from_clause or not node.HasField("where_clause"):
        return ""
    made = {target.res_target.name: target.res_target.val for target in node.target_list}
    for column, sought in _constants_sought(node.where_clause):
        value = made.get(column)
        if value is not None and _is_constant(value) and expression(value) not in sought:
            return f"EXISTS (SELECT FROM {_with_alias(node)} WHERE {expression(node.where_clause)})"
    return ""


def may_delete(statement: Statement, rows: Sequence[Mapping[str, Any]], *, changed: Collection[str] = ()) -> bool:
    """True where a DELETE or TRUNCATE could find one of these rows, as far as the texts say.

    Columns that are `changed` since may have any value.
    """
    where = statement.node.where_clause if statement.tag == "delete_stmt" else None
    sought = [(column, values) for column, values in _constants_sought(where) if column not in changed]
    return not rows or any(all(_may_be(row.get(column), values) for column, values in sought) for row in rows)


def _may_be(value: Any, sought: Collection[str]) -> bool:
    return value is None or not _is_constant(value) or expression(value) in sought


def _constants_sought(where: Any) -> Iterator[tuple[str, list[str]]]:
    """The columns that a condition wants to be a constant, or one of several, with these constants."""
    for part in conjuncts(where) if where else ():
        found = part.a_expr if part.WhichOneof("node") == "a_expr" else None
        if found is None or found.lexpr.WhichOneof("node") != "column_ref" or string_list(found.name) != ("=",):
            continue
        values = {"AEXPR_OP": [found.rexpr], "AEXPR_IN": found.rexpr.list.items}.get(enum_name(found, "kind"), ())
        if values and all(map(_is_constant, values)):
            yield string_list(found.lexpr.column_ref.fields)[-1], [expression(value) for value in values]


def finds_nothing(statement: Statement) -> str:
    """The condition that an UPDATE or DELETE would leave every row as it is; empty where its text does not say that."""
    node = statement.node
    if statement.tag not in ("update_stmt", "delete_stmt") or node.HasField("with_clause"):
        return ""
    targets = [target.res_target for target in node.target_list] if statement.tag == "update_stmt" else []
    if any(target.indirection or target.val.WhichOneof("node") in _NO_VALUE for target in targets):
        return ""
    own = in_quotes(node.relation.alias.aliasname if node.relation.HasField("alias") else node.relation.relname)
    changes = " OR ".join(f"{own}.{in_quotes(t.name)} IS DISTINCT FROM ({expression(t.val)})" for t in targets)
    conditions = [f"({changes})"] if changes else []
    conditions += [f"({expression(node.where_clause)})"] if node.HasField("where_clause") else []
    others = node.from_clause if statement.tag == "update_stmt" else node.using_clause
    relations = ", ".join([_with_alias(node), *(relation_text(other) for other in others)])
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"NOT EXISTS (SELECT FROM {relations}{where})"


def step_ends_the_same(step: Step) -> bool:
    """True where all statements of the step do."""
    return all(map(ends_the_same, parse_each(step.statements)))


def ends_the_same(statement: Statement) -> bool:
    """True for an UPDATE that does not read what it sets, and for a DELETE: done twice, it ends as done once."""
    if statement.tag == "delete_stmt":
        return True
    if statement.tag != "update_stmt":
        return False
    node = statement.node
    targets = {target.res_target.name for target in node.target_list}
    read = {
        string_list(column.fields)[-1]
        for target in node.target_list
        for column in nodes_of(target.res_target.val, "ColumnRef")
        if all(field.HasField("string") for field in column.fields)
    }
    return not targets & read


def _with_alias(node: Any) -> str:
    alias = f" {in_quotes(node.relation.alias.aliasname)}" if node.relation.HasField("alias") else ""
    return f"{range_sql(node.relation)}{alias}"


def _is_truth(value: Any) -> bool:
    return bool(value.WhichOneof("node") == "a_const" and value.a_const.HasField("boolval"))


def _is_constant(value: Any) -> bool:
    kind = value.WhichOneof("node")
    if kind == "type_cast":
        return _is_constant(value.type_cast.arg)
    document = value.a_const.sval.sval.startswith(("{", "["))  # json has no equality
    return kind == "a_const" and not value.a_const.isnull and not document
