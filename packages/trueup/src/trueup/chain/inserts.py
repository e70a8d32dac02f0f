"""The rows that an INSERT leaves behind, as far as its text says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trueup.catalog.keys import in_quotes, unquoted
from trueup.catalog.references import ForeignKey
from trueup.chain.grammar import (
    Statement,
    enum_name,
    expression,
    nodes_of,
    range_identity,
    range_sql,
    relation_text,
    statement_text,
    string_list,
)

THE_SAME_EACH_TIME = {
    *("lower", "upper", "initcap", "btrim", "ltrim", "rtrim", "replace", "regexp_replace", "substring", "left"),
    *("right", "split_part", "concat", "concat_ws", "length", "md5", "abs", "round", "floor", "ceil", "date_trunc"),
    *("jsonb_set", "jsonb_build_object", "jsonb_build_array", "jsonb_strip_nulls", "to_jsonb", "array_append"),
    *("to_date", "make_date", "make_interval", "repeat", "array_remove", "array_replace", "array_cat"),
}
"""Functions that give the same for the same."""
_ROUNDED = ("real", "numeric(", "date", "time", "interval")
_VOLATILE = {
    *("nextval", "random", "gen_random_uuid", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4"),
    *("uuidv7", "gen_random_bytes", "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp"),
}
_WITHOUT_EQUALITY = {"json", "xml", "point", "polygon"}
_SIZED = re.compile(r"character(?: varying)?\((\d+)\)")
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
    types: Mapping[str, str] | None = None,
    defaults: Mapping[str, str] | None = None,
    changed: Collection[str] = (),
) -> list[str]:
    """One condition for each row of an INSERT of values, true where it is there; none where its text does not say them.

    Constants and subqueries are compared: what a function gave (`now()`, a sequence) is another value each time. Those
    of columns that are `changed` since are not. With `keys`, sets of columns that are unique together, a row is there
    where one with such a key is. `columns` are the table's, for an INSERT that names none; `types` by column: some keep
    less of a value than the text says; `defaults` are the constants that columns of a key have where none is named.
    """
    kept = types or {}
    conditions = []
    for said in rows_written(statement, columns):
        same = {
            name: f"{in_quotes(name)} = {_as_kept(value, kept.get(name, ''))}"
            for name, value in said.items()
            if name not in changed and _can_be_asked(value)
        }
        if all(_is_truth(said[name]) for name in same):  # many rows are alike in those
            return []
        unnamed = {name: f"{in_quotes(name)} = {value}" for name, value in (defaults or {}).items() if name not in said}
        known = {**unnamed, **same}
        by_key = [[known[name] for name in sorted(key)] for key in keys if key <= known.keys()]
        asked = by_key if keys else [list(same.values())]
        if not all(asked) or not asked:
            return []
        table = range_sql(statement.node.relation)
        conditions.append(" OR ".join(f"EXISTS (SELECT FROM {table} WHERE {' AND '.join(one)})" for one in asked))
    return [f"({condition})" for condition in conditions]


def _as_kept(value: Any, type_: str) -> str:
    """The value as a column of this type keeps it: rounded, or without the time."""
    text = expression(value)
    is_decimal = value.WhichOneof("node") == "a_const" and value.a_const.HasField("fval")
    return f"CAST({text} AS {type_})" if type_ and (is_decimal or type_.startswith(_ROUNDED)) else text


def is_upsert(insert: Any) -> bool:
    """True for an INSERT that changes a row which it finds in its place."""
    action = insert.on_conflict_clause
    return insert.HasField("on_conflict_clause") and enum_name(action, "action") == "ONCONFLICT_UPDATE"


def row_referred_to(row: Mapping[str, Any], key: ForeignKey) -> str:
    """The condition that the row is there which a foreign key of a row to write refers to; empty if not said."""
    pairs = zip(key.columns, key.referred, strict=True)
    values = [(name, row.get(unquoted(column))) for column, name in pairs]
    if not all(value is not None and _can_be_asked(value) for _, value in values):
        return ""
    same = " AND ".join(f"{name} = {expression(value)}" for name, value in values)
    return f"EXISTS (SELECT FROM {key.parent} WHERE {same})"


def may_be_referred_to(row: Mapping[str, Any], key: ForeignKey, other: Mapping[str, Any]) -> bool:
    """True where another row to write may be the one that a foreign key of a row refers to."""
    names = zip(key.columns, key.referred, strict=True)
    pairs = [(row.get(unquoted(column)), other.get(unquoted(name))) for column, name in names]
    said = [pair for pair in pairs if all(value is not None and is_constant(value) for value in pair)]
    return all(expression(one) == expression(another) for one, another in said)


class Sought(NamedTuple):
    """A row of a table that a value is selected from: by what condition, and the condition that it is there."""

    table: str
    where: Any
    is_there: str


def rows_sought(row: Mapping[str, Any]) -> Iterator[Sought]:
    """The rows without which a value of a row to write would be NULL: it is selected from them."""
    for value in row.values():
        select = value.sub_link.subselect.select_stmt
        if value.WhichOneof("node") != "sub_link" or len(select.from_clause) != 1:
            continue
        source, others = select.from_clause[0], [one for one in select.target_list if _may_be_of_none(one)]
        if source.WhichOneof("node") == "range_var" and select.HasField("where_clause") and not others:
            is_there = f"EXISTS (SELECT FROM {relation_text(source)} WHERE {expression(select.where_clause)})"
            yield Sought(range_identity(source.range_var), select.where_clause, is_there)


def _may_be_of_none(value: Any) -> bool:
    """True for what may have a value where no row is found, such as `count(*)`."""
    return any(next(nodes_of(value, kind), None) for kind in ("FuncCall", "CoalesceExpr", "CaseExpr", "SubLink"))


def rows_selected(
    statement: Statement, keys: Collection[frozenset[str]], types: Mapping[str, str], *, there: bool
) -> str:
    """The condition that for each row of `INSERT … SELECT` one with the same key is there, or for none; else empty.

    `keys` are sets of columns that are unique together, `types` those of the columns. One that a function fills is
    another each time.
    """
    names, same = _selected_columns(statement)
    matches = [" AND ".join(_is_same(name, types) for name in sorted(key)) for key in keys if key <= same]
    if not matches:
        return ""
    one = f"EXISTS (SELECT FROM {range_sql(statement.node.relation)} AS old WHERE {' OR '.join(matches)})"
    return f"NOT EXISTS (SELECT FROM {_selected(statement, names)} WHERE {'NOT ' if there else ''}{one})"


def _is_same(name: str, types: Mapping[str, str]) -> str:
    """The comparison of a column; a constant among what is selected would be a text, and no label or date."""
    return f"{_as_it_is(name, types)} = {_as_of_column(name, types)}"


def _as_it_is(name: str, _: Mapping[str, str]) -> str:
    return f"old.{in_quotes(name)}"


def _as_of_column(name: str, types: Mapping[str, str]) -> str:
    column = in_quotes(name)
    return f"CAST(new.{column} AS {types[name]})" if name in types else f"new.{column}"


def one_selected_is_refused(statement: Statement, types: Mapping[str, str], given: Collection[str]) -> str:
    """The condition that an `INSERT … SELECT` has a row to write that the server would refuse; empty if not said.

    It is too long for one of the `types` of the columns, or NULL in one that has to be `given`.
    """
    names, _ = _selected_columns(statement)
    sizes = ((name, _SIZED.fullmatch(types.get(name, ""))) for name in names)
    refused = [f"length(new.{in_quotes(name)}::text) > {size[1]}" for name, size in sizes if size]
    refused += [f"new.{in_quotes(name)} IS NULL" for name in names if name in given]
    return f"EXISTS (SELECT FROM {_selected(statement, names)} WHERE {' OR '.join(refused)})" if refused else ""


def selects_only_new(statement: Statement, keys: Collection[frozenset[str]], types: Mapping[str, str]) -> str:
    """The condition that an `INSERT … SELECT` has rows to write and none of them is there; empty where it cannot be.

    Nor is one with one of the `keys`, sets of columns that are unique together. `types` are those of the columns.
    """
    names, same = _compared_columns(statement, types)
    if not same:
        return ""
    every = dict.fromkeys([frozenset(same), *(key for key in keys if key <= same)])
    none_there = [rows_selected(statement, [key], types, there=False) for key in every]
    known = ", ".join(f"new.{name}" for name in map(in_quotes, sorted(same)))
    some = f"EXISTS (SELECT FROM {_selected(statement, names)} WHERE ROW({known}) IS NOT NULL)"
    return " AND ".join([some, *none_there])


def selects_nothing_new(statement: Statement, keys: Collection[frozenset[str]], types: Mapping[str, str]) -> str:
    """The condition that all rows of an `INSERT … SELECT` are there, by their values or one of the `keys`; else empty.

    Here NULL is a value like others.
    """
    names, same = _compared_columns(statement, types)
    if not same:
        return ""
    new, old = (", ".join(of(name, types) for name in sorted(same)) for of in (_as_of_column, _as_it_is))
    table = range_sql(statement.node.relation)
    others = f"SELECT {new} FROM {_selected(statement, names)} EXCEPT SELECT {old} FROM {table} AS old"  # noqa: S608 - quoted
    by_key = (rows_selected(statement, [key], types, there=True) for key in keys)
    return f"({' OR '.join([f'NOT EXISTS ({others})', *filter(None, by_key)])})"


def _compared_columns(statement: Statement, types: Mapping[str, str]) -> tuple[list[str], set[str]]:
    """The columns that an `INSERT … SELECT` names, and those whose values tell whether a row of it is there."""
    names, same = _selected_columns(statement)
    return names, {name for name in same if types.get(name) not in _WITHOUT_EQUALITY}


def selects_of_values(statement: Statement) -> bool:
    """True for an `INSERT … SELECT` whose rows are of a list of values, and do not hang on what its table has."""
    node = statement.node
    if statement.tag != "insert_stmt" or node.select_stmt.select_stmt.values_lists:
        return False
    if any(other.relname == node.relation.relname for other in nodes_of(node.select_stmt, "RangeVar")):
        return False
    sources = (node.with_clause, *node.select_stmt.select_stmt.from_clause)
    return any(select.values_lists for source in sources for select in nodes_of(source, "SelectStmt"))


def _selected_columns(statement: Statement) -> tuple[list[str], set[str]]:
    """The columns that an `INSERT … SELECT` names, and those of them that are the same each time, and not NULL."""
    node = statement.node
    select = node.select_stmt.select_stmt if statement.tag == "insert_stmt" else None
    if select is None or not node.cols or len(select.target_list) != len(node.cols) or _is_of_another_each_time(node):
        return [], set()
    names = [column.res_target.name for column in node.cols]
    pairs = zip(names, (target.res_target.val for target in select.target_list), strict=True)
    return names, {name for name, value in pairs if not (_is_called(value) or _is_null(value))}


def _is_of_another_each_time(insert: Any) -> bool:
    """True where what stands in front of an `INSERT … SELECT`, or in its FROM, may be another each time it is asked."""
    select, queries = insert.select_stmt.select_stmt, [one.common_table_expr for one in insert.with_clause.ctes]
    if queries and select.HasField("with_clause"):
        return True
    if any(not one.ctequery.HasField("select_stmt") or _is_called(one.ctequery) for one in queries):
        return True
    return any(map(_is_another_each_time, select.from_clause))


def _is_called(value: Any) -> bool:
    return any(next(nodes_of(value, kind), None) for kind in ("FuncCall", "SQLValueFunction"))


def _is_null(value: Any) -> bool:
    kind = value.WhichOneof("node")
    return _is_null(value.type_cast.arg) if kind == "type_cast" else kind == "a_const" and value.a_const.isnull


def query_of(statement: Statement) -> str:
    """What an `INSERT … SELECT` selects, with the queries that stand in front of it."""
    node = statement.node
    query = type(node.select_stmt)()
    query.CopyFrom(node.select_stmt)
    if node.HasField("with_clause"):
        query.select_stmt.with_clause.CopyFrom(node.with_clause)
    return statement_text(query)


def _selected(statement: Statement, names: Sequence[str]) -> str:
    return f"({query_of(statement)}) AS new({', '.join(map(in_quotes, names))})"


def columns_repeated(statement: Statement, columns: Sequence[str]) -> frozenset[str] | None:
    """The columns to which an INSERT gives the same values when it is repeated; None where that is not said.

    `columns` are the table's, for an INSERT that names none.
    """
    node = statement.node
    names = [column.res_target.name for column in node.cols] or list(columns)
    if not node.HasField("select_stmt"):
        return frozenset()  # DEFAULT VALUES
    select = node.select_stmt.select_stmt
    rows = [row.list.items for row in select.values_lists]
    rows = rows or [[target.res_target.val for target in select.target_list]]
    if select.op != 1 or next(nodes_of(select, "A_Star"), None) or any(len(row) > len(names) for row in rows):
        return None  # 1: no UNION
    changing = {name for row in rows for name, value in zip(names, row, strict=False) if _is_another_each_time(value)}
    return frozenset(names[: max(map(len, rows))]) - changing


def _is_another_each_time(value: Any) -> bool:
    if value.WhichOneof("node") == "set_to_default" or next(nodes_of(value, "SQLValueFunction"), None):
        return True
    return any(string_list(call.funcname)[-1] in _VOLATILE for call in nodes_of(value, "FuncCall"))


def _can_be_asked(value: Any) -> bool:
    """True for a constant, what is made of such, or a subquery: it is the same each time."""
    return _is_of_constants(value) or value.WhichOneof("node") == "sub_link"


def _is_of_constants(value: Any) -> bool:
    match value.WhichOneof("node"):
        case "type_cast":
            return _is_of_constants(value.type_cast.arg)
        case "a_expr":
            return all(map(_is_of_constants, (value.a_expr.lexpr, value.a_expr.rexpr)))
        case "func_call" if string_list(value.func_call.funcname)[-1] in THE_SAME_EACH_TIME:
            return all(map(_is_of_constants, value.func_call.args))
    return is_constant(value)


def _is_truth(value: Any) -> bool:
    return bool(value.WhichOneof("node") == "a_const" and value.a_const.HasField("boolval"))


def is_constant(value: Any) -> bool:
    """True for a literal that can be compared: neither NULL nor json."""
    kind = value.WhichOneof("node")
    if kind == "type_cast":
        return is_constant(value.type_cast.arg)
    document = value.a_const.sval.sval.startswith(("{", "["))  # json has no equality
    return kind == "a_const" and not value.a_const.isnull and not document
