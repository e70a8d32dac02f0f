"""Tables that refer to others: each foreign key takes a strong lock on its parent, so each gets a transaction."""

from __future__ import annotations

from typing import Any

from trueup.catalog.keys import identity_of, kind_of, parts, table_of
from trueup.catalog.references import foreign_key
from trueup.chain.grammar import deparse, enum_name
from trueup.planning.safe.model import TIMING, Form, Part, Work

_WHY = "one after the other, so that no table waits for another"


def parent_of(value: str) -> str:
    """The table that a foreign key refers to; empty for other constraints."""
    reference = foreign_key(value)
    return reference.parent if reference else ""


def create_table(work: Work, *, is_begun: bool) -> Form | None:
    """CREATE TABLE without its foreign keys, then these; None where they refer to no more than one table in use."""
    made = [identity_of(key) for key in work.set if kind_of(key) == "table"]
    keys = [
        (key, value, parent)
        for key, value in work.set.items()
        if kind_of(key) == "constraint" and (parent := parent_of(value)) and [table_of(key)] == made
    ]
    if len(made) != 1 or not (is_begun or len({parent for *_, parent in keys if work.live.is_felt(parent)}) > 1):
        return None
    (table,) = made
    return Form(
        before=(
            Part(
                statements=(deparse("create_stmt", _without_keys(work.statement.node)),),
                why="without its foreign keys it locks nothing",
                locks={},
                makes={f"table {table}": work.set[f"table {table}"]},
            ),
            *(
                Part(
                    statements=(f"ALTER TABLE {table} ADD CONSTRAINT {parts(identity_of(key))[-1]} {value}",),
                    why=_WHY,
                    locks={parent: "SRE"},
                    makes={key: value, f"validated {identity_of(key)}": ""},
                )
                for key, value, parent in keys
            ),
        )
    )


def drop_table(work: Work, *, is_begun: bool) -> Form | None:
    """DROP TABLE after its foreign keys; None where it locks no more than one table in use."""
    keys = {
        key: parent
        for key in work.gone
        if kind_of(key) == "constraint" and (parent := parent_of(work.facts.get(key) or "")) not in ("", table_of(key))
    }
    tables = {table for key, parent in keys.items() for table in (parent, table_of(key))}
    if not (is_begun or sum(map(work.live.is_felt, tables)) > 1):
        return None
    gone = tuple(
        Part(
            statements=(f"ALTER TABLE {table_of(key)} DROP CONSTRAINT IF EXISTS {parts(identity_of(key))[-1]}",),
            why=_WHY,
            locks={table_of(key): "AE", parent: "AE"},
            makes={key: None},
        )
        for key, parent in keys.items()
    )
    own = {table: mode for table, mode in work.locks.items() if table not in keys.values()}
    last = Part(
        statements=(work.statement.text,),
        why="no foreign key holds another table any more",
        locks=own,
        makes=dict.fromkeys(key for key in work.gone if kind_of(key) == "table"),
    )
    return Form(before=(*gone, last))


def _without_keys(node: Any) -> Any:
    bare = type(node)()
    bare.CopyFrom(node)
    for element in bare.table_elts:
        if element.WhichOneof("node") == "column_def":
            _keep(element.column_def.constraints, lambda item: item.constraint)
    _keep(bare.table_elts, lambda item: item.constraint if item.WhichOneof("node") == "constraint" else None)
    return bare


def _keep(items: Any, constraint_in: Any) -> None:
    """Take the foreign keys out of a list, each with what says when it is checked."""
    kept, of_a_key = [], False
    for item in items:
        node = constraint_in(item)
        kind = enum_name(node, "contype") if node is not None else ""
        of_a_key = kind == "CONSTR_FOREIGN" or (of_a_key and kind in TIMING)
        if not of_a_key:
            kept.append(item)
    del items[:]
    items.extend(kept)
