"""What a data step reads before it writes: the rows that its INSERTs select, and those that its blocks go through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from trueup.chain.grammar import Statement, parse_each, parse_statements
from trueup.chain.inserts import query_of
from trueup.errors import MigrationError

IS_REFUSED = "/* is refused */ "
"""Begins a question that is answered with yes where the server finds a value that it cannot take."""

_LOOP = re.compile(r"\bFOR\s+\w+(?:\s*,\s*\w+)*\s+IN\s+((?:SELECT|WITH)\b.*?)\bLOOP\b", re.IGNORECASE | re.DOTALL)


def queries_read(texts: Iterable[str]) -> Iterator[str]:
    """The queries that these statements go through row by row, as far as they stand for themselves."""
    return (query for statement in parse_each(texts) for query in _queries_of(statement))


def _queries_of(statement: Statement) -> Iterator[str]:
    if statement.tag == "insert_stmt" and statement.node.HasField("select_stmt"):
        if not statement.node.select_stmt.select_stmt.values_lists:
            yield query_of(statement)
    elif statement.tag == "do_stmt":
        yield from (query for query in _LOOP.findall(statement.text) if _is_query(query))


def as_question(query: str) -> str:
    """The question whether the server refuses to read all rows of a query, for their values."""
    return f"{IS_REFUSED}SELECT count(q) < 0 FROM ({query}) AS q"  # noqa: S608 - parsed


def _is_query(text: str) -> bool:
    try:
        return [statement.tag for statement in parse_statements(text)] == ["select_stmt"]
    except MigrationError:
        return False
