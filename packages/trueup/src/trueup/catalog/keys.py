"""A fact's key: kind, then the identity as PostgreSQL quotes it, such as `not null public.leads.phone`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

COLUMN_FACETS = ("not null", "default", "generated", "identity", "numbering", "collation", "options")
"""Facts of a column besides its type; each is present only where the column has it."""

TYPES = ("enum", "domain", "type")
"""Kinds that share their names in a schema; no table is called so, either."""

_TABLE_FACETS = ("row security", "storage", "replica identity", "partition", "cluster on")
_OF_TABLE = ("constraint", "validated", "trigger", "trigger state", "policy", "rule")
_LEAVES = {"validated": "constraint", "valid": "index", "trigger state": "trigger", "sequence owner": "sequence"}
_KINDS = sorted(
    (
        *("role", "schema", "extension", "table", "column", "index", "valid", "sequence", "sequence owner"),
        *("enum", "domain", "domain constraint", "type", "view", "materialized view"),
        *("function", "procedure", "aggregate", "statistics", "comment on", "privileges", "default privileges"),
        *COLUMN_FACETS,
        *_TABLE_FACETS,
        *_OF_TABLE,
    ),
    key=len,
    reverse=True,
)
_KIND = re.compile("|".join(f"{kind} " for kind in _KINDS))
_NAME = r'(?:"(?:[^"]|"")+"|[^". ]+)'
_GRANT = re.compile(
    r"(?P<kind>table|column|view|materialized view|sequence|function|procedure|aggregate|type|schema) (?P<name>.+)"
    rf" to (?P<role>{_NAME})$"
)
_DEFAULTS = re.compile(
    rf"(?:for (?P<owner>{_NAME}) )?on (?P<objects>[a-z ]+?)(?: in (?P<schema>{_NAME}))? to (?P<role>{_NAME})$"
)
_OF_TABLE_PARTS = 3  # schema, table, own name
_BEFORE_DOT = r'|"?\s*\.'  # there it is a schema or a table of the same name
_PART = re.compile(r'"(?:[^"]|"")+"|[^."(]+')


@lru_cache(maxsize=65536)
def split_key(key: str) -> tuple[str, str]:
    """(kind, identity) of a key."""
    match = _KIND.match(key)
    if match is None:
        raise ValueError(key)
    return match.group()[:-1], key[match.end() :]


def kind_of(key: str) -> str:
    """The kind of fact."""
    return split_key(key)[0]


def identity_of(key: str) -> str:
    """The object, as PostgreSQL quotes it."""
    return split_key(key)[1]


@lru_cache(maxsize=65536)
def parts(identity: str) -> tuple[str, ...]:
    """The dotted parts, each still quoted as needed; a function's arguments are not among them."""
    found, position = [], 0
    while match := _PART.match(identity, position):
        found.append(match.group())
        position = match.end()
        if identity[position : position + 1] != ".":
            break
        position += 1
    return tuple(found)


@lru_cache(maxsize=65536)
def granted(identity: str) -> tuple[str, str, str]:
    """(kind of object, its name, the role) of privileges."""
    match = _GRANT.match(identity)
    if match is None:
        raise ValueError(identity)
    return match["kind"], match["name"], match["role"]


@lru_cache(maxsize=4096)
def default_grant(identity: str) -> tuple[str, str, str, str]:
    """(whose objects, kind of objects, schema, role) of default privileges; empty: one's own, every schema."""
    match = _DEFAULTS.match(identity)
    if match is None:
        raise ValueError(identity)
    return match["owner"] or "", match["objects"], match["schema"] or "", match["role"]


def schema_of(key: str) -> str:
    """The schema of a fact's object, unquoted; empty for an extension."""
    kind, identity = split_key(key)
    if kind == "default privileges":
        return unquoted(default_grant(identity)[2])
    if kind == "privileges":
        identity = granted(identity)[1]
    if kind == "comment on":
        identity = re.sub(r"^(materialized view|[a-z]+) ", "", identity)
    return "" if kind in ("extension", "role") else unquoted(parts(identity)[0])


def schemas_of(keys: Iterable[str]) -> set[str]:
    """The schemas of many facts' objects. Up to the first dot keys are much the same: one of each is looked at."""
    like = {key if '"' in key else key.partition(".")[0]: key for key in keys}
    return {schema for key in like.values() if (schema := schema_of(key))}


def unquoted(name: str) -> str:
    """An identifier without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def own_name(identity: str) -> str:
    """An object's name without its schema or table, and without quotes."""
    return unquoted(parts(identity)[-1])


def by_own_name(identities: Iterable[str]) -> dict[str, list[str]]:
    """Objects by their names alone, without quotes."""
    found: dict[str, list[str]] = {}
    for identity in identities:
        found.setdefault(own_name(identity), []).append(identity)
    return found


def mentions(text: str, identity: str) -> bool:
    """True where a text has an object's own name as a word; that of a part of a table not before a dot.

    A name without capitals may be written with them; one in quotes that has them by chance is taken for it as well.
    """
    name = own_name(identity)
    text = text if name != name.lower() else _folded(text)
    if name not in text:
        return False
    of_table = len(parts(identity)) == _OF_TABLE_PARTS
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w{_BEFORE_DOT if of_table else ''})", text) is not None


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return text.lower()


def quoted(name: str) -> str:
    """An identifier as quote_ident writes it, but for key words."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else in_quotes(name)


def in_quotes(name: str) -> str:
    """An identifier in quotes, whatever it is: it may be a key word."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text as SQL. psycopg's own way takes ten times as long, and every step has several."""
    text = value.replace("'", "''")
    return "E'" + text.replace("\\", "\\\\") + "'" if "\\" in text else f"'{text}'"


@lru_cache(maxsize=65536)
def table_of(key: str) -> str:
    """`schema.table` of a fact that lives on a table; empty for others (an index names its table in its value)."""
    kind, identity = split_key(key)
    if kind == "table" or kind in _TABLE_FACETS:
        return identity
    if kind == "column" or kind in COLUMN_FACETS or kind in _OF_TABLE:
        return ".".join(parts(identity)[:2])
    if kind == "privileges":
        of, name, _ = granted(identity)
        return ".".join(parts(name)[:2]) if of in ("table", "column") else ""
    if kind == "comment on" and identity.startswith(("column ", "table ", "constraint ", "trigger ")):
        return ".".join(parts(identity.split(" ", 1)[1])[:2])
    return ""


@lru_cache(maxsize=65536)
def column_of(key: str) -> str:
    """`schema.table.column` of a fact of a column; empty for others."""
    kind, identity = split_key(key)
    return identity if kind == "column" or kind in COLUMN_FACETS else ""


@lru_cache(maxsize=65536)
def owner_of(key: str) -> str:
    """The key that this fact cannot exist without: a column's facet its column, a column its table; else empty."""
    kind, identity = split_key(key)
    if kind in COLUMN_FACETS:
        return f"column {identity}"
    if kind in _LEAVES:
        return f"{_LEAVES[kind]} {identity}"
    if kind == "privileges":
        of, name, _ = granted(identity)
        return "" if of == "type" else f"{of} {name}"
    table = table_of(key)
    return f"table {table}" if table and kind != "table" else ""


_HELPER = re.compile(r"\.trueup_[0-9a-f]{16}$")


def is_helper(key: str) -> bool:
    """True for what a safe form makes on the way, and removes again: nobody's fact."""
    return bool(_HELPER.search(key))


_INDEXED = re.compile(
    r"^(?:UNIQUE )?ON (?:ONLY )?(?P<table>(?:\"(?:[^\"]|\"\")+\"|[^.\" ]+)\.(?:\"(?:[^\"]|\"\")+\"|[^\" ]+))"
)


def index_table(value: str) -> str:
    """`schema.table` that an index's value is on."""
    match = _INDEXED.match(value)
    return match["table"] if match else ""


def split_unique(value: str) -> tuple[str, str]:
    """An index's value as (`UNIQUE ` or nothing, where it is and on what)."""
    return ("UNIQUE ", value.removeprefix("UNIQUE ")) if value.startswith("UNIQUE ") else ("", value)


def table_touched(key: str, value: str | None) -> str:
    """`schema.table` that a fact with this value is on, an index's too; empty for what is on none."""
    return index_table(value) if value and kind_of(key) == "index" else table_of(key)
