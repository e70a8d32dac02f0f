"""Matters of taste that many share: types, names, guards. Told on request only, but for names that are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.chain.grammar import Statement, enum_name, nodes_of, range_name, walk
from trueup.planning.hazards.around import Around, type_of_node
from trueup.planning.hazards.columns import SERIALS
from trueup.planning.hazards.model import Family, Hit, Level, Rule

LONGEST_NAME = 63  # bytes; NAMEDATALEN - 1
_MANY_COLUMNS = 3


def _rule(name: str, title: str, why: str, instead: str, level: Level = Level.INFO) -> Rule:
    return Rule(id=name, family=Family.STYLE, title=title, why=why, instead=instead, level=level)


CHAR = _rule(
    "char-type",
    "char(n)",
    "Values are padded with blanks that comparisons then ignore; it saves no space.",
    "Use text, with a CHECK on its length where one is wanted.",
)
VARCHAR = _rule(
    "varchar-length",
    "varchar with a length",
    "To change the length is a type change; a CHECK can be replaced beside the users.",
    "Use text, with a CHECK on its length where one is wanted.",
)
SMALL_INTEGER = _rule(
    "small-integer",
    "a 16 or 32 bit integer",
    "A key of this size can run out, and widening it rewrites the table.",
    "Use bigint.",
)
SERIAL = _rule(
    "serial-column",
    "a serial column",
    "Its sequence has privileges and an owner of its own, and anybody may write another value.",
    "Use bigint GENERATED ALWAYS AS IDENTITY.",
)
TIMESTAMP = _rule(
    "timestamp-type",
    "timestamp without time zone",
    "It is no point in time: what it means depends on who reads it.",
    "Use timestamptz.",
)
JSON = _rule("json-type", "json", "It has no equality and no index, and is parsed at each use.", "Use jsonb.")
CHECKED_DOMAIN = _rule(
    "checked-domain",
    "a domain with a constraint",
    "To change the constraint reads every table with a column of it; adding such a column rewrites the table.",
    "Put the CHECK on the column.",
)
WIDE_INDEX = _rule(
    "wide-index",
    "an index on more than three columns",
    "The columns behind the third seldom help a search, and every write pays for them.",
    "Lead with the columns that select; INCLUDE those that are only read.",
)
ENUM_ORDER = _rule(
    "enum-order",
    "an enum's value without a place",
    "It becomes the greatest one, which `<`, ORDER BY and max() see.",
    "Say BEFORE or AFTER which value it stands.",
)
GUARD = _rule(
    "guard",
    "IF [NOT] EXISTS",
    "It passes over an object of that name, whatever its definition.",
    "Leave it out: trueup looks what is there, and compares.",
)
UNQUALIFIED = _rule(
    "unqualified-name",
    "a table without its schema",
    "Where it is made depends on search_path.",
    "Write the schema.",
)
LONG_NAME = _rule(
    "long-name",
    f"a name of more than {LONGEST_NAME} bytes",
    "The server cuts it off, and a second one with the same beginning is then taken already.",
    f"At most {LONGEST_NAME} bytes.",
    Level.WARNING,
)
RULES = (
    *(CHAR, VARCHAR, SMALL_INTEGER, SERIAL, TIMESTAMP, JSON, CHECKED_DOMAIN, WIDE_INDEX, ENUM_ORDER, GUARD),
    *(UNQUALIFIED, LONG_NAME),
)

_NAMES = ("idxname", "conname", "colname", "trigname", "newname", "policy_name", "subname")
_DDL_OF_TABLES = ("create_stmt", "alter_table_stmt", "rename_stmt", "alter_object_schema_stmt", "index_stmt")
_BY_TYPE = {
    "bpchar": CHAR,
    "int2": SMALL_INTEGER,
    "int4": SMALL_INTEGER,
    "timestamp": TIMESTAMP,
    **dict.fromkeys(SERIALS, SERIAL),
}


def statement_hits(statement: Statement, _around: Around) -> Iterator[Hit]:
    """Hits of any statement."""
    node = statement.node
    for column in nodes_of(node, "ColumnDef"):
        yield from _typed(column, made=statement.tag == "create_stmt")
    match statement.tag:
        case "create_domain_stmt" if node.constraints:
            yield Hit(CHECKED_DOMAIN, f"the domain {node.domainname[-1].string.sval} has a constraint")
        case "index_stmt" if len(node.index_params) > _MANY_COLUMNS and not node.unique:
            yield Hit(WIDE_INDEX, f"{node.idxname or 'an index'} has {len(node.index_params)} columns")
        case "alter_enum_stmt" if node.new_val and not node.old_val and not node.new_val_neighbor:
            yield Hit(ENUM_ORDER, f"'{node.new_val}' is added without BEFORE or AFTER")
    if getattr(node, "if_not_exists", False) or getattr(node, "missing_ok", False):
        yield Hit(GUARD, "IF [NOT] EXISTS")
    for name in _unqualified(statement):
        yield Hit(UNQUALIFIED, f"{name} is named without its schema")
    yield from _cut_off(statement)


def alter_hits(relation: Any, command: Any, _kind: str, _around: Around) -> Iterator[Hit]:
    """Hits of one part of an ALTER TABLE."""
    if command.missing_ok:
        yield Hit(GUARD, f"IF [NOT] EXISTS about {range_name(relation)}")


def _unqualified(statement: Statement) -> Iterator[str]:
    """Tables that DDL names without their schema."""
    node = statement.node
    if statement.tag == "drop_stmt" and enum_name(node, "remove_type") == "OBJECT_TABLE":
        yield from (item.list.items[0].string.sval for item in node.objects if len(item.list.items) == 1)
    elif statement.tag in _DDL_OF_TABLES and node.HasField("relation"):
        yield from (r.relname for r in [node.relation] if not r.schemaname and r.relpersistence != "t")


def _typed(column: Any, *, made: bool) -> Iterator[Hit]:
    kind = type_of_node(column.type_name)
    name = column.colname or "the column"
    if rule := _BY_TYPE.get(kind.name):
        yield Hit(rule, f"{name} is {kind.name}", at=column.location)
    if kind.name in ("serial", "smallserial", "serial2", "serial4"):
        yield Hit(SMALL_INTEGER, f"{name} is {kind.name}", at=column.location)
    if kind.name == "varchar" and kind.modifiers:
        yield Hit(VARCHAR, f"{name} is varchar({kind.modifiers[0]})", at=column.location)
    if kind.name == "json" and made:  # added to a table in use it is more than taste
        yield Hit(JSON, f"{name} is json", at=column.location)


def _cut_off(statement: Statement) -> Iterator[Hit]:
    """The grammar has cut names off already: what is as long as can be, and goes on in the text, was longer."""
    text = statement.text.encode()
    for part in walk(statement.node):
        fields = part.DESCRIPTOR.fields_by_name
        names = [str(getattr(part, name)) for name in (*_NAMES, "relname") if name in fields]
        for name in names:
            if len(name.encode()) >= LONGEST_NAME and _goes_on(text, name.encode()):
                yield Hit(LONG_NAME, f"{name}… is cut off at {LONGEST_NAME} bytes")


def _goes_on(text: bytes, name: bytes) -> bool:
    where = text.lower().find(name.lower())
    behind = text[where + len(name) : where + len(name) + 1]
    return where >= 0 and (behind.isalnum() or behind == b"_" or not behind.isascii())
