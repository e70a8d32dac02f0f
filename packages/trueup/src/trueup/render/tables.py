"""DDL for tables and their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from trueup.catalog.keys import kind_of, parts, split_key, table_of

_NEXT_OPTION = "; "
_OPTION = re.compile(r"(?:NO )?[A-Z]+(?: WITH| BY)?(?: -?\d+)?")
_USUAL = "START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1 NO CYCLE"

State = Mapping[str, str | None]


def create_table(identity: str, wanted: State) -> str:
    """CREATE TABLE with all its columns and their facets; constraints follow on their own."""
    shape = wanted[f"table {identity}"] or ""
    partition = wanted.get(f"partition {identity}") or ""
    unlogged = "UNLOGGED " if shape.endswith("UNLOGGED") else ""
    tail = shape.removesuffix("UNLOGGED").strip()
    if partition.startswith("PARTITION OF"):
        return f"CREATE {unlogged}TABLE {identity} {partition}{' ' + tail if tail else ''}"
    columns = ",\n    ".join(
        column_definition(column, wanted, nullable=False) for column in columns_of(identity, wanted)
    )
    inherits = f" INHERITS ({partition.removeprefix('INHERITS ')})" if partition else ""
    return f"CREATE {unlogged}TABLE {identity} (\n    {columns}\n){inherits}{' ' + tail if tail else ''}"


def columns_of(identity: str, wanted: State) -> Iterator[str]:
    """The identities of a table's columns, in the order the chain added them."""
    for key, value in wanted.items():
        if value is not None and key.startswith("column ") and table_of(key) == identity:
            yield split_key(key)[1]


def column_definition(column: str, wanted: State, *, nullable: bool) -> str:
    """One column as it stands in CREATE TABLE or behind ADD COLUMN; `nullable` leaves NOT NULL for later."""
    words = [parts(column)[-1], wanted[f"column {column}"] or ""]
    if collation := wanted.get(f"collation {column}"):
        words.append(f"COLLATE {collation}")
    if generated := wanted.get(f"generated {column}"):
        words.append(f"GENERATED ALWAYS AS {generated}")
    if identity := wanted.get(f"identity {column}"):
        words.append(f"GENERATED {identity} AS IDENTITY{numbered(column, wanted)}")
    if default := wanted.get(f"default {column}"):
        words.append(f"DEFAULT {default}")
    if wanted.get(f"not null {column}") is not None and not nullable:
        words.append("NOT NULL")
    return " ".join(words)


def numbered(column: str, wanted: State) -> str:
    """What stands behind IDENTITY where its sequence is not the usual one."""
    numbering = wanted.get(f"numbering {column}")
    return f" ({numbering})" if numbering else ""


def add_column(column: str, wanted: State) -> str:
    """ADD COLUMN with everything that can be there at once.

    NOT NULL without a default would fail on a table with rows: then it comes on its own, later.
    """
    definition = column_definition(column, wanted, nullable=not has_values(column, wanted))
    return f"ALTER TABLE {'.'.join(parts(column)[:2])} ADD COLUMN {definition}"


def drop_column(column: str) -> str:
    """For a column that no row has a value in."""
    return f"ALTER TABLE {'.'.join(parts(column)[:2])} DROP COLUMN {parts(column)[-1]}"


def has_values(column: str, wanted: State) -> bool:
    """True where a column has values as soon as it is added: by a default, its own or its domain's, or as generated."""
    domain = wanted.get(f"domain {wanted.get(f'column {column}')}") or ""
    own = any(wanted.get(f"{facet} {column}") is not None for facet in ("default", "generated", "identity"))
    return own or " DEFAULT " in domain


def alter_column(key: str, value: str | None, found: str | None, *, partitioned: bool = False) -> str:
    """Set or take away one facet of a column that is there.

    The default of a partitioned table's column is its own: a partition that the chain gave none has none.
    """
    kind, column = split_key(key)
    table, name = ".".join(parts(column)[:2]), parts(column)[-1]
    if kind == "options":
        clauses = ", ".join(f"ALTER COLUMN {name} {clause}" for clause in _options(value, found))
        return f"ALTER TABLE {table} {clauses}"
    only = "ONLY " if partitioned and kind == "default" else ""
    return f"ALTER TABLE {only}{table} ALTER COLUMN {name} {_facet(kind, value, found)}"


def _facet(kind: str, value: str | None, found: str | None) -> str:
    match kind, value:
        case "default", None:
            return "DROP DEFAULT"
        case "default", _:
            return f"SET DEFAULT {value}"
        case "not null", None:
            return "DROP NOT NULL"
        case "not null", _:
            return "SET NOT NULL"
        case "identity", None:
            return "DROP IDENTITY"
        case "identity", _:
            return f"SET GENERATED {value}" if found else f"ADD GENERATED {value} AS IDENTITY"
        case "numbering", _:
            wanted = value or _USUAL
            options = wanted if wanted.endswith("CYCLE") else f"{wanted} NO CYCLE"
            return " ".join(f"SET {option}" for option in _OPTION.findall(options))
        case "generated", None:
            return "DROP EXPRESSION"
        case "column", _:
            return f"TYPE {value}"
    raise ValueError(kind)


def _options(value: str | None, found: str | None) -> Iterator[str]:
    """The clauses that set a column's options, and those that take back what it has besides."""
    wanted = value.split(_NEXT_OPTION) if value else []
    set_anew = {_verb(clause) for clause in wanted}
    for clause in found.split(_NEXT_OPTION) if found else ():
        if (verb := _verb(clause)) in set_anew:
            continue
        if verb == "SET STATISTICS":
            yield "SET STATISTICS -1"
        elif verb.startswith("SET ("):
            names = ", ".join(option.partition("=")[0] for option in clause[5:-1].split(", "))
            yield f"RESET ({names})"
        else:
            yield f"{verb} DEFAULT"
    yield from wanted


def _verb(clause: str) -> str:
    return "SET (" if clause.startswith("SET (") else clause.rpartition(" ")[0]


def is_facet_of_new_column(key: str, made: set[str]) -> bool:
    """True where ADD COLUMN or CREATE TABLE has already brought this fact."""
    kind, identity = split_key(key)
    if kind == "column":
        return f"table {table_of(key)}" in made
    return (
        kind_of(key) in ("default", "generated", "identity", "numbering", "collation", "not null")
        and f"column {identity}" in made
    )
