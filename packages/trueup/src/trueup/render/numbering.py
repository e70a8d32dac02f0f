"""A column that numbers its rows by identity where the chain has a serial, or the other way round: one for the other.

The old numbering goes in the same transaction, for the two cannot be there together, and a serial's own sequence has
the name that the identity's would get.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from trueup.catalog.keys import parts, quoted, unquoted
from trueup.render import objects, sequences, tables

State = Mapping[str, str | None]
_NEXT = re.compile(r"nextval\('(?P<sequence>.+)'::regclass\)")


def serial_for_identity(sequence: str, value: str, wanted: State, found: State) -> tuple[list[str], list[str]] | None:
    """The statements that make a serial's sequence, and the other facts that they make; None without an identity."""
    column = wanted.get(f"sequence owner {sequence}") or ""
    default = wanted.get(f"default {column}")
    if default is None or found.get(f"identity {column}") is None or wanted.get(f"identity {column}") is not None:
        return None
    statements = [
        tables.alter_column(f"identity {column}", None, ""),
        *objects.create(f"sequence {sequence}", value, None),
        *objects.create(f"sequence owner {sequence}", column, None),
        tables.alter_column(f"default {column}", default, None),
        *sequences.fill_owned(column, sequence, wanted),
    ]
    return statements, [f"sequence owner {sequence}", f"default {column}", f"numbering {column}"]


def without_serial(column: str, found: State) -> list[str]:
    """The statements that take away a column's default, and a serial's sequence with it, before it gets an identity."""
    default = found.get(f"default {column}")
    if default is None:
        return []
    statements = [tables.alter_column(f"default {column}", None, default)]
    sequence = _NEXT.fullmatch(default)
    schema, table, name = parts(column)
    serials = f"{schema}.{quoted(f'{unquoted(table)}_{unquoted(name)}_seq')}"
    others = [key for key, value in found.items() if value == default and key != f"default {column}"]
    if sequence and sequence["sequence"].replace("''", "'") == serials and not others:
        statements.append(f"DROP SEQUENCE {serials}")
    return statements
