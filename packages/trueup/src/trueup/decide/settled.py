"""Steps that are settled before any fact is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.chain.model import Effect
from trueup.decide.given import Given
from trueup.decide.lent import Lent
from trueup.decide.model import MARKED, StepVerdict, Wish, run
from trueup.decide.standing import Standing


class Settled:
    """Asked of the steps of one decision, in their order."""

    def __init__(
        self, given: Given, wish: Wish, standing: Standing, excluded: frozenset[int], lent: Sequence[Lent]
    ) -> None:
        self.locked, self.marks = given.locked, given.marks
        self.wish, self.standing, self.excluded, self.lent = wish, standing, excluded, lent

    def verdict(self, index: int) -> StepVerdict | None:
        """What is settled before any fact is looked at: by the ledger, by a person, by the author, by a name."""
        step, effect = self.locked.steps[index], self.locked.effects[index]
        if index in self.marks.done and index not in self.marks.lost:
            return StepVerdict(index=index, verdict="skip", reason=MARKED)
        if index in self.wish.applied:
            return StepVerdict(index=index, verdict="reconcile", reason="a person said that it is applied")
        if index in self.wish.run:
            self.standing.advance(effect, index)
            return run(index, "a person said that it has to run")
        if index in self.marks.lost:
            return StepVerdict(index=index, verdict="reconcile", reason="it was marked when all was last proved true")
        if index in self.excluded:
            reason = "contract phase: run with --phase contract" if step.phase == "contract" else "behind the target"
            return StepVerdict(index=index, verdict="blocked", reason=reason)
        if any(one.index == index and not one.within for one in self.lent):
            self.standing.advance(effect, index)
            return StepVerdict(index=index, verdict="reconcile", reason="it is renamed here already")
        if index in self.wish.answers:
            return self._answered(index, effect)
        if index in self.wish.begun:
            self.standing.advance(effect, index)
            return run(index, "its backfill has begun and goes on")
        return None

    def _answered(self, index: int, effect: Effect) -> StepVerdict:
        self.standing.advance(effect, index)
        if self.wish.answers[index]:
            return StepVerdict(index=index, verdict="reconcile", reason="its `done when` query says that it is done")
        return run(index, "its `done when` query says that it is not done")
