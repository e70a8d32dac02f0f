"""When a migration is complete: with the last of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from trueup.chain.model import Chain
from trueup.planning.model import Action, Plan


class Finished:
    """Says of each migration, with its last step, that it is complete: operators search their logs for it."""

    def __init__(self, plan: Plan, chain: Chain, log: Callable[[str], None]) -> None:
        self._log = log
        self._number = {
            action.step: chain.steps[action.step].number for action in plan.actions if action.step is not None
        }
        self._left = Counter(self._number[action.step] for action in plan.actions if action.step is not None)
        blocked = [chain.steps[v.index] for v in plan.decision.steps if v.verdict == "blocked"]
        self._open = {step.number for step in blocked if step.phase != "contract"}

    def done(self, action: Action) -> None:
        """One action less that its migration waits for."""
        if action.step is None:
            return
        number = self._number[action.step]
        self._left[number] -= 1
        if not self._left[number] and number not in self._open:
            self._log(f"Migration {number} complete")
