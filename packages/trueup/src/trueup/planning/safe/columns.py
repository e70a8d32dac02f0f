"""ADD COLUMN: one whose default has to be computed for each row is added without it, and filled in batches."""

from __future__ import annotations

import re
from typing import Any

from trueup.catalog.keys import identity_of, literal, own_name, unquoted
from trueup.chain.grammar import enum_name
from trueup.planning.backfill import Backfill
from trueup.planning.safe.model import Form, Hazard, Part, Work, same_name
from trueup.planning.safe.not_null import not_null
from trueup.render.sequences import own_sequence
from trueup.render.tables import numbered

_STABLE = re.compile(
    r"\b(now|transaction_timestamp|statement_timestamp)\(\)"
    r"|\b(CURRENT|LOCAL)_?(DATE|TIME|TIMESTAMP|USER|ROLE|SCHEMA|CATALOG)\b",
    re.IGNORECASE,
)

_TRIGGERS_KEEP_STILL = "SET LOCAL session_replication_role = replica"  # as they do when a table is written anew


def added_column(work: Work, command: Any, clause: str) -> Form:
    """The form of one ADD COLUMN, its constraints left out; `clause` is it as written.

    Raises:
        Hazard: the table would be written anew for it, and there is no way around that.
    """
    node = getattr(command, "def").column_def
    kinds = {enum_name(item.constraint, "contype"): item.constraint for item in node.constraints}
    column = same_name(work.new("column"), node.colname)
    if not work.rewrites or not column:
        return Form(first=(clause,))
    if "CONSTR_GENERATED" in kinds:
        raise Hazard(work.table, f"it writes the whole table anew, for the generated column {column}")
    if "CONSTR_IDENTITY" in kinds:
        return _identity(work, column, kinds["CONSTR_IDENTITY"])
    default = work.set.get(f"default {work.table}.{column}")
    if default is None or not _is_volatile(default):
        return Form(first=(clause,))
    return _filled(work, column, default)


def _is_volatile(default: str) -> bool:
    return "(" in _STABLE.sub("", default)


def _filled(work: Work, column: str, default: str) -> Form:
    """Added empty, with its default for new rows; then the rows that are there are filled."""
    opening, owned = _own_sequence(work, column)
    form = Form(
        opening=opening,
        first=(_bare(work, column), f"ALTER COLUMN {column} SET DEFAULT {default}"),
        owned=owned,
        before=(_fill(work, column),),
        why="the column is added empty; its default holds for new rows, and those that are there are filled in batches",
    )
    if f"not null {work.table}.{column}" in work.set:
        form += not_null(work, column)
    return form


def _own_sequence(work: Work, column: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sequence of a serial column."""
    mine = f"{work.table}.{column}"
    for key, value in work.set.items():
        if key.startswith("sequence owner ") and value == mine:
            name = identity_of(key)
            made = f"CREATE SEQUENCE {name} {work.set.get(f'sequence {name}', '')}".rstrip()
            return (made,), (f"ALTER SEQUENCE {name} OWNED BY {mine}",)
    return (), ()


def _identity(work: Work, column: str, node: Any) -> Form:
    """Numbered by a sequence of our own until every row has its number; then the identity goes on from there."""
    if node.options:
        raise Hazard(work.table, f"it writes the whole table anew, for the identity {column} with options of its own")
    alter = f"ALTER TABLE {work.table} ALTER COLUMN {column}"
    sequence = f"{work.schema}.{work.helper(f'identity {column}')}"
    own = own_sequence(f"{work.table}.{column}")
    generated = work.set[f"identity {work.table}.{column}"]
    options = work.set.get(f"numbering {work.table}.{column}", "")
    return (
        Form(
            opening=(f"DROP SEQUENCE IF EXISTS {sequence} CASCADE", f"CREATE SEQUENCE {sequence} {options}".rstrip()),
            first=(_bare(work, column), f"ALTER COLUMN {column} SET DEFAULT nextval({literal(sequence)})"),
            before=(_fill(work, column),),
            why="the column is added empty; a sequence numbers new rows, and those that are there follow in batches",
        )
        + not_null(work, column)
        + Form(
            then=(
                f"{alter} DROP DEFAULT",
                f"{alter} ADD GENERATED {generated} AS IDENTITY{numbered(f'{work.table}.{column}', work.set)}",
                f"SELECT pg_catalog.setval({own}, last_value, is_called) FROM {sequence}",
                f"DROP SEQUENCE {sequence}",
            ),
        )
    )


def _bare(work: Work, column: str) -> str:
    collation = work.set.get(f"collation {work.table}.{column}")
    kind = work.set[f"column {work.table}.{column}"]
    return f"ADD COLUMN {column} {kind}{f' COLLATE {collation}' if collation else ''}"


def _fill(work: Work, column: str) -> Part:
    table = work.live.relations[work.table]
    if not table.has_key:
        raise Hazard(
            work.table, f"it writes the whole table anew, for {column}, and without a primary key it cannot be divided"
        )
    if table.loud:
        raise Hazard(
            work.table,
            f"it writes the whole table anew, for {column}, and if it were filled in batches instead, "
            f"{', '.join(table.loud)} would fire for each row",
        )
    statement = f"UPDATE {work.table} SET {column} = DEFAULT WHERE {column} IS NULL"
    return Part(
        statements=(statement,),
        why="the rows that are there are filled in batches",
        locks={work.table: "RX"},
        settings=(_TRIGGERS_KEEP_STILL,) if table.has_triggers else (),
        backfill=Backfill(
            name=f"{work.name}.{unquoted(column)}",
            table=work.table,
            alias=own_name(work.table),
            statement=statement,
        ),
    )
