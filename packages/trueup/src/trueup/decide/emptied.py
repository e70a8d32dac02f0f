"""Columns that have to be made anew, empty, where there were values: what reads them, and what fills them again."""

from __future__ import annotations

from trueup.catalog.keys import identity_of
from trueup.chain.model import Step
from trueup.chain.updates import step_ends_the_same
from trueup.decide.cursors import Cursors
from trueup.decide.doubt import InDoubt
from trueup.decide.given import Given
from trueup.decide.pending import Pending
from trueup.decide.rows import Rows
from trueup.decide.surroundings import Surroundings, fills_only, not_filled


class Emptied:
    """Asked of the steps of one decision, in their order."""

    def __init__(
        self, given: Given, cursors: Cursors, around: Surroundings, pending: Pending, doubt: InDoubt, rows: Rows
    ) -> None:
        self.locked, self.heal = given.locked, cursors.heal
        self.around, self.pending, self.doubt, self.rows = around, pending, doubt, rows
        self.unfilled: set[str] = set()  # columns, as `schema.table.column`, that are filled where they are healed

    def reads(self, index: int) -> str:
        """A column that had to be made anew, empty, and that the step uses otherwise than to fill it."""
        named = self.around.healed_and_named(index)
        with_rows = [column for column in named if not self.rows.none_in([column.rpartition(".")[0]])]
        return next(iter(not_filled(self.locked.steps[index], with_rows)), "")

    def forbids(self, index: int) -> str:
        """A column that had to be made anew, empty, and that the step sets NOT NULL before any step fills it."""
        forbidden = (identity_of(key) for key in self.locked.effects[index].set if key.startswith("not null "))
        lost = self.around.healed_columns.intersection(forbidden)
        unfilled = (column for column in sorted(lost) if self.around.is_made_empty(column))
        unfilled = (column for column in unfilled if not self.pending.may_set(column))
        return next((c for c in unfilled if not self.rows.none_in([c.rpartition(".")[0]])), "")

    def has_read(self, index: int) -> str:
        """A lost column that it reads, where facts show for sure that it has run: to run it now would be wrong."""
        if not self.around.healed_columns or not self.doubt.is_long_past(index) or self.around.was_left_out(index):
            return ""
        return next(iter(not_filled(self.locked.steps[index], self.around.healed_and_named(index))), "")

    def fills_again(self, index: int, step: Step) -> list[str]:
        """The columns that it fills, where each was made anew and it changes nothing else: it can run again."""
        columns = self.around.healed_and_named(index)
        again = columns and fills_only(step, columns) and step_ends_the_same(step) and self.around.still_fits(index)
        return columns if again else []

    def fills_later(self, index: int, step: Step) -> bool:
        """True where the columns that it fills are without values yet, and lack the NOT NULL that follows it."""
        columns = self.around.columns_set(index) if step.tags == ("update_stmt",) else []
        if not columns or not all(f"not null {column}" in self.heal for column in columns):
            return False
        is_due = self.around.still_fits(index) and self.doubt.is_unfilled(index, step)
        self.unfilled.update(columns if is_due else ())
        return is_due
