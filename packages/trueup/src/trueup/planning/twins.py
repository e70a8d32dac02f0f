"""Tables that the plan would make, and that are there under a name which the chain does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trueup.catalog.keys import identity_of, kind_of, own_name, parts, table_of
from trueup.chain.model import Facts, LockedChain
from trueup.decide.model import Conflict, Decision, Difference
from trueup.decide.trajectory import Trajectories, Value


class _Table(NamedTuple):
    """What a table is known by."""

    columns: dict[str, str]
    constraints: set[str]
    bounds: list[str]


def twins(locked: LockedChain, decision: Decision, paths: Trajectories, here: Facts) -> Iterator[Conflict]:
    """The conflicts with such tables: the new one would be empty beside the one that has the rows.

    A table is known by its columns and the names of its constraints, a partition by its bounds.
    """
    strange = {identity_of(key) for key in here if key.startswith("table ") and key not in paths.of}
    if strange:  # else there is no reason to go through the chain
        strange -= {identity_of(key) for key in paths.passing}
    if not strange:
        return
    there = {name: table for name, table in _tables(here).items() if name in strange}
    for name, origin, table in _made(locked, decision):
        if twin := next((other for other, one in there.items() if _is_same(table, one)), ""):
            yield _conflict(name, twin, origin, table)


def _made(locked: LockedChain, decision: Decision) -> Iterator[tuple[str, str, _Table]]:
    """The tables that the plan makes, with the steps that they are of."""
    healed = {key: index for key, index in decision.heal.items() if key.startswith("table ")}
    tables = _tables(decision.before) if healed else {}
    for key, index in healed.items():
        if decision.found.get(key) is None:
            yield identity_of(key), locked.steps[index].id if index >= 0 else "", tables[identity_of(key)]
    for verdict in decision.pending:
        made = locked.effects[verdict.index].set
        names = [identity_of(k) for k in made if k.startswith("table ") and decision.before.get(k) is None]
        tables = _tables(made) if names else {}
        yield from ((name, locked.steps[verdict.index].id, tables[name]) for name in names)


def _tables(facts: Mapping[str, Value]) -> dict[str, _Table]:
    """All that facts tell of, by name."""
    found: dict[str, _Table] = {}
    for key, value in facts.items():
        if value is None or kind_of(key) not in ("table", "column", "constraint", "partition"):
            continue
        one = found.setdefault(table_of(key), _Table({}, set(), []))
        if key.startswith("column "):
            one.columns[own_name(identity_of(key))] = value
        elif key.startswith("constraint "):
            one.constraints.add(own_name(identity_of(key)))
        elif key.startswith("partition "):
            one.bounds.append(value)
    return found


def _is_same(table: _Table, other: _Table) -> bool:
    if table.bounds:
        return table.bounds == other.bounds
    return table.columns == other.columns and bool(table.constraints) and table.constraints <= other.constraints


def _conflict(name: str, twin: str, origin: str, table: _Table) -> Conflict:
    by = "its bounds" if table.bounds else "its columns, and its constraints by their names"
    other = "detach or drop it" if table.bounds else f"rename its constraint {min(table.constraints)}"
    schema, own = parts(name)
    back = f"RENAME TO {own}" if parts(twin)[0] == schema else f"SET SCHEMA {schema}"
    return Conflict(
        about=f"table {name}",
        why=f"it is not there, and {twin}, which no step makes, has {by}",
        differences=(Difference(fact=f"table {name}", wanted="", found=None, origin=origin),),
        hint=f"If it is that table: `ALTER TABLE {twin} {back}`; if not, {other}. Then run `trueup up` again.",
    )
