"""What only the rows can tell before healing starts: would a NOT NULL, a key or a check be broken by what is there?

Each probe is a query that is true where the rows stand in the way. They are asked before anything is run, so that a
person decides before, not in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from trueup.catalog.keys import identity_of, kind_of, mentions, parts, split_key, table_of, table_touched
from trueup.catalog.references import ForeignKey, foreign_key, unique_columns
from trueup.render.tables import has_values

State = Mapping[str, str | None]

_CHECK = re.compile(r"^CHECK (?P<condition>\(.*\))(?: NO INHERIT)?$", re.DOTALL)
_LOST = "the column was lost, and nothing says what its rows had"


class Probe(NamedTuple):
    """`sql` is true where rows stand in the way of `fact`; `why` says it to a person."""

    fact: str
    sql: str
    why: str


def probes(keys: Collection[str], wanted: State, found: State, filled: frozenset[str]) -> list[Probe]:
    """The questions to ask before these facts are made.

    Args:
        keys: The facts that healing or completing will make.
        wanted: Their values.
        found: The database before it.
        filled: Columns (`schema.table.column`) that a statement of the chain fills on the way.
    """
    asking = _Asking(wanted, found, filled, made=frozenset(keys))
    return [probe for key in keys if (probe := asking.probe(key))]


class _Asking(NamedTuple):
    wanted: State
    found: State
    filled: frozenset[str]
    made: frozenset[str]

    def probe(self, key: str) -> Probe | None:
        value = self.wanted.get(key)
        table = table_touched(key, value)
        if not table or value is None or self.found.get(f"table {table}") is None:
            return None  # a table that is made anew has no rows
        kind, identity = split_key(key)
        if kind == "column":
            return self._refuses_null(key, value, table)
        if kind == "not null":
            return self._nulls(key, identity, table)
        if kind == "index":
            return self._duplicates(key, unique_columns(value), table)
        if kind == "validated":
            made = f"constraint {identity}" in self.made  # which is asked for itself
            there = self.found.get(f"constraint {identity}")
            return self._of_constraint(key, there, table) if there and not made else None
        return self._of_constraint(key, value, table) if kind == "constraint" else None

    def _of_constraint(self, key: str, value: str, table: str) -> Probe | None:
        if reference := foreign_key(value):
            return self._orphans(key, reference, table)
        if match := _CHECK.match(value):
            return self._broken(key, match["condition"], table)
        return self._duplicates(key, unique_columns(value), table)

    def _broken(self, key: str, condition: str, table: str) -> Probe | None:
        """Rows that break a check. They have the default of a column that was lost, or NULL."""
        lost = [identity_of(one) for one in self.made if kind_of(one) == "column" and self.found.get(one) is None]
        named = sorted(one for one in lost if table_of(f"column {one}") == table and mentions(condition, one))
        if any(column in self.filled for column in named):
            return None
        anew = "".join(f", {self._value_anew(column)} AS {parts(column)[-1]}" for column in named)
        rows = f"(SELECT *{anew} FROM {table}) AS {parts(table)[-1]}" if anew else table
        return Probe(key, f"SELECT EXISTS (SELECT FROM {rows} WHERE NOT {condition})", "rows break it")

    def _value_anew(self, column: str) -> str:
        """What every row has in a column that is made anew."""
        return f"CAST({self.wanted.get(f'default {column}') or 'NULL'} AS {self.wanted[f'column {column}']})"

    def _nulls(self, key: str, column: str, table: str) -> Probe | None:
        if column in self.filled:
            return None
        if self.found.get(f"column {column}") is not None:
            null = f"SELECT EXISTS (SELECT FROM {table} WHERE {parts(column)[-1]} IS NULL)"
            return Probe(key, null, "rows have NULL there")
        if has_values(column, self.wanted):
            return None
        return Probe(key, f"SELECT EXISTS (SELECT FROM {table})", _LOST)

    def _refuses_null(self, key: str, type_: str, table: str) -> Probe | None:
        """Rows that would have no value in a column that is made anew, where its type is a domain without NULL."""
        domain = self.wanted.get(f"domain {type_}") or self.found.get(f"domain {type_}") or ""
        lost = self.found.get(key) is None and not has_values(identity_of(key), self.wanted)
        if not lost or not domain.endswith(" NOT NULL") or " DEFAULT " in domain:
            return None
        return Probe(key, f"SELECT EXISTS (SELECT FROM {table})", _LOST)

    def _duplicates(self, key: str, names: tuple[str, ...], table: str) -> Probe | None:
        there = [name for name in names if not self._gets_one_value(f"{table}.{name}")]
        if not names or not all(self._is_there(name, table) for name in there):
            return None
        filled = " AND ".join(f"{name} IS NOT NULL" for name in there)
        same = f"WHERE {filled} GROUP BY {', '.join(there)} HAVING count(*) > 1" if there else "OFFSET 1"
        return Probe(key, f"SELECT EXISTS (SELECT FROM {table} {same})", "rows have the same key")

    def _orphans(self, key: str, reference: ForeignKey, table: str) -> Probe | None:
        columns, parent, keys = reference
        if not all(self._is_there(name, table) for name in columns):
            return None  # nothing can be asked yet
        filled = " AND ".join(f"c.{name} IS NOT NULL" for name in columns)
        if any(self.found.get(f"column {parent}.{name}") is None for name in keys):
            if not any(f"column {parent}.{name}" in self.made for name in keys):
                return None  # a step makes and fills it
            return Probe(key, f"SELECT EXISTS (SELECT FROM {table} c WHERE {filled})", "rows point to what was lost")
        same = " AND ".join(f"p.{theirs} = c.{ours}" for theirs, ours in zip(keys, columns, strict=True))
        none = f"NOT EXISTS (SELECT FROM {parent} p WHERE {same})"
        return Probe(
            key, f"SELECT EXISTS (SELECT FROM {table} c WHERE {filled} AND {none})", "rows point to what is not there"
        )

    def _gets_one_value(self, column: str) -> bool:
        """True for a column that was lost and is made anew with the same value in every row."""
        default = self.wanted.get(f"default {column}")
        lost = f"column {column}" in self.made and self.found.get(f"column {column}") is None
        return lost and default is not None and "(" not in default

    def _is_there(self, name: str, table: str) -> bool:
        return self.found.get(f"column {table}.{name}") is not None
