"""DDL on what nobody uses yet is sent many steps in one message, each still in its own transaction with its ledger row.

That is where a first run spends its time: not in the server, but in waiting for its answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from trueup.catalog.keys import identity_of, kind_of
from trueup.chain.model import LockedChain
from trueup.planning.model import Action, Plan
from trueup.run.execute import Executor

_MOST_TEXT = 100_000  # characters
_RELATIONS = ("table", "view", "materialized view", "sequence")


class Together:
    """Runs actions one after the other, as `Executor.run` does; those that can go together are sent ahead."""

    def __init__(self, executor: Executor, plan: Plan, locked: LockedChain) -> None:
        self._executor = executor
        used = {identity_of(key) for key in plan.decision.found if kind_of(key) in _RELATIONS}
        self._batches = {batch[0].id: batch for batch in _batches(plan.actions, locked, used, executor.limits.together)}
        self._took: dict[str, float] = {}

    def run(self, action: Action) -> float:
        """Carry one action out; its milliseconds. Raises what `Executor.run` raises."""
        if batch := self._batches.pop(action.id, None):
            self._took = self._executor.run_together(batch)
        took = self._took.pop(action.id, None)
        return self._executor.run(action) if took is None else took


def _batches(
    actions: Iterable[Action], locked: LockedChain, used: Collection[str], most: int
) -> Iterator[list[Action]]:
    """Runs of neighbours that touch nothing in use."""
    batch: list[Action] = []
    length = 0
    for action in actions:
        fits = _is_unfelt(action, locked, used)
        size = sum(map(len, action.statements))
        if batch and (not fits or len(batch) >= most or length + size > _MOST_TEXT):
            yield from [batch] if len(batch) > 1 else []
            batch, length = [], 0
        if fits:
            batch.append(action)
            length += size
    if len(batch) > 1:
        yield batch


def _is_unfelt(action: Action, locked: LockedChain, used: Collection[str]) -> bool:
    if action.step is None or action.backfill or action.verdict != "run" or not (action.transaction and action.marks):
        return False
    if locked.steps[action.step].has_data:  # may take long
        return False
    return not any(relation in used for relation in locked.effects[action.step].locks)
