"""The order of a table's columns: no fact, but some statements depend on it.

`INSERT` without a list of columns fills them from the first on; of `SELECT *` a view or a new table is made. Where the
order is another one here, they are sent with the columns that the chain's table has by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from trueup.catalog.keys import by_own_name, identity_of, kind_of, mentions, parts, table_of, unquoted
from trueup.chain.columns import Columns, with_columns
from trueup.chain.grammar import Statement, enum_name, nodes_of, parse_each
from trueup.chain.model import Effect, Step
from trueup.decide.model import Difference, StepVerdict, conflict
from trueup.decide.trajectory import Trajectories, Value

_TAKES_AND_ADDS = re.compile(r"\bdrop\b.*\b(add|create)\b", re.IGNORECASE | re.DOTALL)
_OTHER_THINGS = re.compile(r"\s*(create|drop|insert|update|delete)\b", re.IGNORECASE)
_BY_NAME = {"rename_stmt", "alter_table_stmt"}  # what they say of columns is all that they do to them
_CALLS = {"select_stmt", "call_stmt"}
_MADE_OF_COLUMNS = ("table ", "function ")
_VIEWS = ("view", "materialized view")
_STAR_COUNTS = {"view_stmt", "create_table_as_stmt", "insert_stmt", *_CALLS}


class Ordering:
    """Compares the order of columns here with the chain's.

    Args:
        steps: The chain's.
        live: The database as it is, with what is nobody's; its columns are in their order.
        paths: The chain's trajectories; a step's new columns are in their order.
    """

    def __init__(self, steps: Sequence[Step], live: Mapping[str, str], paths: Trajectories) -> None:
        self._steps = steps
        self._paths = paths
        self._place_here = {key: place for place, key in enumerate(live) if key.startswith("column ")}
        self._beside = [key for key in self._place_here if key not in paths.of and key not in paths.passing]
        self._rank = {key: rank for rank, key in enumerate(paths.of) if key.startswith("column ")}
        self._index = {step.id: index for index, step in enumerate(steps)}

    def columns(self, step: Step, name: str) -> list[str]:
        """The columns, in their order, that a table of this name has just before the step; empty if not known."""
        index = self._index[step.id]
        tables = self._called.get(name, [])
        if len(tables) != 1 or not self._is_known(tables[0], index):
            return []
        return [unquoted(column) for column in self._wanted(tables[0], index)]

    def differing(self, step: Step, index: int, now: Mapping[str, Value]) -> tuple[str, str, str] | None:
        """A table whose order the step depends on and finds different: its name, and the orders wanted and found.

        Args:
            step: A step that is to run; `index` is its own.
            now: The database just before it.
        """
        if not self._place_here or not any(tag in _STAR_COUNTS for tag in step.tags):
            return None
        if set(step.tags) <= _CALLS and not any(map(_makes_table, parse_each(step.statements))):
            if not (table := self._read_by_call(index, now)):
                return None
            return table, ", ".join(self._wanted(table, index)), ", ".join(self._found(table, index, now))
        for name, whole in {pair for s in parse_each(step.statements) for pair in _depends(s)}:
            for table in self._called.get(name, ()):
                if not self._is_known(table, index):
                    continue
                wanted, found = self._wanted(table, index), self._found(table, index, now)
                seen = found if whole else found[: len(wanted)]
                if found and wanted and seen != wanted:
                    return table, ", ".join(wanted), ", ".join(found)
        return None

    def written(self, step: Step, index: int, now: Mapping[str, Value]) -> dict[int, str]:
        """The statements of the step, by position, with the columns that they leave to tables; empty where none can."""
        effect = self._paths.effects[index]
        changed: dict[str, Value] = {}  # tables and columns, by the statements before
        texts: dict[int, str] = {}
        parts = effect.parts or (Effect(),) * len(step.statements)
        for position, (statement, part) in enumerate(zip(parse_each(step.statements), parts, strict=True)):
            if any(_depends(statement)):
                columns = self._columns_by_then(index, now, changed)
                if not (text := with_columns(statement, columns)):
                    return {}
                texts[position] = text
            changed |= {key: part.set.get(key) for key in part.keys if key.startswith(("table ", "column "))}
        return texts

    def _columns_by_then(self, index: int, now: Mapping[str, Value], changed: Mapping[str, Value]) -> Columns:
        """The columns of relations by name, where the step has made those changes and they differ here."""

        def columns(relation: Any) -> list[str] | None:
            tables = [table for table in self._called.get(relation.relname, ()) if self._is_known(table, index)]
            if len(tables) != 1 or f"table {tables[0]}" in changed:  # what the step makes is as it makes it
                return []
            wanted = _by_then(self._wanted(tables[0], index), tables[0], changed)
            found = _by_then(self._found(tables[0], index, now), tables[0], changed)
            if not {*wanted}.issubset(found):
                return None
            return [unquoted(name) for name in wanted]

        return columns

    def _read_by_call(self, index: int, now: Mapping[str, Value]) -> str:
        """A table with other columns than the chain's that a function reads which makes a table or a function of it."""
        effect = self._paths.effects[index]
        attached = (key for key, value in effect.set.items() if value.startswith("PARTITION OF "))
        parts_of = {f"table {identity_of(key)}" for key in attached}  # they have the columns of their tables
        if not any(key.startswith(_MADE_OF_COLUMNS) and key not in parts_of for key in effect.set):
            return ""
        read = (table for table in effect.locks if table in self._columns and self._is_known(table, index))
        found = ((table, self._in_order(self._chains(table, now), index, now)) for table in read)
        return next((table for table, columns in found if self._wanted(table, index) != columns), "")

    @cached_property
    def _columns(self) -> dict[str, list[str]]:
        """The columns by their tables: every one that the chain ever makes."""
        found: dict[str, list[str]] = {}
        for key in self._rank:
            found.setdefault(table_of(key), []).append(key)
        return found

    @cached_property
    def _called(self) -> dict[str, list[str]]:
        """The tables by their names alone."""
        return by_own_name(self._columns)

    def _is_known(self, table: str, index: int) -> bool:
        """True where the facts tell the order of its columns just before the step."""
        return self._remade.get(table, index) >= index and self._is_plain(table, index)

    @cached_property
    def _remade(self) -> dict[str, int]:
        """By table, the first step that takes away and adds: a column made anew is the last, and no fact says so."""
        found: dict[str, int] = {}
        for index, (step, effect) in enumerate(zip(self._steps, self._paths.effects, strict=True)):
            gone = {key for part in effect.parts for key in part.gone if key.startswith("column ")}
            tables = [table_of(key) for part in effect.parts for key in gone & part.set.keys()]
            for part, tag in zip(effect.parts or (effect,), step.tags, strict=False):
                tables += _changed_otherwise(part) if tag not in _BY_NAME else ()
            for part, tag in zip(effect.parts, step.tags, strict=False):  # a rename among others is not known as one
                tables += [table_of(key) for key in part.set if tag == "rename_stmt" and key.startswith("column ")]
            for text in step.statements if effect.locks else ():
                if _TAKES_AND_ADDS.search(text) and not _OTHER_THINGS.match(text) and _may_make_anew(text):
                    tables += [table for table in effect.locks if mentions(text, table)]
            for table in tables:
                found.setdefault(table, index)
        return found

    def _is_plain(self, table: str, index: int) -> bool:
        """True where the chain has made each column once, and the table too: of others the order is not known."""
        for key in self._columns[table]:
            made = [value is not None for place, value in self._paths.of[key] if place <= index]
            again = any(made[i] and not made[i - 1] and any(made[:i]) for i in range(1, len(made)))
            old, rename = self._paths.renamed_from.get(key, (key, 0))
            if again or (table_of(old) != table and not self._is_known(table_of(old), rename)):
                return False
        return f"table {table}" in self._paths.of and self._paths.value_at(f"table {table}", index) is not None

    def _wanted(self, table: str, index: int) -> list[str]:
        there = [key for key in self._columns[table] if self._paths.value_at(key, index) is not None]
        return [_name(key) for key in sorted(there, key=lambda key: self._made_at(key, index))]

    def _made_at(self, key: str, index: int) -> tuple[int, int]:
        """The place of the step that made the column, under whatever name, and its place among that step's own."""
        if key in self._paths.renamed_from and self._paths.renamed_from[key][1] < index:
            old, rename = self._paths.renamed_from[key]
            return self._made_at(old, rename)
        made, there = 0, False
        for place, value in self._paths.of[key]:
            if place > index:
                break
            made, there = (place if value is not None and not there else made), value is not None
        return made, self._rank[key]

    def _found(self, table: str, index: int, now: Mapping[str, Value]) -> list[str]:
        """The chain's columns, and those that somebody has added to them."""
        beside = (key for key in self._beside if table_of(key) == table)
        return self._in_order([*self._chains(table, now), *beside], index, now)

    def _chains(self, table: str, now: Mapping[str, Value]) -> list[str]:
        return [key for key in now if key.startswith("column ") and now[key] is not None and table_of(key) == table]

    def _in_order(self, keys: Sequence[str], index: int, now: Mapping[str, Value]) -> list[str]:
        return [_name(key) for key in sorted(keys, key=lambda key: self._here(key, index, now))]

    def _here(self, key: str, index: int, now: Mapping[str, Value]) -> tuple[int, tuple[int, int]]:
        """Where it is in its table: as in the snapshot, also under its old name; what comes in this run is the last."""
        name = next((old for old in self._paths.names(key) if old in self._place_here), key)
        if name in self._place_here and (name == key or now.get(name) is None):
            return 0, (self._place_here[name], 0)
        return 1, self._made_at(key, index)


def _may_make_anew(text: str) -> bool:
    """True where a statement may take away a column and add one of its name; an ALTER TABLE says whether it does."""
    (statement,) = parse_each([text])
    if statement.tag != "alter_table_stmt":
        return True
    names: dict[str, set[str]] = {}
    for command in (one.alter_table_cmd for one in statement.node.cmds):
        name = command.name or getattr(command, "def").column_def.colname
        names.setdefault(enum_name(command, "subtype"), set()).add(name)
    return not names.get("AT_DropColumn", set()).isdisjoint(names.get("AT_AddColumn", set()))


def _by_then(names: Sequence[str], table: str, changed: Mapping[str, Value]) -> list[str]:
    """A table's columns behind some changes; what is new is the last."""
    kept = [name for name in names if changed.get(f"column {table}.{name}", "") is not None]
    made = (_name(key) for key, value in changed.items() if value is not None and table_of(key) == table)
    return [*kept, *(name for name in made if name not in kept)]


def _changed_otherwise(effect: Effect) -> set[str]:
    """The tables that lose columns and get others by something that is no rename, such as a call."""
    gone, made = ({table_of(k) for k in keys if k.startswith("column ")} for keys in (effect.gone, effect.set))
    return gone & made


def _name(key: str) -> str:
    return parts(identity_of(key))[-1]


def _depends(statement: Statement) -> Iterator[tuple[str, bool]]:
    """The bare names of tables whose order of columns the statement depends on, and whether it is on all of them."""
    node = statement.node
    if _makes_table(statement):
        yield from ((name, True) for name in _starred(node))
    if statement.tag == "insert_stmt" and not node.cols and node.HasField("select_stmt"):
        yield node.relation.relname, False
    select = {"insert_stmt": "select_stmt", "view_stmt": "query", "create_table_as_stmt": "query"}.get(statement.tag)
    if select and node.HasField(select):
        yield from ((name, True) for name in _starred(getattr(node, select).select_stmt))


def read_by_star(text: str) -> set[str]:
    """The bare names of the relations that a text reads all columns of, by a star."""
    return {name for statement in parse_each([text]) for name, whole in _depends(statement) if whole}


def _makes_table(statement: Statement) -> bool:
    return statement.tag == "select_stmt" and statement.node.HasField("into_clause")


def _starred(select: Any) -> Iterator[str]:
    """The relations of a SELECT whose columns are named by a star."""
    if select.HasField("larg"):
        yield from (*_starred(select.larg), *_starred(select.rarg))
    stars = any(
        field.HasField("a_star")
        for target in select.target_list
        if target.res_target.val.WhichOneof("node") == "column_ref"
        for field in target.res_target.val.column_ref.fields
    )
    for source in select.from_clause if stars else ():
        yield from (str(relation.relname) for relation in nodes_of(source, "RangeVar"))


def with_its_functions(verdict: StepVerdict, step: Step, effect: Effect, texts: Iterable[str]) -> StepVerdict | None:
    """A call that makes functions of a table's columns: behind it they are made as the chain has them.

    None where there are none, or where it may also copy rows by the order of their columns. `texts` are what it runs.
    """
    made = tuple(key for key in effect.set if key in effect.texts)
    may_copy = "RX" in effect.locks.values() or any("*" in text for text in texts)
    if not made or may_copy or verdict.verdict != "run" or verdict.cleared or not set(step.tags) <= _CALLS:
        return None
    reason = f"{verdict.reason}; {made[0]} is made of columns that are others here"
    statements = tuple(range(len(step.statements)))
    return verdict._replace(
        verdict="complete", reason=reason, statements=statements, missing=made, found=dict.fromkeys(made)
    )


def with_other_columns(index: int, step: Step, order: tuple[str, str, str], found: Mapping[str, Value]) -> StepVerdict:
    """A view is made from its definition, which names its columns; what would fill rows is a person's matter."""
    table, wanted, here = order
    if found and all(kind_of(key) in _VIEWS for key in found):
        reason = f"the columns of {table} are others here, and its definition names those that it is of"
        drops = tuple(i for i, tag in enumerate(step.tags) if tag == "drop_stmt")
        there = dict.fromkeys(found) if drops else found
        return StepVerdict(
            index=index, verdict="complete", reason=reason, missing=tuple(found), found=there, statements=drops
        )
    why = f"it depends on which columns {table} has, in their order, and they are others here"
    return conflict(index, why, (Difference(fact=f"table {table}", wanted=wanted, found=here, origin=step.id),))
