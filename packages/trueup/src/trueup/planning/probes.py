"""What only the rows can tell before healing starts: would a NOT NULL, a key or a check be broken by what is there?

Each probe is a query that is true where the rows stand in the way. They are asked before anything is run, so that a
person decides before, not in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trueup.catalog.keys import identity_of, kind_of, mentions, parts, split_key, table_of

State = Mapping[str, str | None]

_KEY = re.compile(r"^(?:UNIQUE|PRIMARY KEY) \((?P<columns>[^()]+)\)")
_UNIQUE_INDEX = re.compile(r"^UNIQUE ON \S+ USING btree \((?P<columns>[^()]+)\)$")
_FOREIGN = re.compile(r"^FOREIGN KEY \((?P<columns>[^()]+)\) REFERENCES (?P<parent>\S+?)\((?P<keys>[^()]+)\)")
_CHECK = re.compile(r"^CHECK (?P<condition>\(.*\))(?: NO INHERIT)?$", re.DOTALL)
_PLAIN_COLUMN = re.compile(r'^(?:"(?:[^"]|"")+"|[a-z_][\w$]*)$')


class Probe(NamedTuple):
    """`sql` is true where rows stand in the way of `fact`; `why` says it to a person."""

    fact: str
    sql: str
    why: str


def probes(keys: Iterable[str], wanted: State, found: State, filled: frozenset[str]) -> list[Probe]:
    """The questions to ask before these facts are made.

    Args:
        keys: The facts that healing or completing will make.
        wanted: Their values.
        found: The database before it.
        filled: Columns (`schema.table.column`) that a statement of the chain fills on the way.
    """
    asked = []
    keys = list(keys)
    made = frozenset(keys)
    for key in keys:
        table, value = _table(key, wanted.get(key)), wanted.get(key)
        if not table or value is None or found.get(f"table {table}") is None:
            continue  # a table that is made anew has no rows
        if probe := _probe(key, value, table, wanted, found, filled, made):
            asked.append(probe)
    return asked


def _table(key: str, value: str | None) -> str:
    if kind_of(key) == "index" and value and (match := re.match(r"^UNIQUE ON (?:ONLY )?(\S+)", value)):
        return match[1]
    return table_of(key)


def _probe(
    key: str,
    value: str,
    table: str,
    wanted: State,
    found: State,
    filled: frozenset[str],
    made: frozenset[str],
) -> Probe | None:
    kind, identity = split_key(key)
    if kind == "not null":
        return _not_null(key, identity, table, wanted, found, filled)
    if kind == "index":
        return _duplicates(key, _UNIQUE_INDEX.match(value), table, wanted, found, made)
    if kind != "constraint":
        return None
    if match := _FOREIGN.match(value):
        return _orphans(key, match, table, found, made)
    if match := _CHECK.match(value):
        return _broken(key, match["condition"], table, wanted, found, filled, made)
    return _duplicates(key, _KEY.match(value), table, wanted, found, made)


def _broken(
    key: str,
    condition: str,
    table: str,
    wanted: State,
    found: State,
    filled: frozenset[str],
    made: frozenset[str],
) -> Probe | None:
    """Rows that break a check. They have the default of a column that was lost, or NULL."""
    lost = [
        identity_of(one)
        for one in made
        if kind_of(one) == "column" and table_of(one) == table and found.get(one) is None
    ]
    named = sorted(column for column in lost if mentions(condition, column))
    if any(column in filled for column in named):
        return None
    anew = "".join(
        f", CAST({wanted.get(f'default {column}') or 'NULL'} AS {wanted[f'column {column}']}) AS {parts(column)[-1]}"
        for column in named
    )
    rows = f"(SELECT *{anew} FROM {table}) AS {parts(table)[-1]}" if anew else table
    return Probe(key, f"SELECT EXISTS (SELECT FROM {rows} WHERE NOT {condition})", "rows break it")


def _not_null(
    key: str,
    column: str,
    table: str,
    wanted: State,
    found: State,
    filled: frozenset[str],
) -> Probe | None:
    name = parts(column)[-1]
    if column in filled:
        return None
    if found.get(f"column {column}") is not None:
        return Probe(key, f"SELECT EXISTS (SELECT FROM {table} WHERE {name} IS NULL)", "rows have NULL there")
    given = any(wanted.get(f"{facet} {column}") is not None for facet in ("default", "generated", "identity"))
    if given:
        return None
    return Probe(key, f"SELECT EXISTS (SELECT FROM {table})", "the column was lost, and nothing says what its rows had")


def _duplicates(
    key: str,
    match: re.Match[str] | None,
    table: str,
    wanted: State,
    found: State,
    made: frozenset[str],
) -> Probe | None:
    names = _split(match["columns"]) if match else []
    lost = [name for name in names if _gets_one_value(f"{table}.{name}", wanted, found, made)]
    there = [name for name in names if name not in lost]
    if not names or not all(_is_there(name, table, found) for name in there):
        return None
    filled = " AND ".join(f"{name} IS NOT NULL" for name in there)
    same = f"WHERE {filled} GROUP BY {', '.join(there)} HAVING count(*) > 1" if there else "OFFSET 1"
    return Probe(key, f"SELECT EXISTS (SELECT FROM {table} {same})", "rows have the same key")


def _gets_one_value(column: str, wanted: State, found: State, made: frozenset[str]) -> bool:
    """True for a column that was lost and is made anew with the same value in every row."""
    default = wanted.get(f"default {column}")
    lost = f"column {column}" in made and found.get(f"column {column}") is None
    return lost and default is not None and "(" not in default


def _orphans(key: str, match: re.Match[str], table: str, found: State, made: frozenset[str]) -> Probe | None:
    columns, keys = _columns(match, table, found), _split(match["keys"])
    parent = match["parent"]
    if not columns:
        return None
    filled = " AND ".join(f"c.{name} IS NOT NULL" for name in columns)
    if any(found.get(f"column {parent}.{name}") is None for name in keys):
        if not any(f"column {parent}.{name}" in made for name in keys):
            return None  # a step makes and fills it
        return Probe(key, f"SELECT EXISTS (SELECT FROM {table} c WHERE {filled})", "rows point to what was lost")
    same = " AND ".join(f"p.{key} = c.{name}" for key, name in zip(keys, columns, strict=True))
    return Probe(
        key,
        f"SELECT EXISTS (SELECT FROM {table} c WHERE {filled} AND NOT EXISTS (SELECT FROM {parent} p WHERE {same}))",
        "rows point to what is not there",
    )


def _columns(match: re.Match[str] | None, table: str, found: State) -> list[str]:
    """The plain columns of a key, where all of them are there already; else nothing can be asked yet."""
    names = _split(match["columns"]) if match else []
    return names if all(_is_there(name, table, found) for name in names) else []


def _is_there(name: str, table: str, found: State) -> bool:
    return bool(_PLAIN_COLUMN.match(name)) and found.get(f"column {table}.{name}") is not None


def _split(columns: str) -> list[str]:
    return [name.strip() for name in columns.split(",")]
