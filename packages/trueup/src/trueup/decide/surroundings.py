"""What stands around a step that leaves no trace in the catalog: beside it, before and behind it, on its tables."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain

from trueup.catalog import enums
from trueup.catalog.keys import column_of, identity_of, kind_of, mentions, own_name, quoted, table_of, table_touched
from trueup.catalog.references import foreign_key
from trueup.chain.grammar import Statement, parse_each, range_identity
from trueup.chain.inserts import rows_written
from trueup.chain.model import Step, writes_rows
from trueup.chain.statements import columns_written, filled_whole, relations_named, whole_rows
from trueup.chain.updates import constants_sought, fills, may_find
from trueup.decide.called import Called
from trueup.decide.cursors import Cursors
from trueup.decide.fitting import CALLABLE, Fitting
from trueup.decide.given import Given
from trueup.decide.held import may_name, tables_gone
from trueup.decide.ordering import read_by_star

_WRITES = ("RX", "SUE", "S", "SRE", "X", "AE")
_ROW_BEARING = ("table", "column")


class Surroundings:
    """Answers about the steps of one decision."""

    def __init__(self, given: Given, cursors: Cursors) -> None:
        self.locked, self.paths, self.live, self.done = given.locked, given.paths, given.live, given.done
        self.position = given.anchor.position
        self.wanted, self.heal, self.early = cursors.wanted, cursors.heal, cursors.place
        self.called = Called(given)
        self._fitting = Fitting(given, self.heal)
        self.healed_tables = {table_of(key) for key in self.heal if kind_of(key) == "table"}
        self.healed_columns = {column_of(key) for key in self.heal if kind_of(key) == "column"}
        self.behind = [(key, step) for key, step in self.heal.items() if kind_of(key) in _ROW_BEARING]
        self.ahead = [(table_of(key), place - 1) for key, place in self.early.items() if kind_of(key) in _ROW_BEARING]

    def relations(self, index: int) -> set[str]:
        """The tables that a step reads or writes: those it locked, and what an opaque block or a CALL names besides."""
        step, relations = self.locked.steps[index], set(self.locked.effects[index].locks)
        if step.opaque or "call_stmt" in step.tags:
            tables = (key.removeprefix("table ") for key in self.paths.of if key.startswith("table "))
            texts = self.called.reached([step.sql], index)
            relations |= {table for table in tables if any(mentions(text, table) for text in texts)}
        return relations

    def written(self, index: int) -> set[str]:
        """The tables whose rows it may change."""
        return {name for name, mode in self.locked.effects[index].locks.items() if mode in _WRITES}

    def parents(self, index: int) -> set[str]:
        """The tables that foreign keys of those it writes refer to."""
        written = self.written(index)
        return {parent for table in written for parent in self._parents.get(table, ())} - written

    def parents_selected(self, index: int) -> set[str]:
        """The tables, by their names alone, whose rows it selects, be it by foreign keys of those that it reads."""
        own = {own_name(table) for table in self.written(index)}
        read = relations_named(self.locked.steps[index].sql) - own
        return read | {
            own_name(parent)
            for table, parents in self._parents.items()
            if own_name(table) in read
            for parent in parents
        }

    @cached_property
    def _parents(self) -> dict[str, set[str]]:
        """By table, those that its foreign keys refer to."""
        found: dict[str, set[str]] = {}
        for key, value in self.live.items():
            if reference := foreign_key(value):
                found.setdefault(table_of(key), set()).add(reference.parent)
        return found

    def _is_made_before(self, key: str, index: int) -> bool:
        """True where a step before it makes the fact."""
        return any(value is not None and 0 < place <= index for place, value in self.paths.of.get(key, ()))

    def still_to_make(self, index: int) -> str:
        """A table that it writes, or a column of its tables that it names, that a step before it is still to make."""
        sql, tables = self.locked.steps[index].sql, self.locked.effects[index].locks
        written = (f"table {table}" for table in self.written(index))
        made = (key for key in written if key not in self.live and self._is_made_before(key, index))
        named = (
            key
            for key, maker in self._columns_to_come.items()
            if maker < index and table_of(key) in tables and mentions(sql, identity_of(key))
        )
        return next(chain(made, named), "")

    @cached_property
    def _columns_to_come(self) -> dict[str, int]:
        """The columns that are not there and that pending steps make, each with the first of them."""
        found: dict[str, int] = {}
        for index, effect in enumerate(self.locked.effects):
            if index not in self.done:
                for key in effect.set:
                    if key.startswith("column ") and key not in self.live and self.wanted.get(key) is None:
                        found.setdefault(key, index)
        return found

    def written_anew(self, index: int) -> Iterator[Step]:
        """The steps behind it, up to the next fact, that write rows which its DELETEs could find."""
        step, written = self.locked.steps[index], self.written(index)
        deletes = [s for s in parse_each(step.statements) if s.tag == "delete_stmt"]
        for later in range(index + 1, len(self.locked.steps)) if deletes else ():
            other = self.locked.steps[later]
            if other.path != step.path or self.locked.effects[later].keys:
                return
            rows = (row for s in parse_each(other.statements) for row in rows_written(s))
            if (
                other.inserts
                and written & self.written(later)
                and any(may_find(d, row) for row in rows for d in deletes)
            ):
                yield other

    def before_it(self, index: int) -> int:
        """The last step before it that has facts; -1 where there is none."""
        return next((i for i in range(index - 1, -1, -1) if self.locked.effects[i].keys), -1)

    def next_on(self, relations: set[str], index: int) -> int:
        """The next step that makes or changes something on these tables; -1 where there is none."""
        for later in range(index + 1, len(self.locked.steps)):
            if any(table_touched(key, value) in relations for key, value in self.locked.effects[later].changes):
                return later
        return -1

    def stands_apart(self, index: int, later: set[int]) -> bool:
        """True where nothing of the steps around it is there, and the `later` steps, done early, are of other files."""
        path = self.locked.steps[index].path
        after = next((i for i in range(index + 1, len(self.locked.steps)) if self.locked.effects[i].keys), -1)
        around = [self.before_it(index), after]
        untouched = all(i >= 0 and i not in self.done and self._is_untouched(i) for i in around)
        return untouched and not any(self.locked.steps[i].path == path for i in later)

    def _is_untouched(self, index: int) -> bool:
        return all(self.early.get(key, -1) <= index for key in self.locked.effects[index].keys)

    def was_left_out(self, index: int) -> bool:
        """True where a step beside it in its file, or both of those around it, has left nothing here."""
        path = self.locked.steps[index].path
        place = bisect_left(self._bearing, index)
        around = (self._bearing[place - 1 : place], [i for i in self._bearing[place : place + 1] if i < self.position])
        found = [step for beside in around for step in beside if self._is_missing(step)]
        return any(self.locked.steps[step].path == path for step in found) or len(found) == len(around)

    @cached_property
    def _bearing(self) -> list[int]:
        """The steps taken as done that make tables or columns; none of them is a step that leaves no trace."""
        effects = self.locked.effects
        return [i for i in sorted(self.done) if any(kind_of(key) in _ROW_BEARING for key in effects[i].set)]

    def _is_missing(self, index: int) -> bool:
        """True where all of its work has to be healed."""
        made = self.locked.effects[index].set
        there = any(self.live.get(key) == value for key, value in made.items())
        there = there or any(key in self.live for key in made if kind_of(key) in _ROW_BEARING)
        return not there and any(self.heal.get(key) == index for key in made)

    def stood_on_missing(self, relations: set[str], index: int) -> bool:
        """True where something of these tables that was made before it is missing, and no step since is done."""
        missing = {table_of(key) for key, maker in self.behind if maker < index and self._may_need(index, key, maker)}
        return bool(relations & missing) and not self._passed(relations, index)

    def _may_need(self, index: int, key: str, maker: int) -> bool:
        """True for a table, a column that the step names, and one that its own file makes."""
        step = self.locked.steps[index]
        is_beside = step.path == self.locked.steps[maker].path
        return key.startswith("table ") or is_beside or step.opaque or mentions(step.sql, identity_of(key))

    def _passed(self, relations: set[str], index: int) -> bool:
        """True where the next step on these tables is taken as done, and all that it makes is there."""
        later = self.next_on(relations, index)
        effect = self.locked.effects[later]
        return later in self.done and all(self.heal.get(key) != later for key in effect.set)

    def gone_since(self, index: int, relations: set[str]) -> str:
        """What it uses and a step which is done has taken away: nothing is left to decide."""
        sql = self.locked.steps[index].sql
        for later in range(index + 1, self.position):
            for key in self.locked.effects[later].gone if later in self.done else ():
                is_used = kind_of(key) in CALLABLE or (kind_of(key) in _ROW_BEARING and table_of(key) in relations)
                if (
                    is_used
                    and key not in self.live
                    and self.wanted.get(key) is None
                    and mentions(sql, identity_of(key))
                ):
                    return key
        return ""

    def gone_here(self, index: int) -> str:
        """A column that it reads, which it found, and which is not here and is not made anew."""
        step, tables = self.locked.steps[index], self.locked.effects[index].locks
        keys = [key for key in self.paths.of if key.startswith("column ") and table_of(key) in tables]
        gone = (
            identity_of(key) for key in keys if key not in self.live and self.paths.value_at(key, index) is not None
        )
        named = [column for column in gone if column not in self.healed_columns and mentions(step.sql, column)]
        return next(iter(not_filled(step, named)), "")

    def dropped_behind(self, index: int) -> int:
        """The step that is not done and takes away a column that this one reads, and that is there; -1 if none."""
        if not self._dropping:
            return -1
        step, relations = self.locked.steps[index], self.relations(index)
        text = "\n".join(self.called.reached([step.sql], index))
        for later, gone in self._dropping.items():
            columns = [column for column in gone if later > index and may_name(column, text, relations)]
            own = [column for column in columns if table_of(f"column {column}") in self.written(index)]
            if len(own) < len(columns) or not_filled(step, own):
                return later
        return -1

    @cached_property
    def _dropping(self) -> dict[int, list[str]]:
        """By step that is not done, the columns that it takes away and that are there; not those that it renames."""
        renamed, found = set(self.paths.renamed_from.values()), dict[int, list[str]]()
        for index, effect in enumerate(self.locked.effects):
            parts = () if index in self.done else (effect, *effect.parts)
            gone = {key for part in parts for key in part.gone if key.startswith("column ") and key in self.live}
            if columns := [identity_of(key) for key in gone if (key, index) not in renamed]:
                found[index] = columns
        return found

    def in_its_way(self, index: int, relations: set[str]) -> str:
        """What a later step has done early, so that the server would refuse this one."""
        step = self.locked.steps[index]
        for key, place in self.early.items():
            if any(label in step.sql for label in self._lost_labels(key, index)):
                return key
            if place <= index + 1 or table_of(key) not in relations:
                continue
            kind, named = kind_of(key), mentions(step.sql, identity_of(key))
            if kind in _ROW_BEARING and self.live.get(key) is None and named:
                return key
            is_new = kind == "not null" and step.inserts and table_of(key) in self.written(index)
            if is_new and self._fitting.must_be_given(key) and not named:
                return key
        return ""

    def _lost_labels(self, key: str, index: int) -> set[str]:
        """The labels, in quotes, that an enum has before the step and that a later step, done early, has taken away."""
        if not key.startswith("enum ") or self.early[key] <= index + 1:
            return set()
        return {*enums.labels(self.paths.value_at(key, index) or "")} - {*enums.labels(self.live.get(key) or "")}

    def fills_another(self, index: int) -> bool:
        """True for UPDATEs of columns that a later step drops, where those here are others, made early."""
        step = self.locked.steps[index]
        if not self.early or set(step.tags) != {"update_stmt"}:
            return False
        written = [key for column in self.columns_set(index) if (key := f"column {column}") in self.paths.of]
        return bool(written) and all(self._is_another(key, index) for key in written)

    def columns_set(self, index: int) -> list[str]:
        """The columns that a step sets, as `schema.table.column` of each of the tables that it writes."""
        names = columns_written(self.locked.steps[index].statements)
        return [f"{table}.{quoted(name)}" for table in self.written(index) for name in names]

    def _is_another(self, key: str, index: int) -> bool:
        """True where a fact is early, and is taken away between the step and the one that has made it."""
        place = self.early.get(key, -1)
        return key in self.live and any(value is None and index < at < place for at, value in self.paths.of[key])

    def seeks_lost_labels(self, index: int) -> bool:
        """True for UPDATEs and DELETEs that are for rows with labels which no row can have any more."""
        lost = {identity_of(key): labels for key in self.early if (labels := self._lost_labels(key, index))}
        step = self.locked.steps[index]
        if not lost or not {"update_stmt", "delete_stmt"}.issuperset(step.tags):
            return False
        return all(self._seeks_one_of(statement, lost) for statement in parse_each(step.statements))

    def _seeks_one_of(self, statement: Statement, lost: Mapping[str, set[str]]) -> bool:
        table = range_identity(statement.node.relation)
        sought = constants_sought(statement.node.where_clause) if statement.node.HasField("where_clause") else ()
        types = ((self.live.get(f"column {table}.{quoted(column)}"), values) for column, values in sought)
        return any(lost.get(type_ or "", set()).issuperset(values) for type_, values in types)

    def names_healed(self, step: Step, relations: set[str]) -> bool:
        """True where it uses a table or a column that has to be made anew."""
        if relations & self.healed_tables:
            return True
        return any(
            column.rpartition(".")[0] in relations and mentions(step.sql, column) for column in self.healed_columns
        )

    def healed_and_named(self, index: int) -> list[str]:
        """The columns that have to be made anew, empty, on tables that are there, and that it names."""
        if not self.healed_columns:
            return []
        relations = self.locked.effects[index].locks.keys() - self.healed_tables - self._dropped_unread(index)
        healed = [column for column in sorted(self.healed_columns) if column.rpartition(".")[0] in relations]
        if not healed:
            return []
        texts = self.called.reached([self.locked.steps[index].sql], self.position)
        whole = whole_rows(texts[0]) | read_by_star(texts[0])
        return [
            column
            for column in healed
            if own_name(column.rpartition(".")[0]) in whole or any(mentions(text, column) for text in texts)
        ]

    def is_made_empty(self, column: str) -> bool:
        """True for a column that is not there and has no values as soon as it is made anew."""
        filled = any(self.wanted.get(f"{facet} {column}") for facet in ("default", "identity", "generated"))
        return f"column {column}" not in self.live and not filled

    def _dropped_unread(self, index: int) -> set[str]:
        """The tables that a step of several statements drops before one of them has read or written their rows."""
        step, dropped, texts = self.locked.steps[index], set[str](), list[str]()
        for tag, text, part in zip(step.tags, step.statements, self.locked.effects[index].parts, strict=False):
            dropped |= {table for table in tables_gone(part) if not any(mentions(one, table) for one in texts)}
            if writes_rows(tag, text):
                texts += self.called.reached([text], self.position)
        return dropped

    def still_fits(self, index: int, *, by_name: bool = False) -> bool:
        """True where what the step uses is as it was at its place; see `Fitting`."""
        return self._fitting.still_fits(index, by_name=by_name)


def not_filled(step: Step, columns: list[str]) -> list[str]:
    """Those of the columns that the step uses otherwise than to fill them."""
    if not columns:
        return []
    filled, whole = columns_written(step.statements), filled_whole(step.statements)
    return [c for c in columns if own_name(c) not in filled and own_name(table_of(f"column {c}")) not in whole]


def fills_only(step: Step, columns: list[str]) -> bool:
    """True for a step of UPDATEs that fill these columns and set no others."""
    names = {own_name(column) for column in columns}
    if set(step.tags) != {"update_stmt"} or columns_written(step.statements) != names:
        return False
    return all(any(fills(s, name) for s in parse_each(step.statements)) for name in names)
