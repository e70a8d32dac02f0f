"""Files that somebody has run as a whole before their turn: what of their data steps the facts beside them tell."""

from __future__ import annotations

from functools import cached_property

from trueup.catalog.keys import identity_of
from trueup.chain.model import Step
from trueup.chain.updates import step_ends_the_same, step_takes_all
from trueup.decide.cursors import Cursors
from trueup.decide.doubt import InDoubt
from trueup.decide.given import Given
from trueup.decide.model import StepVerdict, assume, conflict
from trueup.decide.rows import Rows

_TOLD = {"insert_stmt", "update_stmt", "delete_stmt", "truncate_stmt"}


class WholeFiles:
    """Answers for data steps behind the place where the database stands, of files all of whose facts are there."""

    def __init__(self, given: Given, cursors: Cursors, doubt: InDoubt, rows: Rows) -> None:
        self._given, self._doubt, self._rows = given, doubt, rows
        self._wanted, self._early = cursors.wanted, cursors.place

    def verdict(self, index: int, step: Step) -> StepVerdict | None:
        """What to do with a step; None where nothing beside it tells.

        Between two facts of its file it was run. At one end of it, it may have been: then it is a person's matter,
        where to do it twice would be wrong. So are rows that were written between, of which nothing is known.
        """
        beside = self._there_early.get(step.path, ())
        if not beside or not _TOLD.issuperset(step.tags) or self._shows_whether_run(index, step):
            return None
        between = beside[0] < index < beside[-1]
        if step.inserts:
            return self._of_rows(index, step, between=between)
        if between:
            return assume(index, "its file is there, before it and behind it")
        if step_ends_the_same(step) and not step_takes_all(step):
            return None
        return conflict(index, "the rest of its file is there, so it may have run, and done twice it would be wrong")

    def _of_rows(self, index: int, step: Step, *, between: bool) -> StepVerdict | None:
        if self._rows.are_there(step):
            return assume(index, "its rows are there, as the rest of its file is")
        own = (key for one in self._there_early[step.path] for key in self._given.locked.effects[one].set)
        if between or not self._doubt.around.written(index).isdisjoint(identity_of(key) for key in own):
            return conflict(index, "the rest of its file is there, so its rows may be as well")
        return None

    def _shows_whether_run(self, index: int, step: Step) -> bool:
        """True where the rows tell, which are asked later on."""
        rows, written = self._rows, self._doubt.around.written(index)
        if rows.none_in(written) or rows.has_no_key(step) or self._doubt.is_unfilled(index, step):
            return True
        if not step.inserts:
            return rows.would_not_change(step)
        return (
            rows.would_be_refused(step, written)
            or rows.are_missing(step)
            or rows.would_be_new(step, written)
            or rows.selects_only_new(step)
        )

    @cached_property
    def _there_early(self) -> dict[str, list[int]]:
        """By path, the steps that leave facts, of files behind the place of which each such step is there unmarked."""
        found: dict[str, list[int]] = {}
        for index, step in enumerate(self._given.locked.steps):
            if self._given.locked.effects[index].keys:
                found.setdefault(step.path, []).append(index)
        return {path: steps for path, steps in found.items() if all(map(self._is_there_early, steps))}

    def _is_there_early(self, index: int) -> bool:
        """True where what the step makes is there as it or a later step leaves it, and what it takes away is gone."""
        given, effect = self._given, self._given.locked.effects[index]
        if index in given.done or index in given.marks.done:
            return False
        made = all(self._early.get(key, 0) > index for key in effect.set)
        return made and all(key not in given.live and self._wanted.get(key) is not None for key in effect.gone)
