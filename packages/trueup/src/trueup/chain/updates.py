"""What an UPDATE or a DELETE finds, and what it would if it ran again, as far as its text says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
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
    string_list,
    walk,
)
from trueup.chain.inserts import THE_SAME_EACH_TIME, is_constant, rows_written
from trueup.chain.model import Step
from trueup.chain.statements import conjuncts

_OF_OTHERS = ("SubLink", "SQLValueFunction")
_NO_VALUE = ("set_to_default", "multi_assign_ref")
_SAME_TWICE = {"lower", "upper", "initcap", "btrim", "ltrim", "rtrim", "left", "abs", "round", "trunc", "jsonb_set"}
"""Functions of which the value, given to them in place of their first argument, comes back as it is."""


def rows_it_finds(statement: Statement) -> str:
    """The condition that an UPDATE would find rows which it has surely not changed yet; empty where none says so.

    It looks for a constant in a column that it sets to another (`SET x = 'b' WHERE x = 'a'`), it fills a column that
    has no value in any row, it would not find its rows again, or it makes all values alike (`SET x = lower(x)`).
    """
    node = statement.node
    if statement.tag != "update_stmt":
        return ""
    made = {target.res_target.name: target.res_target.val for target in node.target_list}
    if node.HasField("where_clause") and not node.from_clause:
        for column, sought in constants_sought(node.where_clause):
            value = made.get(column)
            if value is not None and is_constant(value) and expression(value) not in sought:
                return f"EXISTS (SELECT FROM {_with_alias(node)} WHERE {expression(node.where_clause)})"
    shown = [_none_is_found_again(statement), finds_unfilled(statement), _finds_unsettled(statement)]
    return " OR ".join(f"({one})" for one in shown if one)


def finds_unfilled(statement: Statement, defaults: Mapping[str, str] | None = None) -> str:
    """The condition that an UPDATE would fill columns that have no value in any row; empty where it fills none."""
    filled, unchanged = one_is_filled(statement, defaults), finds_nothing(statement)
    return f"NOT {unchanged} AND NOT {filled}" if filled and unchanged else ""


def one_is_filled(statement: Statement, defaults: Mapping[str, str] | None = None) -> str:
    """The condition that some row has a value in a column that an UPDATE gives values where it has none; else empty.

    Of columns with constant `defaults`: another value than that.
    """
    node = statement.node
    names = [target.res_target.name for target in node.target_list] if statement.tag == "update_stmt" else []
    least = {name: (defaults or {}).get(name) for name in names if fills(statement, name)}
    filled = [
        f"{in_quotes(name)} IS DISTINCT FROM {value}" if value else f"{in_quotes(name)} IS NOT NULL"
        for name, value in least.items()
    ]
    return f"EXISTS (SELECT FROM {range_sql(node.relation)} WHERE {' OR '.join(filled)})" if filled else ""


def has_no_key(statement: Statement) -> str:
    """The condition that no row has a key which an UPDATE sets in a JSON column; empty where it sets other things."""
    node = statement.node
    if statement.tag != "update_stmt" or node.from_clause:
        return ""
    found = [(target.res_target.name, [*_paths_set(target.res_target)]) for target in node.target_list]
    if not all(paths for _, paths in found):
        return ""
    there = [f"{in_quotes(name)} #> {path} IS NOT NULL" for name, paths in found for path in paths]
    return f"NOT EXISTS (SELECT FROM {range_sql(node.relation)} WHERE {' OR '.join(there)})"


def _paths_set(target: Any) -> Iterator[str]:
    """The constant paths that `SET c = jsonb_set(c, path, …)` sets, as SQL."""
    for call in nodes_of(target.val, "FuncCall"):
        of = [string_list(ref.fields)[-1] for ref in nodes_of(call.args[0], "ColumnRef")] if len(call.args) > 1 else []
        if string_list(call.funcname)[-1:] == ("jsonb_set",) and target.name in of and _is_literal(call.args[1]):
            yield expression(call.args[1])


def _is_literal(value: Any) -> bool:
    inner = value.type_cast.arg if value.WhichOneof("node") == "type_cast" else value
    return bool(inner.WhichOneof("node") == "a_const")


def values_set(statement: Statement) -> dict[str, str]:
    """The constants that an UPDATE with a condition sets columns to; none for others."""
    node = statement.node
    if statement.tag != "update_stmt" or node.from_clause or not node.HasField("where_clause"):
        return {}
    targets = [target.res_target for target in node.target_list]
    return {target.name: expression(target.val) for target in targets if is_constant(target.val)}


def stands_between(earlier: Statement, later: Statement) -> str:
    """The condition that a row which two UPDATEs find is as the first of them left it; empty if not said."""
    before, then = values_set(earlier), values_set(later)
    both = [name for name in then if name in before and before[name] != then[name]]
    if not both or _with_alias(earlier.node) != _with_alias(later.node):
        return ""
    found = [f"({expression(one.node.where_clause)})" for one in (earlier, later)]
    left = [f"{in_quotes(name)} = {before[name]}" for name in both]
    return f"EXISTS (SELECT FROM {_with_alias(later.node)} WHERE {' AND '.join([*found, *left])})"


def _none_is_found_again(statement: Statement) -> str:
    """The condition that an UPDATE finds rows and, once they are changed, would find none of them again."""
    node = statement.node
    made = {target.res_target.name: target.res_target.val for target in node.target_list}
    if node.from_clause or not node.HasField("where_clause") or any(map(_is_of_others, made.values())):
        return ""
    then = type(node.where_clause)()
    then.CopyFrom(node.where_clause)
    if not _put_in(then, made):
        return ""
    found, again = expression(node.where_clause), expression(then)
    where = f"SELECT FROM {_with_alias(node)} WHERE ({found})"
    return f"EXISTS ({where}) AND NOT EXISTS ({where} AND ({again}))"


def _put_in(part: Any, values: Mapping[str, Any]) -> bool:
    """Put these values in the place of the columns that are called so; whether there are any."""
    changed = False
    for node in list(walk(part)):
        if node.DESCRIPTOR.name != "Node" or node.WhichOneof("node") != "column_ref":
            continue
        name = node.column_ref.fields[-1].string.sval
        if name in values:
            node.CopyFrom(values[name])
            changed = True
    return changed


def _is_of_others(value: Any) -> bool:
    """True for what may be another value each time: of most functions, of other rows, or not said."""
    if value.WhichOneof("node") in _NO_VALUE or any(next(nodes_of(value, kind), None) for kind in _OF_OTHERS):
        return True
    return any(string_list(call.funcname)[-1] not in THE_SAME_EACH_TIME for call in nodes_of(value, "FuncCall"))


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


def may_change(statement: Statement, tables: Collection[str]) -> bool:
    """True for an UPDATE, a DELETE or a TRUNCATE of one of these tables, by their bare names."""
    node = statement.node
    if statement.tag == "truncate_stmt":
        return (
            any(each.range_var.relname in tables for each in node.relations)
            or enum_name(node, "behavior") == "DROP_CASCADE"
        )
    return statement.tag in ("update_stmt", "delete_stmt") and node.relation.relname in tables


def may_find(statement: Statement, row: Mapping[str, Any], *, changed: Collection[str] = ()) -> bool:
    """True where an UPDATE, a DELETE or a TRUNCATE could find a row of an INSERT's, as far as the texts say.

    Columns that are `changed` since may have any value.
    """
    where = None if statement.tag == "truncate_stmt" else statement.node.where_clause
    return may_meet(where, row, changed=changed)


def may_meet(where: Any, row: Mapping[str, Any], *, changed: Collection[str] = ()) -> bool:
    """The same for a condition alone."""
    sought = ((column, values) for column, values in constants_sought(where) if column not in changed)
    return all(_may_be(row.get(column), values) for column, values in sought)


def _may_be(value: Any, sought: Collection[str]) -> bool:
    return value is None or not is_constant(value) or expression(value) in sought


def constants_sought(where: Any) -> Iterator[tuple[str, list[str]]]:
    """The columns that a condition wants to be a constant, or one of several, with these constants."""
    for part in conjuncts(where) if where else ():
        found = part.a_expr if part.WhichOneof("node") == "a_expr" else None
        if found is None or found.lexpr.WhichOneof("node") != "column_ref" or string_list(found.name) != ("=",):
            continue
        values = {"AEXPR_OP": [found.rexpr], "AEXPR_IN": found.rexpr.list.items}.get(enum_name(found, "kind"), ())
        if values and all(map(is_constant, values)):
            yield string_list(found.lexpr.column_ref.fields)[-1], [expression(value) for value in values]


def may_make(later: Statement, change: Statement) -> bool:
    """True where an UPDATE or an INSERT may make rows, or give them values, for which another UPDATE or a DELETE is.

    Of an UPDATE's condition only the constants count that it wants in columns.
    """
    if change.tag not in ("update_stmt", "delete_stmt") or later.tag not in ("update_stmt", "insert_stmt"):
        return False
    node, where = later.node, change.node.where_clause
    if node.relation.relname != change.node.relation.relname:
        return False
    sought = dict(constants_sought(where))
    if later.tag == "insert_stmt":
        rows = rows_written(later) or [_selected(node)]
        return any(may_meet(where, row) and (change.tag == "delete_stmt" or row.keys() & sought) for row in rows)
    made = {target.res_target.name: target.res_target.val for target in node.target_list}
    kept = ((column, values) for column, values in constants_sought(node.where_clause) if column not in made)
    is_for_others = any(column in sought and not set(values) & set(sought[column]) for column, values in kept)
    return bool(made.keys() & sought) and may_meet(where, made) and not is_for_others


def _selected(insert: Any) -> dict[str, Any]:
    """What an `INSERT … SELECT` puts into the columns that it names."""
    names = [column.res_target.name for column in insert.cols]
    values = [target.res_target.val for target in insert.select_stmt.select_stmt.target_list]
    return dict(zip(names, values, strict=True)) if len(names) == len(values) else {}


def takes_all(statement: Statement) -> bool:
    """True for a TRUNCATE, and for a DELETE that is for every row."""
    whole = statement.tag == "delete_stmt" and not statement.node.HasField("where_clause")
    return statement.tag == "truncate_stmt" or (whole and not statement.node.using_clause)


def step_takes_all(step: Step) -> bool:
    """True where a statement of the step does."""
    return any(map(takes_all, parse_each(step.statements)))


def step_ends_the_same(step: Step) -> bool:
    """True where all statements of the step do."""
    return all(map(ends_the_same, parse_each(step.statements)))


def ends_the_same(statement: Statement) -> bool:
    """True for a DELETE, a TRUNCATE and an UPDATE that makes no value of what it sets: done twice, it ends as once."""
    if statement.tag in ("delete_stmt", "truncate_stmt"):
        return True
    if statement.tag != "update_stmt":
        return False
    node = statement.node
    own = _own_names(node)
    targets = [target.res_target for target in node.target_list if not _is_itself(target.res_target, own)]
    beside = ((made.val, _beside_itself(made, own)) for made in targets)
    read = [part for value, others in beside for part in ([value] if others is None else others)]
    return not any(_reads(part, column.name, own) for part in read for column in targets)


def only_fires(statement: Statement) -> bool:
    """True for an UPDATE that sets columns to what they are (`SET x = x`): it is there for what its triggers do."""
    node = statement.node
    if statement.tag != "update_stmt":
        return False
    return all(_is_itself(target.res_target, _own_names(node)) for target in node.target_list)


def _own_names(update: Any) -> set[str]:
    """The names that columns of the table that it changes may have in front."""
    return {update.relation.alias.aliasname or update.relation.relname, ""}


def _beside_itself(target: Any, own: Collection[str]) -> list[Any] | None:
    """What else goes into a value, where it is made of the column's own and twice makes no more of it; else None."""
    value = target.val
    match value.WhichOneof("node"):
        case "coalesce_expr":
            arguments = list(value.coalesce_expr.args)
        case "min_max_expr":
            arguments = sorted(value.min_max_expr.args, key=lambda one: not _is_column(one, target.name, own))
        case "func_call" if string_list(value.func_call.funcname)[-1] in _SAME_TWICE:
            arguments = list(value.func_call.args)
        case "a_expr" if enum_name(value.a_expr, "kind") == "AEXPR_NULLIF":
            arguments = [value.a_expr.lexpr, value.a_expr.rexpr]
        case _:
            return None
    return arguments[1:] if arguments and _is_column(arguments[0], target.name, own) else None


def _finds_unsettled(statement: Statement) -> str:
    """The condition that values are not as it leaves them, for an UPDATE of each by itself, by constants; else empty.

    Done again it does no harm: rows that have come since are only made as all others are.
    """
    node, own = statement.node, _own_names(statement.node)
    beside = [_beside_itself(target.res_target, own) for target in node.target_list]
    settles = all(others is not None and all(map(is_constant, others)) for others in beside)
    return f"NOT {unchanged}" if settles and (unchanged := finds_nothing(statement)) else ""


def _is_itself(target: Any, own: Collection[str]) -> bool:
    return _is_column(target.val, target.name, own)


def _is_column(value: Any, name: str, own: Collection[str]) -> bool:
    return value.WhichOneof("node") == "column_ref" and _reads(value, name, own)


def fills(statement: Statement, column: str) -> bool:
    """True for an UPDATE that gives a column values where it has none: what it sets does not hang on what is there."""
    node = statement.node
    if statement.tag != "update_stmt":
        return False
    own = {node.relation.relname, node.relation.alias.aliasname, ""}
    made = [target.res_target.val for target in node.target_list if target.res_target.name == column]
    where = conjuncts(node.where_clause) if node.HasField("where_clause") else []
    read = [*(value for value in made if value.WhichOneof("node") != "sub_link"), *filter(_is_no_null_test, where)]
    return bool(made) and not any(_reads(part, column, own) for part in read)


def _is_no_null_test(condition: Any) -> bool:
    return condition.WhichOneof("node") != "null_test" or enum_name(condition.null_test, "nulltesttype") != "IS_NULL"


def _reads(part: Any, column: str, own: Collection[str]) -> bool:
    """True where it names the column, as one of the table that goes by these names."""
    names = (string_list(found.fields) for found in nodes_of(part, "ColumnRef"))
    return any(name[-1] == column and (name[-2] if len(name) > 1 else "") in own for name in names)


def _with_alias(node: Any) -> str:
    alias = f" {in_quotes(node.relation.alias.aliasname)}" if node.relation.HasField("alias") else ""
    return f"{range_sql(node.relation)}{alias}"
