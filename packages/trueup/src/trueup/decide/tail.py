"""Where among the data steps behind the last fact a database stands.

No fact tells before which of them it is. They ran one after the other: up to the last whose rows are there all of them
have, and from the first whose rows are missing on none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from trueup.chain.model import Step
from trueup.chain.statements import columns_written
from trueup.decide.rows import Rows

_DELETES = {"delete_stmt", "truncate_stmt"}
_SAYS_NOTHING = {"do_stmt", "call_stmt", "select_stmt"}


class Tail:
    """Data steps, by index, with the tables that each of them writes."""

    def __init__(self, steps: Sequence[Step], written: dict[int, set[str]], rows: Rows) -> None:
        self._steps = steps
        self._written = written
        self._rows = rows

    @cached_property
    def last_run(self) -> int:
        """The last step whose rows are there; -1 where no step's are."""
        there = (i for i in self._written if self._rows.are_there(self._steps[i], changed=self._changed_after(i)))
        return max(there, default=-1)

    @cached_property
    def first_not_run(self) -> int:
        """The first step behind that one whose rows are all missing; the chain's length where there is none."""
        missing = (i for i in self._written if i > self.last_run and self._is_missing(i))
        return min(missing, default=len(self._steps))

    def is_of_a_file_not_run(self, index: int) -> bool:
        """True where a step of its file has not run, and none is known to have."""
        path = self._steps[index].path
        of_file = [i for i in self._written if self._steps[i].path == path]
        if any(i <= self.last_run for i in of_file):
            return False
        return self.first_not_run in of_file or any(self._rows.are_to_change(self._steps[i]) for i in of_file)

    def _is_missing(self, index: int) -> bool:
        after = [self._steps[i] for i in self._written if i > index and self._written[i] & self._written[index]]
        if any(_DELETES.union(_SAYS_NOTHING).intersection(step.tags) for step in after):
            return False  # they may have been there
        return self._rows.are_missing(self._steps[index], changed=self._changed_after(index))

    def _changed_after(self, index: int) -> set[str]:
        """The columns of its tables that steps behind it set."""
        after = [self._steps[i] for i in self._written if i > index and self._written[i] & self._written[index]]
        updates = (step for step in after if "update_stmt" in step.tags)
        return {name for step in updates for text in step.statements for name in columns_written(text)}
