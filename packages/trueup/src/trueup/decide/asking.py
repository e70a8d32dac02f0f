"""Questions to the rows of tables and columns that later steps have renamed early: under the names that they have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from trueup.catalog.keys import identity_of, in_quotes, own_name, table_of
from trueup.chain.grammar import deparse, nodes_of, parse_statements, range_identity
from trueup.decide.lent import Lent


@lru_cache(maxsize=4096)
def as_named_here(query: str, lent: tuple[Lent, ...]) -> str:
    """The query, which has the names from before these renames: each table of theirs stands in for itself in a WITH."""
    if not lent:
        return query
    (statement,) = parse_statements(query)
    tables: dict[str, str] = {}
    for relation in nodes_of(statement.node, "RangeVar"):
        if stand_in := _stand_in(range_identity(relation), lent):
            tables[in_quotes(relation.relname)] = stand_in
            relation.schemaname = ""
    if not tables:
        return query
    return f"WITH {', '.join(f'{n} AS ({t})' for n, t in tables.items())} {deparse(statement.tag, statement.node)}"


def _stand_in(table: str, lent: Sequence[Lent]) -> str:
    """A query for the table with its former names; empty where none of it was renamed."""
    name, columns = table, dict[str, str]()
    for one in lent:
        if one.is_column and table_of(one.old) == name:
            before, after = own_name(identity_of(one.old)), own_name(identity_of(one.new))
            columns[next((first for first, last in columns.items() if last == before), before)] = after
        elif one.old == f"table {name}":
            name = identity_of(one.new)
    renamed = "".join(f", {in_quotes(last)} AS {in_quotes(first)}" for first, last in columns.items())
    return f"SELECT *{renamed} FROM {name}" if name != table or columns else ""  # noqa: S608 - quoted by the server
