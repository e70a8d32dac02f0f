"""Write the DDL that makes a set of facts true, in an order in which it can run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from trueup.catalog.keys import COLUMN_FACETS, identity_of, index_table, kind_of, owner_of, split_key, table_of
from trueup.render import numbering, objects, privileges, sequences, tables
from trueup.render.order import in_order

State = Mapping[str, str | None]
_FUNCTIONS = ("function", "procedure", "aggregate")


class Rendered(NamedTuple):
    """Statements that belong in one transaction, and the facts that they make."""

    statements: tuple[str, ...]
    keys: tuple[str, ...]


class CannotRender(Exception):
    """No DDL can be derived from the fact alone. `key` is the fact."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key
        self.why = why


def render(
    keys: Iterable[str],
    wanted: State,
    found: State,
    *,
    made_by: Callable[[str], int],
    source: Callable[[str], str],
    renamed: Mapping[str, str],
) -> list[Rendered]:
    """DDL for `keys`, from their values in `wanted`; `found` is the database before it.

    Args:
        made_by: The index of the step that last made a fact; decides the order within a kind.
        source: The text that defines a function, trigger or view, from the chain; empty where there is none.
        renamed: The key that an object has here, where it is not the chain's.

    Raises:
        CannotRender: a fact cannot be made from its value.
    """
    todo = {key: wanted.get(key) for key in keys}
    for key in list(todo):  # a constraint that is replaced is validated anew, in a transaction of its own
        leaf = f"validated {identity_of(key)}"
        if key.startswith("constraint ") and found.get(key) is not None and wanted.get(leaf) is not None:
            todo[leaf] = ""
    made: set[str] = set()
    created = {key for key in todo if key.startswith(("table ", "column ")) and found.get(key) is None}
    rendered: list[Rendered] = []
    early = frozenset(key for key in todo if kind_of(key) in _FUNCTIONS and _names_no_relation(source(key), todo))

    def needs(key: str) -> str:
        return _head(source(key)) if kind_of(key) in _FUNCTIONS else todo[key] or ""

    for key in in_order(todo, made_by, early_functions=early, needs=needs):
        if key in made or (tables.is_facet_of_new_column(key, created) and not _comes_later(key, todo, wanted, found)):
            continue
        statements, also = _statements(key, todo[key], wanted, found, source, renamed)
        made.update((key, *also))
        if statements:
            rendered.append(Rendered(tuple(statements), (key, *also)))
    return _defaults_together(rendered)


def _defaults_together(rendered: list[Rendered]) -> list[Rendered]:
    """Defaults of one table in one statement: they take its lock once, for no time at all."""
    merged: list[Rendered] = []
    where: dict[str, int] = {}
    for item in rendered:
        key = item.keys[0]
        if kind_of(key) != "default":
            merged.append(item)
            continue
        table = table_of(key)
        if table not in where:
            where[table] = len(merged)
            merged.append(item)
            continue
        first = merged[where[table]]
        _, _, clause = item.statements[0].partition(f"{table} ")
        merged[where[table]] = Rendered((f"{first.statements[0]},\n    {clause}",), (*first.keys, *item.keys))
    return merged


def _statements(
    key: str,
    value: str | None,
    wanted: State,
    found: State,
    source: Callable[[str], str],
    renamed: Mapping[str, str],
) -> tuple[list[str], list[str]]:
    """The statements for one fact, and the other facts that they make as well."""
    kind, identity = split_key(key)
    there = found.get(key)
    if kind in ("privileges", "default privileges"):
        return privileges.change(kind, identity, value, there), []
    if value is None:
        return _removal(renamed.get(key, key), wanted, there), []
    if kind == "table":
        if there is not None:
            raise CannotRender(key, "its kind or partitioning differs")
        facts = [k for k, v in wanted.items() if v is not None and table_of(k) == identity and _comes_with_table(k)]
        return [tables.create_table(identity, wanted)], facts
    if kind == "role":
        raise CannotRender(key, "what it may do is not in this database's catalog")
    if kind == "column" and there is None:
        return [tables.add_column(identity, wanted)], []
    if kind == "column" or kind in COLUMN_FACETS:
        return _column_facet(key, value, wanted, found)
    if kind in _FUNCTIONS:
        text = source(key)
        if not text:
            raise CannotRender(key, "no statement of the chain defines it as a whole")
        return [text], []
    if (
        kind == "sequence"
        and there is None
        and (serial := numbering.serial_for_identity(identity, value, wanted, found))
    ):
        return serial
    name = identity_of(renamed[owner]) if (owner := owner_of(key)) in renamed else ""
    also = [f"validated {identity}"] if kind == "constraint" and not value.startswith(objects.VALIDATED_LATER) else []
    also += [f"valid {identity}"] if kind == "index" else []
    if kind == "view" and (text := source(key)):
        return [text], also
    if kind == "constraint" and value.startswith("CHECK") and (text := source(key)):
        return objects.constraint(identity, text, there), also
    index = wanted.get(f"index {identity}") or "" if kind == "valid" else ""
    if _is_partitioned(index_table(index), wanted):  # only with all of its parts is it valid; none is built in another
        return objects.create(f"index {name or identity}", index, index), also
    statements = objects.create(key, (kind == "trigger" and source(key)) or value, there, name=name)
    if kind == "sequence owner" and found.get(f"sequence {identity}") is None:
        statements += sequences.fill_owned(value, identity, wanted)
    if kind == "sequence" and there is None:
        statements += sequences.fill_shared(identity, value, wanted, found)
    return statements, also


def _removal(key: str, wanted: State, there: str | None) -> list[str]:
    kind = kind_of(key)
    if there is None:
        return []
    if kind in COLUMN_FACETS:
        return [tables.alter_column(key, None, there, partitioned=_is_partitioned(table_of(key), wanted))]
    if kind in ("table", "column"):
        raise CannotRender(key, "rows hang on it")
    return objects.drop(key)


def _column_facet(key: str, value: str, wanted: State, found: State) -> tuple[list[str], list[str]]:
    kind, identity = split_key(key)
    there = found.get(key)
    if kind == "collation":
        raise CannotRender(key, "a collation is changed with the column's type")
    if kind == "generated":
        raise CannotRender(key, "a generated column is made anew")
    statement = tables.alter_column(key, value, there, partitioned=_is_partitioned(table_of(key), wanted))
    if kind == "identity" and there is None:
        made = statement + tables.numbered(identity, wanted)
        filled = sequences.fill_identity(identity)
        return [*numbering.without_serial(identity, found), made, filled], [f"numbering {identity}"]
    return [statement], []


def _is_partitioned(table: str, wanted: State) -> bool:
    return "PARTITION BY" in (wanted.get(f"table {table}") or "")


def _comes_with_table(key: str) -> bool:
    kind = kind_of(key)
    return kind in ("table", "column", "partition") or (kind in COLUMN_FACETS and kind != "options")


def _comes_later(key: str, todo: State, wanted: State, found: State) -> bool:
    """NOT NULL of a column added without any value comes on its own, behind what fills it."""
    if kind_of(key) != "not null":
        return False
    column = identity_of(key)
    if f"table {table_of(key)}" in todo or found.get(f"column {column}") is not None:
        return False
    return not tables.has_values(column, wanted)


def _names_no_relation(text: str, todo: Mapping[str, str | None]) -> bool:
    """True where a function's head names no table or view that is missing too, so that it can be made before them."""
    head = _head(text)
    return not any(
        identity_of(key).rsplit(".", 1)[-1] in head
        for key in todo
        if kind_of(key) in ("table", "view", "materialized view")
    )


def _head(text: str) -> str:
    """What stands before a function's body: its arguments and what it returns."""
    return text.split("$", 1)[0]
