"""Databases at one of the two ends of a chain, as most are: nothing of it is there yet, or everything is.

There is nothing to find out about them, so they are decided without a look at each fact.
"""

from __future__ import annotations

from collections.abc import Mapping

from trueup.chain.model import Effect, Facts, LockedChain, Step
from trueup.decide.model import MARKED, NOT_OF_THIS_TEXT, NOTHING_OF_IT, Decision, StepVerdict, Wish, run
from trueup.decide.traceless import in_empty
from trueup.decide.trajectory import fold


def at_its_end(locked: LockedChain, managed: Facts, renamed: Mapping[str, str]) -> Decision | None:
    """The decision where every step is marked, if every fact has its final value."""
    steps = range(len(locked.steps))
    final = fold(locked.effects, steps, locked.base)
    if managed != {key: value for key, value in final.items() if value is not None}:
        return None
    return Decision(
        anchor=len(steps),
        distance=0,
        steps=[StepVerdict(index=index, verdict="skip", reason=MARKED) for index in steps],
        found=managed,
        before=managed,
        final=final,
        renamed=renamed,
    )


def at_its_start(locked: LockedChain, wish: Wish) -> Decision | None:
    """The decision where no step is marked and no fact of the chain is there, if all of its steps are asked for."""
    said = wish.applied or wish.run or wish.answers or wish.begun
    if locked.base or said or wish.until is not None or any(step.phase == "contract" for step in locked.steps):
        return None
    return Decision(
        anchor=0,
        distance=0,
        steps=[_first_run(index, step, locked.effects[index]) for index, step in enumerate(locked.steps)],
        final=fold(locked.effects, range(len(locked.steps)), {}),
    )


def _first_run(index: int, step: Step, effect: Effect) -> StepVerdict:
    if not effect.keys:
        return in_empty(index, step)
    return run(index, NOTHING_OF_IT if not step.repeatable else NOT_OF_THIS_TEXT)
