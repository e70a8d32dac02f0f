"""What trueup's own marks of the steps around tell of a step that has none."""

from __future__ import annotations

from functools import cached_property

from trueup.catalog.keys import kind_of
from trueup.decide.anchor import MOST_EARLY
from trueup.decide.cursors import Cursors
from trueup.decide.doubt import InDoubt
from trueup.decide.given import Given
from trueup.decide.surroundings import Surroundings

_BUILT = ("index", "valid", "constraint", "validated")


class BesideMarks:
    """Answers for the data steps of one decision."""

    def __init__(self, given: Given, cursors: Cursors, around: Surroundings, doubt: InDoubt) -> None:
        self._locked, self._marks, self._done = given.locked, given.marks, given.done
        self._around, self._doubt = around, doubt
        healed = set(cursors.heal.values())
        unmarked = {i for i in self._done if i not in self._marks.done and self._has_facts(i) and i not in healed}
        one = len(unmarked) == 1  # more than one is never left behind by a crash
        self._unmarked = {i for i in unmarked if self._has_mark_at_once(i)} if one else unmarked

    def is_passed(self, index: int) -> bool:
        """True where trueup has marked a step behind it in its file: they were run in their order."""
        return self._last_own.get(self._locked.steps[index].path, -1) > index

    @cached_property
    def _last_own(self) -> dict[str, int]:
        """By file, the last step that trueup has marked."""
        return {self._locked.steps[index].path: index for index in sorted(self._marks.own)}

    def was_lost(self, index: int, last_to_run: int, *, before: bool) -> bool:
        """True where steps beside it or behind it are there without a mark: a ledger of trueup's is never like that."""
        if not before:
            return self.follows_unmarked(index, last_to_run)
        path = self._locked.steps[index].path
        beside = [i for i, step in enumerate(self._locked.steps) if step.path == path and i != index]
        if any(i in self._marks.own and (i > index or not self._marks.whole) for i in beside):
            return True
        if self._marks.whole:  # so what is there without a mark was done by hand, and that is not much
            shown = self._doubt.shown
            return not set(beside).isdisjoint(shown) or sum(i > index for i in shown) > MOST_EARLY
        if any(i in self._done and self._has_facts(i) for i in beside):
            return True
        behind = range(index + 1, len(self._locked.steps))
        return any(i in self._done and i not in self._marks.done and self._has_facts(i) for i in behind)

    def follows_unmarked(self, index: int, last_to_run: int) -> bool:
        """True where the last fact before it is there without a mark, and nothing between them is to run."""
        before = self._around.before_it(index)
        return before in self._unmarked and last_to_run < before

    def _has_facts(self, index: int) -> bool:
        return bool(self._locked.effects[index].keys)

    def _has_mark_at_once(self, index: int) -> bool:
        """True where effect and mark come in one transaction. An index build has none: a crash can part the two."""
        keys = self._locked.effects[index].keys
        return not (self._locked.steps[index].no_transaction or all(kind_of(key) in _BUILT for key in keys))
