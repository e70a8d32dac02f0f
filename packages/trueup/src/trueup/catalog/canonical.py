"""Values that servers of different majors write differently, made the same."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from trueup.chain.grammar import parse_statements
from trueup.errors import MigrationError


@lru_cache(maxsize=4096)
def canonical_view(value: str) -> str:
    """A view's definition as PostgreSQL 16 and later print it.

    Up to 15 every column of the outermost SELECT carries its relation's name, even where only one relation stands in
    FROM. The parser says where those columns are; only the qualifier's bytes are taken out, nothing is printed anew.
    """
    start = value.index("AS ") + 3
    try:
        (statement,) = parse_statements(value[start:])
    except (MigrationError, ValueError):
        return value
    node = statement.node
    if statement.tag != "select_stmt" or node.op != 1 or len(node.from_clause) != 1:  # 1: no UNION
        return value
    name = _only_relation(node.from_clause[0])
    if not name:
        return value
    text = value[start:]
    data = text.encode()
    for location in sorted(_qualified(node, name), reverse=True):
        data = _without_qualifier(data, location)
    return value[:start] + data.decode()


def _only_relation(item: Any) -> str:
    kind = item.WhichOneof("node")
    if kind == "range_var":
        return str(item.range_var.alias.aliasname or item.range_var.relname)
    if kind in ("range_subselect", "range_function"):
        return str(getattr(item, kind).alias.aliasname)
    return ""


def _qualified(node: Any, name: str) -> list[int]:
    """Byte offsets of `name.column` outside of subqueries."""
    found: list[int] = []
    for field, value in node.ListFields():
        if field.type != field.TYPE_MESSAGE or field.name in ("with_clause",):
            continue
        for child in value if field.is_repeated else (value,):
            kind = child.DESCRIPTOR.name
            if kind in ("SelectStmt", "RangeSubselect", "SubLink"):
                if kind == "SubLink" and child.HasField("testexpr"):
                    found.extend(_qualified(child.testexpr, name))
                continue
            if kind == "ColumnRef":
                fields = child.fields
                if len(fields) == 2 and fields[0].string.sval == name and fields[1].HasField("string"):  # noqa: PLR2004
                    found.append(child.location)
            else:
                found.extend(_qualified(child, name))
    return found


def _without_qualifier(data: bytes, location: int) -> bytes:
    end = location
    if data[end : end + 1] == b'"':
        end = data.index(b'"', end + 1)
        while data[end + 1 : end + 2] == b'"':
            end = data.index(b'"', end + 2)
    end = data.index(b".", end) + 1
    return data[:location] + data[end:]
