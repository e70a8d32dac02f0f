"""Values that a server writes in more than one way, made the same.

Five causes are known: the qualifiers in views, and the words that are quoted, which differ by major; `varchar IN (…)`
and the comparison of rows by IS DISTINCT FROM, which are written in another way once they have been dumped and
restored; and the moment of its own making, which a definition holds where it was written as 'now'.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from trueup.chain.grammar import parse_statements
from trueup.errors import MigrationError

_ELEMENT = r"\('(?:[^']|'')*'::character varying\)::text"
_RESTORED_LIST = re.compile(rf"ARRAY\[({_ELEMENT}(?:, {_ELEMENT})*)\]")
_MOMENT = re.compile(r"'\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{4,6}(?:[+-]\d\d(?::\d\d)*)?'::timestamp\b")
_NESTING = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[()]| OR """)
_LIST = r"'(?:[^']|'')*'::character varying(?:, '(?:[^']|'')*'::character varying)*"
_MEMBERSHIP = re.compile(
    rf"\((?P<of>[\w.\"]+)\)::text (?P<how>= ANY|<> ALL) \(\(ARRAY\[(?P<list>{_LIST})\]\)::text\[\]\)"
)


NEW_WORDS = (
    "json|json_array|json_arrayagg|json_exists|json_object|json_objectagg|json_query|json_scalar|json_serialize"
    "|json_table|json_value|merge_action"
)
"""Key words only from PostgreSQL 16 or 17 on, which put them in quotes; a column may be called so without, too."""
NEW_AND_RESERVED = "system_user"
"""From 16 on no column is called so without quotes."""
_TO_BE_QUOTED = re.compile(rf"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b({NEW_AND_RESERVED})\b""")
_QUOTED_WORD = re.compile(rf"""'(?:[^']|'')*'|"({NEW_WORDS})\"""")


def canonical_words(text: str) -> str:
    """Names that are key words for some servers only, as all of them understand them: with quotes or without."""
    if '"json' in text or '"merge_action"' in text:
        text = _QUOTED_WORD.sub(lambda match: match[1] or match[0], text)
    if NEW_AND_RESERVED in text:
        text = _TO_BE_QUOTED.sub(lambda match: f'"{match[1]}"' if match[1] else match[0], text)
    return text


def canonical_list(value: str) -> str:
    """`varchar IN (…)` as the server first writes it, where it comes from a dump."""
    if "ARRAY[(" not in value:
        return value
    return _RESTORED_LIST.sub(
        lambda m: "(ARRAY[" + re.sub(r"\(('(?:[^']|'')*'::character varying)\)::text", r"\1", m[1]) + "])::text[]",
        value,
    )


def canonical_moment(value: str) -> str:
    """`'now'::timestamp`, where a definition tells which moment that was.

    People write no more than thousandths of a second; the server's clock has millionths.
    """
    return _MOMENT.sub("'now'::timestamp", value) if "::timestamp" in value else value


def writable_list(value: str) -> str:
    """The opposite for DDL: written as IN, the server's first way of showing it comes out again."""
    if "::text[]" not in value:
        return value

    def as_in(match: re.Match[str]) -> str:
        word = "IN" if match["how"] == "= ANY" else "NOT IN"
        return f"{match['of']} {word} ({match['list'].replace('::character varying', '')})"

    return _MEMBERSHIP.sub(as_in, value)


def canonical_or(value: str) -> str:
    """`((a OR b) OR c)` as `(a OR b OR c)`.

    The server shows `ROW(…) IS DISTINCT FROM ROW(…)` in the first way; read again, it shows it in the second.
    """
    if " IS DISTINCT FROM " not in value or ") OR (" not in value:
        return value
    opened: list[int] = []
    closed: dict[int, int] = {}
    ors: dict[int, list[int]] = {}  # where OR stands, by the parenthesis around it
    for match in _NESTING.finditer(value):
        if match[0] == "(":
            opened.append(match.start())
        elif match[0] == ")":
            closed[opened.pop()] = match.start()
        elif match[0] == " OR " and opened:
            ors.setdefault(opened[-1], []).append(match.start())
    inner = [start for start in ors if start - 1 in ors and closed[start] + 1 == ors[start - 1][0]]
    dropped = {place for start in inner for place in (start, closed[start])}
    return "".join(letter for place, letter in enumerate(value) if place not in dropped)


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
        if field.type != field.TYPE_MESSAGE or field.name == "with_clause":
            continue
        for child in value if field.is_repeated else (value,):
            kind = child.DESCRIPTOR.name
            if kind in ("SelectStmt", "RangeSubselect", "SubLink"):
                if kind == "SubLink" and child.HasField("testexpr"):
                    found.extend(_qualified(child.testexpr, name))
                continue
            if kind == "ColumnRef":
                qualifier, *rest = child.fields
                if qualifier.string.sval == name and [one.WhichOneof("node") for one in rest] == ["string"]:
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
