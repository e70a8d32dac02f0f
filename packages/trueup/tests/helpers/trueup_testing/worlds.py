"""Small random chains, by a model that knows what is there after each statement."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

Draw = Callable[..., int]


@dataclass
class Table:
    """`columns` maps a column's name now to its identity and type; `fixed` are columns that something mentions."""

    uid: int
    columns: dict[str, tuple[int, str]] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)
    referred: bool = False


@dataclass
class World:
    """What is there after a number of statements, by name."""

    tables: dict[str, Table] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    last: int = 0

    def fresh(self) -> int:
        """A number that no name has yet."""
        self.last += 1
        return self.last


class RandomChain(NamedTuple):
    """Statements, the file that each stands in, and the worlds before the first and after each of them."""

    statements: list[str]
    files: list[int]
    worlds: list[World]

    def text(self) -> dict[str, str]:
        """The chain's files."""
        found: dict[str, str] = {}
        for number, statement in zip(self.files, self.statements, strict=True):
            name = f"{number:03}_x.sql"
            found[name] = found.get(name, "") + statement + ";\n"
        return found


@st.composite
def random_chains(draw: st.DrawFn, *, longest: int = 14) -> RandomChain:
    """Chains whose every statement runs after those before it."""

    def choose(count: int) -> int:
        return draw(st.integers(0, count - 1))

    world = World()
    statements, files, worlds = [], [], [deepcopy(world)]
    number = 1
    for _ in range(draw(st.integers(3, longest))):
        statements.append(_next(world, choose))
        number += choose(3) != 0
        files.append(number)
        worlds.append(deepcopy(world))
    return RandomChain(statements, files, worlds)


def _next(world: World, choose: Draw) -> str:
    able = [make for make in _MAKERS if make is _create_table or world.tables]
    for _ in range(8):
        if statement := able[choose(len(able))](world, choose):
            return statement
    return _create_table(world, choose)


def _some_table(world: World, choose: Draw) -> tuple[str, Table]:
    names = sorted(world.tables)
    name = names[choose(len(names))]
    return name, world.tables[name]


def _some_column(table: Table, choose: Draw, *, free: bool = False, of_type: str = "") -> str:
    names = [
        name
        for name, (_, kind) in sorted(table.columns.items())
        if name != "id" and not (free and name in table.fixed) and (not of_type or kind == of_type)
    ]
    return names[choose(len(names))] if names else ""


def _create_table(world: World, choose: Draw) -> str:
    name = f"t{world.fresh()}"
    one, two, three = world.fresh(), world.fresh(), world.fresh()
    columns = {"id": (one, "integer"), f"c{two}": (two, "text"), f"c{three}": (three, "integer")}
    world.tables[name] = Table(uid=world.fresh(), columns=columns)
    kind = ("integer PRIMARY KEY", "serial PRIMARY KEY")[choose(2)]
    return f"CREATE TABLE {name} (id {kind}, c{two} text, c{three} integer)"


def _add_column(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    kinds = ["text", "integer", "text NOT NULL DEFAULT 'x'", "integer DEFAULT 7", *sorted(world.enums)]
    kind, number = kinds[choose(len(kinds))], world.fresh()
    table.columns[f"c{number}"] = (number, kind.split(maxsplit=1)[0])
    return f"ALTER TABLE {name} ADD COLUMN c{number} {kind}"


def _create_index(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if not (column := _some_column(table, choose)):
        return ""
    index = f"i{world.fresh()}"
    world.indexes[index] = name
    return f"CREATE INDEX {index} ON {name} ({column})"


def _add_check(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if not (column := _some_column(table, choose, of_type="integer")):
        return ""
    check = f"k{world.fresh()}"
    world.checks[check] = name
    table.fixed.add(column)
    return f"ALTER TABLE {name} ADD CONSTRAINT {check} CHECK ({column} >= 0)"


def _add_reference(world: World, choose: Draw) -> str:
    name, _ = _some_table(world, choose)
    other, parent = _some_table(world, choose)
    parent.referred = True
    number = world.fresh()
    world.tables[name].columns[f"r{number}"] = (number, "reference")
    world.tables[name].fixed.add(f"r{number}")
    return f"ALTER TABLE {name} ADD COLUMN r{number} integer REFERENCES {other}"


def _rename_column(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if not (column := _some_column(table, choose, free=True)):
        return ""
    renamed = f"n{world.fresh()}"
    table.columns[renamed] = table.columns.pop(column)
    return f"ALTER TABLE {name} RENAME COLUMN {column} TO {renamed}"


def _rename_table(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if table.referred or table.fixed:
        return ""
    renamed = f"m{world.fresh()}"
    world.tables[renamed] = world.tables.pop(name)
    for things in (world.indexes, world.checks):
        for thing, of in things.items():
            things[thing] = renamed if of == name else of
    return f"ALTER TABLE {name} RENAME TO {renamed}"


def _drop_column(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if not (column := _some_column(table, choose, free=True)) or name in world.indexes.values():
        return ""
    del table.columns[column]
    return f"ALTER TABLE {name} DROP COLUMN {column}"


def _drop_table(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if table.referred or name in world.views.values():
        return ""
    del world.tables[name]
    for things in (world.indexes, world.checks):
        for thing in [thing for thing, of in things.items() if of == name]:
            del things[thing]
    return f"DROP TABLE {name}"


def _widen(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if not (column := _some_column(table, choose, free=True, of_type="integer")):
        return ""
    table.columns[column] = (table.columns[column][0], "bigint")
    return f"ALTER TABLE {name} ALTER COLUMN {column} TYPE bigint"


def _set_default(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    column = _some_column(table, choose, of_type="text")
    return f"ALTER TABLE {name} ALTER COLUMN {column} SET DEFAULT 'd{choose(3)}'" if column else ""


def _create_view(world: World, choose: Draw) -> str:
    name, table = _some_table(world, choose)
    if not (column := _some_column(table, choose)):
        return ""
    view = f"v{world.fresh()}"
    world.views[view] = name
    table.fixed |= {column}
    return f"CREATE VIEW {view} AS SELECT id, {column} FROM {name}"


def _drop_view(world: World, choose: Draw) -> str:
    return _drop_one("VIEW", world.views, choose)


def _drop_index(world: World, choose: Draw) -> str:
    return _drop_one("INDEX", world.indexes, choose)


def _drop_one(kind: str, there: dict[str, str], choose: Draw) -> str:
    names = sorted(there)
    if not names:
        return ""
    name = names[choose(len(names))]
    del there[name]
    return f"DROP {kind} {name}"


def _create_enum(world: World, choose: Draw) -> str:
    name = f"e{world.fresh()}"
    world.enums[name] = ["a", "b"][: 1 + choose(2)]
    return f"CREATE TYPE {name} AS ENUM ({', '.join(repr(label) for label in world.enums[name])})"


def _add_label(world: World, choose: Draw) -> str:
    names = sorted(world.enums)
    if not names:
        return ""
    name = names[choose(len(names))]
    label = f"l{world.fresh()}"
    world.enums[name].append(label)
    return f"ALTER TYPE {name} ADD VALUE '{label}'"


def _function(world: World, choose: Draw) -> str:
    names = [*sorted(world.functions), f"f{world.fresh()}"]
    name = names[choose(len(names))]
    world.functions.add(name)
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS integer LANGUAGE sql AS 'SELECT {choose(100)}'"


_MAKERS: list[Callable[[World, Draw], str]] = [
    _create_table,
    _create_table,
    _add_column,
    _add_column,
    _create_index,
    _add_check,
    _add_reference,
    _rename_column,
    _rename_table,
    _drop_column,
    _drop_table,
    _widen,
    _set_default,
    _create_view,
    _drop_view,
    _drop_index,
    _create_enum,
    _add_label,
    _function,
]
