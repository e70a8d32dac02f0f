"""Where among the data steps behind the last fact a database stands.

No fact tells before which of them it is. They ran one after the other: up to the last whose rows are there all of them
have, and from the first whose rows are missing on none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from trueup.catalog.keys import own_name
from trueup.chain.grammar import Statement, parse_each
from trueup.chain.inserts import selects_of_values
from trueup.chain.model import Step
from trueup.chain.statements import columns_written
from trueup.chain.updates import may_change, may_find, may_make, step_ends_the_same
from trueup.decide.rows import Rows

_DELETES = {"delete_stmt", "truncate_stmt"}
_SAYS_NOTHING = {"do_stmt", "call_stmt", "select_stmt"}
_MOST_PAIRS = 100_000  # of rows and statements: to look at each


class Tail:
    """Where among these data steps.

    Args:
        steps: The chain's.
        written: The data steps, by index, with the tables that each of them writes.
        rows: What is known of the rows.
        last_fact: The last step that has left a fact.
    """

    def __init__(self, steps: Sequence[Step], written: dict[int, set[str]], rows: Rows, last_fact: int) -> None:
        self._steps = steps
        self._written = written
        self._rows = rows
        self._last_fact = last_fact
        self._kept_of: dict[int, list[str]] = {}
        self._known: dict[frozenset[str], dict[int, frozenset[str]]] = {}

    @cached_property
    def last_run(self) -> int:
        """The last step whose rows are there, and no other step's; -1 where there is none."""
        there = (i for i in self._written if self._rows.all_of(self._kept(i)))
        return max((i for i in there if not self._is_written_before(i)), default=-1)

    @cached_property
    def first_not_run(self) -> int:
        """The first step behind that one whose rows are all missing; the chain's length where there is none."""
        behind = (i for i in self._written if i > self.last_run)
        missing = (i for i in behind if self._rows.none_of(self._kept(i)) or self._selects_only_new(i))
        return min(missing, default=len(self._steps))

    def _selects_only_new(self, index: int) -> bool:
        """True for an INSERT that selects of values, behind the last fact, of whose rows none is there."""
        statements = list(parse_each(self._steps[index].statements))
        if index <= self._last_fact or not all(map(selects_of_values, statements)) or any(self._after(index)):
            return False
        return self._rows.selects_only_new(self._steps[index])

    @cached_property
    def cut(self) -> int:
        """The first step to run; the chain's length where no rows are missing.

        Between the two nothing shows whether a step has run. One of the same file has not, nor has one that would
        still change rows and that, done twice, ends as done once: from there on all of them run again.
        """
        if self.first_not_run == len(self._steps):
            return self.first_not_run
        path, tables = self._steps[self.first_not_run].path, self._written[self.first_not_run]
        between = [i for i in self._written if self.last_run < i < self.first_not_run]
        doubtful = [i for i in between if i > self._last_fact or not tables.isdisjoint(self._written[i])]
        first = (i for i in doubtful if self._steps[i].path == path or self._has_not_changed(i))
        return min(first, default=self.first_not_run)

    def is_of_the_file_that_ran_last(self, index: int) -> bool:
        """True where the last step that is known to have run is of the same file, before it."""
        return 0 <= self.last_run < index and self._steps[self.last_run].path == self._steps[index].path

    def is_of_a_file_not_run(self, index: int) -> bool:
        """True where a step of its file has not run, and none is known to have."""
        return self._steps[index].path in self._files_not_run

    @cached_property
    def _files_not_run(self) -> set[str]:
        """The files of which a step has not run, and none is known to have; there are files of hundreds of UPDATEs."""
        ran = {self._steps[index].path for index in self._written if index <= self.last_run}
        others = ((self._steps[index], self._steps[index].path) for index in self._written)
        return {path for step, path in others if path not in ran and self._rows.are_to_change(step)}

    def _has_not_changed(self, index: int) -> bool:
        """True where the step ends the same when repeated, and rows that no step behind it can have written need it."""
        step = self._steps[index]
        if not step_ends_the_same(step) or self._may_be_written_behind(index):
            return False
        return not self._rows.would_not_change(step)

    def _may_be_written_behind(self, index: int) -> bool:
        """True where a step behind it, up to the first that has not run, may have written rows that it would find."""
        tables, changes = self._written[index], list(parse_each(self._steps[index].statements))
        for later in (i for i in self._written if index < i < self.first_not_run):
            if tables.isdisjoint(self._written[later]):
                continue
            made = parse_each(self._steps[later].statements)
            if any(may_make(one, change) for one in made if one.tag == "update_stmt" for change in changes):
                return True
            if not self._steps[later].inserts:
                continue
            rows = self._rows.written(self._steps[later])
            if not rows or any(may_find(change, row) for change in changes for row in rows):
                return True
        return False

    def _kept(self, index: int) -> list[str]:
        """Conditions for the rows that the step writes, but for those that a later step may have taken away."""
        if index not in self._kept_of:
            self._kept_of[index] = self._conditions_kept(index) if "insert_stmt" in self._steps[index].tags else []
        return self._kept_of[index]

    def _conditions_kept(self, index: int) -> list[str]:
        step, later = self._steps[index], list(self._after(index))
        if any(_SAYS_NOTHING.intersection(one.tags) for one in later):
            return []
        rows, tables = self._rows.written(step), {own_name(table) for table in self._rows.filled(step)}
        changes = [s for one in later for s in parse_each(one.statements) if may_change(s, tables)]
        if len(rows) * len(changes) > _MOST_PAIRS:
            return []
        found = []
        for place, row in enumerate(rows):
            changed = _changed_in(row, changes)
            if changed is None:
                continue
            conditions = self._rows.of(step, changed=changed)
            if not conditions:
                return []
            if conditions.count(conditions[place]) == 1:  # else another row may be what makes it true
                found.append(conditions[place])
        return found

    def _is_written_before(self, index: int) -> bool:
        """True where another step before it writes one of its rows."""
        rows = self._rows_without(frozenset(self._changed_after(index)))
        return any(not rows[index].isdisjoint(rows[i]) for i in rows if i < index)

    def _rows_without(self, changed: frozenset[str]) -> dict[int, frozenset[str]]:
        """What each INSERT of the chain writes but for these columns, as conditions."""
        if changed not in self._known:
            inserts = ((i, step) for i, step in enumerate(self._steps) if "insert_stmt" in step.tags)
            self._known[changed] = {i: frozenset(self._rows.of(step, changed=changed)) for i, step in inserts}
        return self._known[changed]

    def _changed_after(self, index: int) -> set[str]:
        """The columns of its tables that steps behind it set."""
        tables = {own_name(table) for table in self._rows.filled(self._steps[index])}
        changes = (s for step in self._after(index) for s in parse_each(step.statements))
        return columns_written(s.text for s in changes if s.tag == "update_stmt" and may_change(s, tables))

    def _after(self, index: int) -> Iterator[Step]:
        """The steps behind it that change or take away rows of the tables that it writes, or may."""
        own = self._written[index]
        return (self._steps[i] for i in self._changing if i > index and not own.isdisjoint(self._written[i]))

    @cached_property
    def _changing(self) -> list[int]:
        """Those that do more than INSERT."""
        return [i for i in self._written if not set(self._steps[i].tags) <= {"insert_stmt"}]


def _changed_in(row: Mapping[str, Any], changes: Sequence[Statement]) -> set[str] | None:
    """The columns that these may have changed in the row; None where they may have taken it away."""
    changed = set[str]()
    for statement in changes:
        if may_find(statement, row, changed=changed):
            if statement.tag in _DELETES:
                return None
            changed |= columns_written([statement.text])
    return changed
