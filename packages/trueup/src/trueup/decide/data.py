"""Steps that leave no trace in the catalog: rows written, calls, DDL without effect.

In order of trust: the ledger; the author's `done when` (both are settled before this is asked); a statement that
repeats harmlessly; then, without a ledger of trueup's own, its place in the chain, but only where the steps on the same
relations agree with it. Where they do not, the rows may: a table without any was not filled, and loses none.
"""

from __future__ import annotations

from collections.abc import Mapping

from trueup.catalog.keys import column_of, identity_of, kind_of, mentions, parts, table_of, table_touched, unquoted
from trueup.chain.grammar import parse_statements
from trueup.chain.model import LockedChain, Step
from trueup.chain.repeats import ends_the_same
from trueup.chain.statements import columns_written
from trueup.decide.anchor import Anchor
from trueup.decide.cursors import Cursors
from trueup.decide.model import Marks, StepVerdict
from trueup.decide.rows import Rows
from trueup.decide.trajectory import Trajectories

_WRITES = ("RX", "SUE", "S", "SRE", "X", "AE")
_BUILT = ("index", "valid", "constraint", "validated")
_ROW_BEARING = ("table", "column")


class DataRules:
    """Answers for the steps of one decision."""

    def __init__(
        self,
        locked: LockedChain,
        paths: Trajectories,
        live: Mapping[str, str],
        anchor: Anchor,
        marks: Marks,
        cursors: Cursors,
        rows: Rows,
    ) -> None:
        heal, early = cursors.heal, cursors.place
        self.locked = locked
        self.paths = paths
        self.live = live
        self.rows = rows
        self.wanted = cursors.wanted
        self.heal = heal
        self.early = early
        self.done = frozenset(anchor.done)
        self.marks = marks
        healed = set(heal.values())
        unmarked = {i for i in anchor.done if i not in marks.done and locked.effects[i].keys and i not in healed}
        one = len(unmarked) == 1  # more than one is never left behind by a crash
        self.unmarked = {i for i in unmarked if self._has_mark_at_once(i)} if one else unmarked
        self.position = anchor.position
        self.last_fact = max((i for i in anchor.done if locked.effects[i].keys), default=-1)
        self.empty_database = anchor.position == 0 and not any(key in live for key in paths.of)
        self.healed_tables = {table_of(key) for key in heal if kind_of(key) == "table"}
        self.healed_columns = {column_of(key) for key in heal if kind_of(key) == "column"}
        self.behind = [(table_of(key), step) for key, step in heal.items() if kind_of(key) in _ROW_BEARING]
        self.ahead = [(table_of(key), place - 1) for key, place in early.items() if kind_of(key) in _ROW_BEARING]

    def verdict(self, index: int) -> StepVerdict:
        """Run it, assume that it was done, or leave the decision to a person."""
        step = self.locked.steps[index]
        before = index in self.done
        if not step.has_data:
            if before:
                return StepVerdict(index=index, verdict="reconcile", reason="it changes nothing in the catalog")
            return StepVerdict(index=index, verdict="run", reason="it changes nothing in the catalog, and is pending")
        relations = self._relations(index, step)
        if not before:
            if not step.guarded and (column := self.reads_lost(index, step)):
                return self._conflict(index, f"it reads {column}, whose values were lost")
            if fact := self._in_its_way(index, step, relations):
                return self._conflict(index, f"it cannot run any more: a later step has changed {fact} here")
        if self.marks.own and not self._mark_was_lost(index):
            return self._not_in_the_ledger(index, step, before=before)
        if self.empty_database:
            return StepVerdict(index=index, verdict="run", reason="the database is empty")
        if step.guarded and (not before or self._still_fits(index)):
            return StepVerdict(index=index, verdict="run", reason="it repeats harmlessly")
        return self._by_place(index, step, before=before)

    def _not_in_the_ledger(self, index: int, step: Step, *, before: bool) -> StepVerdict:
        if before and not self._still_fits(index):
            return self._conflict(index, "it is not in the ledger, and its tables have changed since")
        if there := self._rows_confirm(index, step):
            return StepVerdict(index=index, verdict="assume", reason=there)
        return StepVerdict(index=index, verdict="run", reason="not in the ledger")

    def _mark_was_lost(self, index: int) -> bool:
        """True where steps beside it or behind it are there without a mark: a ledger of trueup's is never like that."""
        if index not in self.done:
            return self._before_it(index) in self.unmarked
        path = self.locked.steps[index].path
        beside = [i for i, step in enumerate(self.locked.steps) if step.path == path and i != index]
        if any(i in self.marks.own or (i in self.done and self.locked.effects[i].keys) for i in beside):
            return True
        behind = range(index + 1, len(self.locked.steps))
        return any(i in self.done and i not in self.marks.done and self.locked.effects[i].keys for i in behind)

    def _has_mark_at_once(self, index: int) -> bool:
        """True where effect and mark come in one transaction. An index build has none: a crash can part the two."""
        keys = self.locked.effects[index].keys
        return not (self.locked.steps[index].no_transaction or all(kind_of(key) in _BUILT for key in keys))

    def _relations(self, index: int, step: Step) -> set[str]:
        """The tables that a step reads or writes: those it locked, and what an opaque block names besides."""
        relations = set(self.locked.effects[index].locks)
        if step.opaque:
            tables = (key.removeprefix("table ") for key in self.paths.of if key.startswith("table "))
            relations |= {table for table in tables if mentions(step.sql, table)}
        return relations

    def _by_place(self, index: int, step: Step, *, before: bool) -> StepVerdict:
        relations = self._relations(index, step)
        written = {name for name, mode in self.locked.effects[index].locks.items() if mode in _WRITES}
        judge = self._before if before else self._behind
        return judge(index, step, relations, written)

    def _before(self, index: int, step: Step, relations: set[str], written: set[str]) -> StepVerdict:
        """Its place says that it was done; so it was, unless something that it uses is missing."""
        if written and written <= self.healed_tables:
            return self._refills(index, step)
        missing = {table for table, maker in self.behind if maker < index}
        if self._names_healed(step, relations):
            why = "it uses what was missing, so it may not have run"
        elif relations & missing and not self._passed(relations, index):
            why = "some of what stood before it is missing here"
        elif self._was_left_out(index):
            why = "the steps beside it are missing here, so it may not have run"
        elif index > self.last_fact and (seen := self._rows_deny(index, step)):
            return StepVerdict(index=index, verdict="run", reason=seen)
        else:
            return StepVerdict(index=index, verdict="assume", reason="everything around it is there")
        if gone := self._gone_since(index, step, relations):
            return StepVerdict(index=index, verdict="assume", reason=f"it could not run any more: {gone} is gone since")
        if self.rows.none_in(written):
            if not step.inserts:
                return StepVerdict(index=index, verdict="assume", reason="the tables that it changes have no rows")
            if self._still_fits(index):
                return StepVerdict(index=index, verdict="run", reason="the tables that it fills have no rows")
        return self._conflict(index, why)

    def _refills(self, index: int, step: Step) -> StepVerdict:
        """Nothing of its work can be left; but the table is made as it is by now, and it may not fit any more."""
        if self._still_fits(index):
            return StepVerdict(index=index, verdict="run", reason="the table it fills was missing")
        if step.inserts:
            return self._conflict(index, "the table that it fills was missing, and has changed since")
        return StepVerdict(
            index=index, verdict="assume", reason="the table that it changes was missing, so it is empty"
        )

    def _rows_deny(self, index: int, step: Step) -> str:
        """How the rows show that it has not run; empty where they do not."""
        if self.rows.are_missing(step):
            return "none of the rows that it writes is there"
        if self._still_fits(index) and self.rows.are_to_change(step):
            return "rows that it would have changed are there"
        return ""

    def _rows_confirm(self, index: int, step: Step) -> str:
        """How the rows show that it has run; empty where they do not."""
        written = {name for name, mode in self.locked.effects[index].locks.items() if mode in _WRITES}
        if not step.inserts or step.guarded or not all(f"table {table}" in self.live for table in written):
            return ""
        if self.marks.own or not self.rows.are_there(step):
            return "rows with the keys that it writes are there" if self.rows.would_be_refused(step, written) else ""
        return "the rows that it writes are there"

    def _behind(self, index: int, step: Step, relations: set[str], written: set[str]) -> StepVerdict:
        """Its place says that it has not run; nor has it, unless the steps beside it on the same tables have."""
        later = {step for table, step in self.ahead if table in relations and step > index}
        made_early = {table for table in written if {f"table {table}"} <= self.early.keys() & self.live.keys()}
        if later and self._next_on(relations, index) in later and not self._stands_apart(index, later):
            why = "later steps on the same tables are there"
        elif step.inserts and made_early:
            why = f"a table that it fills is there already ({min(made_early)}), with rows"
        else:
            return self._next_in_line(index, step, written)
        if self.rows.none_in(written):
            return StepVerdict(index=index, verdict="run", reason="the tables that it writes have no rows")
        return self._conflict(index, why)

    def _stands_apart(self, index: int, later: set[int]) -> bool:
        """True where nothing of the steps around it is there, and what is there early belongs to other files."""
        path = self.locked.steps[index].path
        after = next((i for i in range(index + 1, len(self.locked.steps)) if self.locked.effects[i].keys), -1)
        around = [self._before_it(index), after]
        untouched = all(i >= 0 and i not in self.done and self._is_untouched(i) for i in around)
        return untouched and not any(self.locked.steps[i].path == path for i in later)

    def _is_untouched(self, index: int) -> bool:
        return all(self.early.get(key, -1) <= index for key in self.locked.effects[index].keys)

    def _was_left_out(self, index: int) -> bool:
        """True where a step beside it in its file, or both of those around it, has left nothing here."""
        path = self.locked.steps[index].path
        beside = [self._missing(range(index - 1, -1, -1)), self._missing(range(index + 1, self.position))]
        found = [step for step in beside if step is not None]
        return any(self.locked.steps[step].path == path for step in found) or len(found) == len(beside)

    def _missing(self, indexes: range) -> int | None:
        """The first of these steps that makes tables or columns, if all of its work has to be healed."""
        for index in indexes:
            values = self.locked.effects[index].set
            if index not in self.done or not any(kind_of(key) in _ROW_BEARING for key in values):
                continue
            healed = any(self.heal.get(key) == index for key in values)
            return index if healed and not any(self.live.get(key) == value for key, value in values.items()) else None
        return None

    def _gone_since(self, index: int, step: Step, relations: set[str]) -> str:
        """A table or column that it uses and that a step which is done has taken away: nothing is left to decide."""
        for later in range(index + 1, self.position):
            for key in self.locked.effects[later].gone if later in self.done else ():
                if kind_of(key) not in _ROW_BEARING or table_of(key) not in relations or key in self.live:
                    continue
                if self.wanted.get(key) is None and mentions(step.sql, identity_of(key)):
                    return key
        return ""

    def _next_in_line(self, index: int, step: Step, written: set[str]) -> StepVerdict:
        """Nothing beside it is there. But no fact tells the state just before it from the state just behind it."""
        if there := self._rows_confirm(index, step):
            return StepVerdict(index=index, verdict="assume", reason=there)
        doubtful = self.marks.own and self._before_it(index) in self.unmarked
        if doubtful and not _ends_the_same(step) and not self.rows.none_in(written):
            return self._conflict(index, "the step before it is there without a mark, so this one may be, too")
        return StepVerdict(index=index, verdict="run", reason="nothing beside it is there")

    def _before_it(self, index: int) -> int:
        """The last step before it that has facts."""
        return next((i for i in range(index - 1, -1, -1) if self.locked.effects[i].keys), -1)

    def _passed(self, relations: set[str], index: int) -> bool:
        """True where the next step on these tables is taken as done, and all that it makes is there."""
        later = self._next_on(relations, index)
        effect = self.locked.effects[later]
        return later in self.done and all(self.heal.get(key) != later for key in effect.set)

    def _next_on(self, relations: set[str], index: int) -> int:
        """The next step that makes or changes something on these tables."""
        for later in range(index + 1, len(self.locked.steps)):
            if any(table_touched(key, value) in relations for key, value in self.locked.effects[later].changes):
                return later
        return -1

    def _in_its_way(self, index: int, step: Step, relations: set[str]) -> str:
        """What a later step has done early, so that the server would refuse this one."""
        for key, place in self.early.items():
            if place <= index + 1 or table_of(key) not in relations:
                continue
            kind, named = kind_of(key), mentions(step.sql, identity_of(key))
            if kind in _ROW_BEARING and self.live.get(key) is None and named:
                return key
            if kind == "not null" and step.inserts and self._must_be_given(key) and not named:
                return key
        return ""

    def _may_refuse(self, key: str, step: Step) -> bool:
        kind = kind_of(key)
        unnamed = kind == "not null" and not mentions(step.sql, identity_of(key))
        return kind == "trigger" or (unnamed and self._must_be_given(key))

    def _must_be_given(self, key: str) -> bool:
        """NOT NULL of a column that no default fills."""
        column = identity_of(key)
        filled = any(f"{facet} {column}" in self.live for facet in ("default", "identity", "generated"))
        return key in self.live and not filled

    def _names_healed(self, step: Step, relations: set[str]) -> bool:
        if relations & self.healed_tables:
            return True
        return any(
            column.rpartition(".")[0] in relations and mentions(step.sql, column) for column in self.healed_columns
        )

    def reads_lost(self, index: int, step: Step) -> str:
        """A column that had to be made anew, empty, and that the step uses otherwise than to fill it."""
        relations = set(self.locked.effects[index].locks)
        named = [
            column
            for column in sorted(self.healed_columns)
            if column.rpartition(".")[0] in relations - self.healed_tables
            and mentions(step.sql, column)
            and not self.rows.none_in([column.rpartition(".")[0]])
        ]
        filled = {name for text in step.statements for name in columns_written(text)} if named else set()
        return next((column for column in named if unquoted(parts(column)[-1]) not in filled), "")

    def _still_fits(self, index: int) -> bool:
        """No step between it and the anchor took away or retyped a column of its tables, or changed an enum.

        Nor made what a new row could be refused for: a trigger, or NOT NULL of a column that it does not name. (A CHECK
        is made on a table that has those rows already.)
        """
        step, relations = self.locked.steps[index], set(self.locked.effects[index].locks)
        for later in range(index + 1, self.position):
            effect = self.locked.effects[later]
            taken = [key for key in effect.gone if key.startswith(("table ", "column "))]
            taken += [
                key for key in effect.set if key.startswith("column ") and self.paths.value_at(key, later) is not None
            ]
            taken += [key for key in effect.set if step.inserts and self._may_refuse(key, step)]
            enums = any(key.startswith("enum ") and self.paths.value_at(key, later) is not None for key in effect.keys)
            if enums or any(table_of(key) in relations for key in taken):
                return False
        return True

    def _conflict(self, index: int, why: str) -> StepVerdict:
        return StepVerdict(index=index, verdict="conflict", reason=why)


def _ends_the_same(step: Step) -> bool:
    """Done twice, it ends as done once."""
    return all(ends_the_same(s) for text in step.statements for s in parse_statements(text))
