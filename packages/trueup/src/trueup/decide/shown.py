"""What the rows show of a step that leaves nothing else: that it has run, or not, or that it makes no difference."""

from __future__ import annotations

from trueup.catalog.keys import own_name
from trueup.chain.model import Step
from trueup.chain.statements import relations_named
from trueup.chain.updates import step_ends_the_same
from trueup.decide.doubt import InDoubt
from trueup.decide.given import Given
from trueup.decide.model import StepVerdict, assume, conflict
from trueup.decide.pending import Pending
from trueup.decide.rows import Rows
from trueup.decide.surroundings import Surroundings


class ShownByRows:
    """Asked of the steps of one decision, in their order."""

    def __init__(self, given: Given, around: Surroundings, pending: Pending, doubt: InDoubt, rows: Rows) -> None:
        self.live, self.marks = given.live, given.marks
        self.around, self.pending, self.doubt, self.rows = around, pending, doubt, rows

    def settled(self, index: int, step: Step, why: str) -> StepVerdict:
        """A conflict, unless the rows show that it has run, or that it makes no difference."""
        if not self.pending.changes(index) and self.rows.would_not_change(step):
            return assume(index, "there is no row that it would change")
        there = self.confirm(index, step)
        return assume(index, there) if there else conflict(index, why)

    def confirm(self, index: int, step: Step) -> str:
        """How the rows show that it has run; empty where they do not."""
        written = self.around.written(index)
        if not step.inserts or not all(f"table {table}" in self.live for table in written):
            return ""
        by_value = not (self.marks.own or self.rows.repeats(step)) and not self.pending.may_take(index, step.sql)
        if by_value and self.rows.are_there(step):
            return "the rows that it writes are there"
        is_known = bool(self.rows.written(step)) or not self.pending.changes(index)  # what it would select by then
        if is_known and not self.may_take_keys_before(index, written) and self.rows.would_be_refused(step, written):
            return "rows with the keys that it writes are there"
        others = relations_named(step.sql) - set(map(own_name, written))
        is_copied = others and by_value and is_known and not self.rows.none_in(written)
        return "all that it selects is there" if is_copied and self.rows.selects_nothing_new(step) else ""

    def deny(self, index: int, step: Step, written: set[str]) -> str:
        """How the rows show that it has not run; empty where they do not."""
        new = self.rows.would_be_new(step, written) or self.rows.selects_only_new(step)
        if new or self.rows.are_missing(step):
            return "none of the rows that it writes is there"
        if self.rows.has_no_key(step):
            return "no row has what it sets"
        if not step_ends_the_same(step):
            return ""
        if self.doubt.shows_not_run(index, step):
            return "rows that it would have changed are there"
        return "rows that it is for are written only now" if self.pending.fills(index) else ""

    def may_take_keys_before(self, index: int, tables: set[str]) -> bool:
        """True where steps that are to run before it may free a key of these tables."""
        keys = self.rows.keys_of(tables)
        return self.pending.may_take(index, " ".join(column for key in keys for column in key))
