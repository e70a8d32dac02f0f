"""Statements that leave it to a table which columns it has, and in which order: the same with these columns written.

`INSERT` without a list of columns fills them from the first on, and `SELECT *` reads all that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from trueup.chain.grammar import Statement, deparse, nodes_of

Columns = Callable[[Any], Sequence[str] | None]
"""Of a RangeVar: the columns to write for its relation; empty where it is right as it is, None where it lacks some."""


def with_columns(statement: Statement, columns: Columns) -> str:
    """The statement as text, with the columns of such tables; empty where they cannot be told."""
    node = type(statement.node)()
    node.CopyFrom(statement.node)
    named = {str(query.ctename) for query in nodes_of(node, "CommonTableExpr")}

    def of(relation: Any) -> Sequence[str]:
        found = () if relation.relname in named and not relation.schemaname else columns(relation)
        if found is None:
            raise _CannotTellError
        return found

    try:
        for select in [*nodes_of(node, "SelectStmt")]:
            _write_stars(select, of)
        if statement.tag == "insert_stmt" and not node.cols and node.HasField("select_stmt"):
            _write_filled(node, of)
    except _CannotTellError:
        return ""
    return deparse(statement.tag, node)


class _CannotTellError(Exception):
    pass


def _write_filled(insert: Any, columns: Callable[[Any], Sequence[str]]) -> None:
    names = columns(insert.relation)
    if not names:
        return
    select = insert.select_stmt.select_stmt
    while select.HasField("larg"):
        select = select.larg
    values = select.values_lists[0].list.items if select.values_lists else select.target_list
    if len(values) > len(names) or any(_star(value) for value in values):
        raise _CannotTellError
    for name in names[: len(values)]:
        insert.cols.add().res_target.name = name


def _write_stars(select: Any, columns: Callable[[Any], Sequence[str]]) -> None:
    targets = [*select.target_list]
    written = [new for target in targets for new in _written(target, select, columns)]
    del select.target_list[:]
    select.target_list.extend(written)


def _written(target: Any, select: Any, columns: Callable[[Any], Sequence[str]]) -> Iterator[Any]:
    """The target; for a star, those of the columns of each relation that it stands for."""
    star = _star(target)
    sources = [one for item in select.from_clause for one in _sources(item)] if star else []
    if len(star) > 1:  # of one relation; the last name of it is enough
        sources = [(name, relation) for name, relation in sources if name == star[-2]]
    lists = [columns(relation) if relation is not None else () for _, relation in sources]
    if not any(lists):
        yield target
        return
    if any(_merges(item) for item in select.from_clause) or not all(name for name, _ in sources):
        raise _CannotTellError
    for (name, _), names in zip(sources, lists, strict=True):
        for column in names or ("",):
            new = type(target)()
            new.CopyFrom(target)
            reference = new.res_target.val.column_ref
            del reference.fields[:]
            reference.fields.add().string.sval = name
            if column:
                reference.fields.add().string.sval = column
            else:
                reference.fields.add().a_star.SetInParent()
            yield new


def _star(target: Any) -> list[str]:
    """The names that a star in a list of targets has, and one for itself; none where the target is no star."""
    value = target.res_target.val
    fields = value.column_ref.fields if value.WhichOneof("node") == "column_ref" else ()
    if not fields or not fields[-1].HasField("a_star"):
        return []
    return [*(str(field.string.sval) for field in fields[:-1]), "*"]


def _sources(item: Any) -> Iterator[tuple[str, Any]]:
    """What an item of FROM consists of: by what name, and the RangeVar where it is a relation."""
    kind = item.WhichOneof("node")
    one = getattr(item, kind)
    if kind == "join_expr" and not one.HasField("alias"):
        yield from (*_sources(one.larg), *_sources(one.rarg))
    elif kind == "range_var":
        yield str(one.alias.aliasname or one.relname), None if one.alias.colnames else one
    else:
        yield str(one.alias.aliasname), None


def _merges(item: Any) -> bool:
    """True for joins whose columns of the same name become one."""
    return any(join.is_natural or join.using_clause for join in nodes_of(item, "JoinExpr"))
